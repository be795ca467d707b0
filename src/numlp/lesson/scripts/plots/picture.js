// Picture: what the network answers everywhere on the plane, or along its single input, with the rows on top of it.

const EDGE = { left: 40, right: 10, top: 10, bottom: 34 };
const SPECK = 3; // radius of a row's dot

class Picture {
  constructor() {
    this.canvas = h("canvas", { class: "plane", role: "img", "aria-label": "the network's answers; nothing is trained yet" });
    this.caption = h("figcaption", {});
    this.legend = h("ul", { class: "legend" });
    this.box = h("figure", { class: "panel picture-panel" }, h("h3", {}, "What the network answers"), this.legend, this.canvas, this.caption);
    this.small = document.createElement("canvas");
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  /** Take the rows of a new training; `about` is what the worker tells when it begins. */
  begin(rows, about) {
    this.rows = rows;
    this.about = about;
    this.surface = null;
    this.unit = null;
    const { plane, width } = about;
    this.isCurve = width === 1;
    this.places = Array.from({ length: rows.y.length }, (_, i) => placeOf(plane, rows.x, i * width));
    this.validates = new Uint8Array(rows.y.length);
    for (const i of about.validation) this.validates[i] = 1;
    this.range = rows.classes ? null : [minOf(rows.y), maxOf(rows.y)];
    this.legend.replaceChildren(...this.legendEntries());
    this.caption.textContent = this.captionText();
  }

  legendEntries() {
    const dot = (color, hollow) => {
      const circle = svg("circle", { cx: 12, cy: 6, r: 4.5, "stroke-width": 2 });
      circle.style.stroke = css(color);
      circle.style.fill = hollow ? "none" : css(color);
      return svg("svg", { class: "swatch", viewBox: "0 0 24 12", "aria-hidden": "true" }, circle);
    };
    const names = this.rows.classes?.slice(0, 8) ?? [];
    const entries = names.map((name, k) => h("li", {}, dot(palette.class(k)), name));
    return [...entries, h("li", {}, dot(palette.soft), "trains"), h("li", {}, dot(palette.soft, true), "validates")];
  }

  captionText() {
    const { columns, target, classes } = this.rows;
    if (this.isCurve) return `The line is the network's answer for every ${columns[0]}; the dots are the rows' ${target}.`;
    const color = classes ? "The background is the class that the network finds likeliest, the paler, the less sure." : `The background is the network's ${target}, from blue (low) to orange (high).`;
    if (!this.about.plane.projected) return color;
    return `${color} With ${columns.length} inputs, this is the plane in which the rows differ most. Rows lie off it, so a row's own answer may differ from the background.`;
  }

  update({ surface, maps }, unit) {
    this.surface = surface;
    this.unit = unit ? { ...unit, values: maps[unit.layer]?.[unit.unit] } : null;
    this.draw();
  }

  draw() {
    if (!this.rows || !this.canvas.clientWidth) return;
    const { context, width, height } = drawingOn(this.canvas);
    const { u, v } = this.about.plane;
    const rise = this.isCurve ? this.valueRange() : v;
    const x = scale(...u, EDGE.left, width - EDGE.right);
    const y = scale(...rise, height - EDGE.bottom, EDGE.top);
    if (!this.isCurve && this.surface) this.drawSurface(context, width, height);
    this.drawAxes(context, x, y, u, rise, width, height);
    if (!this.unit?.values) this.drawRows(context, x, y);
    if (this.isCurve && this.surface) this.drawCurve(context, x, y);
  }

  valueRange() {
    const [low, high] = this.range;
    const space = 0.12 * (high - low || 1);
    return [low - space, high + space];
  }

  drawSurface(context, width, height) {
    const side = this.unit?.values ? MAP : GRID;
    Object.assign(this.small, { width: side, height: side });
    const image = new ImageData(side, side);
    const color = this.unit?.values ? this.unitColor() : this.answerColor();
    for (let i = 0; i < side * side; i++) {
      const [red, green, blue] = color(i);
      image.data.set([red, green, blue, 255], 4 * i);
    }
    this.small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.small, EDGE.left, EDGE.top, width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom);
  }

  /** A function from a point of the grid to its color: for classes, sure answers are strong. */
  answerColor() {
    const { surface, rows } = this;
    if (!rows.classes) {
      const [low, high] = this.range;
      return (i) => {
        const share = Math.min(1, Math.max(0, (surface[i] - low) / (high - low || 1)));
        return mixed(palette.surface, palette.class(share < 0.5 ? 0 : 1), 1.3 * Math.abs(share - 0.5));
      };
    }
    const k = rows.classes.length;
    return (i) => {
      let best = 0;
      for (let c = 1; c < k; c++) if (surface[i * k + c] > surface[i * k + best]) best = c;
      const sure = Math.max(0, (surface[i * k + best] - 1 / k) / (1 - 1 / k));
      return mixed(palette.surface, palette.class(best), 0.08 + 0.57 * sure);
    };
  }

  unitColor() {
    const { values } = this.unit;
    const largest = largestOf(values) || 1;
    return (i) => mixed(palette.surface, values[i] > 0 ? POSITIVE : NEGATIVE, Math.min(1, Math.abs(values[i]) / largest));
  }

  drawAxes(context, x, y, u, rise, width, height) {
    const { columns, target } = this.rows;
    const { projected } = this.about.plane;
    context.strokeStyle = css(palette.line);
    context.strokeRect(EDGE.left, EDGE.top, width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom);
    context.fillStyle = css(palette.soft);
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    const names = projected ? ["first direction", "second direction"] : [columns[0], this.isCurve ? target : columns[1]];
    for (const tick of linearTicks(...u, 4)) context.fillText(shortNumber(tick, 3), x(tick), height - EDGE.bottom + 14);
    context.fillText(clipped(names[0]), (EDGE.left + width - EDGE.right) / 2, height - 4);
    context.textAlign = "right";
    for (const tick of linearTicks(...rise, 4)) context.fillText(shortNumber(tick, 3), EDGE.left - 5, y(tick) + 4);
    context.save();
    context.translate(10, (EDGE.top + height - EDGE.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(clipped(names[1]), 0, 0);
    context.restore();
  }

  drawRows(context, x, y) {
    const { rows, places, validates, isCurve } = this;
    for (let i = 0; i < places.length; i++) {
      const [u, v] = places[i];
      const color = this.rowColor(i);
      context.beginPath();
      context.arc(x(u), y(isCurve ? rows.y[i] : v), SPECK, 0, 2 * Math.PI);
      if (validates[i]) {
        context.lineWidth = 1.6;
        context.strokeStyle = css(color);
        context.stroke();
      } else {
        context.fillStyle = css(color);
        context.fill();
        context.lineWidth = 0.8;
        context.strokeStyle = css(palette.surface, 0.8);
        context.stroke();
      }
    }
  }

  rowColor(i) {
    const { rows, isCurve } = this;
    if (rows.classes) return palette.class(rows.y[i]);
    if (isCurve) return palette.class(0);
    const share = (rows.y[i] - this.range[0]) / (this.range[1] - this.range[0] || 1);
    return mixed(palette.class(0), palette.class(1), share);
  }

  drawCurve(context, x, y) {
    const values = this.unit?.values ?? this.surface;
    const [low, high] = this.about.plane.u;
    context.beginPath();
    for (let i = 0; i < GRID; i++) {
      const place = [x(low + ((i + 0.5) / GRID) * (high - low)), y(values[i])];
      if (i) context.lineTo(...place);
      else context.moveTo(...place);
    }
    context.lineWidth = 2.5;
    context.strokeStyle = css(this.unit ? palette.ink : palette.class(1));
    context.save();
    context.clip(this.frame());
    context.stroke();
    context.restore();
  }

  frame() {
    const path = new Path2D();
    const { clientWidth: width, clientHeight: height } = this.canvas;
    path.rect(EDGE.left, EDGE.top, width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom);
    return path;
  }

  describe(text) {
    this.canvas.setAttribute("aria-label", text);
  }
}

const clipped = (text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);
