// Wiring: the network as a picture. Each hidden unit is a button with a small map of its response; weights are lines.

const TALLEST = 16; // units above each other; wider layers stand in several columns
const TALLEST_PICTURES = 8;
const FAINTEST = 0.04; // weights below this share of the layer's largest are not drawn

class Wiring {
  /** @param choose called with {layer, unit}, or null, when the reader looks at a unit */
  constructor(choose) {
    this.choose = choose;
    this.wires = h("canvas", { class: "wires", "aria-hidden": "true" });
    this.columns = h("div", { class: "unit-columns" });
    this.board = h("div", { class: "wiring", role: "group", "aria-label": "the network's units" }, this.wires, this.columns);
    this.hint = h("figcaption", {});
    const scroll = h("div", { class: "wiring-scroll" }, this.board);
    this.box = h("figure", { class: "panel wiring-panel" }, h("h3", {}, "The network"), scroll, this.hint);
    this.pinned = null;
    new ResizeObserver(() => this.drawWires()).observe(this.board);
  }

  begin(rows, about, widths) {
    this.pinned = null;
    this.weights = null;
    this.isCurve = about.width === 1;
    this.picture = rows.picture ?? null;
    const ends = this.picture ? [] : rows.columns.slice(0, TALLEST);
    const outs = rows.classes ?? [rows.target];
    this.inputs = ends.map((name) => h("span", { class: "terminal", title: name }, name));
    this.outputs = outs.slice(0, TALLEST).map((name) => h("span", { class: "terminal", title: name }, name));
    this.units = widths.map((width, layer) => Array.from({ length: Math.min(width, MOST_SHOWN) }, (_, unit) => this.unitButton(layer, unit)));
    const column = (name, items) => h("div", { class: "unit-column" }, h("div", { class: "column-name" }, name), h("div", { class: "unit-stack" }, ...items));
    const hidden = this.units.map((buttons, layer) => {
      const made = column(`layer ${layer + 1}`, buttons.map(({ button }) => button));
      made.lastChild.style.setProperty("--columns", this.across(buttons.length));
      made.lastChild.style.setProperty("--size", `${this.sizeOf(buttons.length)}px`);
      return made;
    });
    const from = this.picture ? [] : [column("inputs", this.inputs)];
    this.columns.replaceChildren(...from, ...hidden, column(rows.classes ? "classes" : "output", this.outputs));
    const more = widths.some((width) => width > MOST_SHOWN) ? ` Of wider layers, the first ${MOST_SHOWN} units are shown.` : "";
    const lines = "Lines are weights: red above 0, blue below, the thicker, the larger.";
    this.hint.textContent = this.picture
      ? `Each tile is a unit of the first layer: its weight for every pixel, red above 0, blue below.${more}`
      : widths.length
        ? `Each tile is a hidden unit: what it answers all over the picture, red above 0, blue below. Choose one to see it large. ${lines}${more}`
        : `There is no hidden layer: the inputs lead straight to the answer. ${lines}`;
    for (const layer of this.units) if (layer.length) rove(layer[0].button.parentElement, () => this.across(layer.length));
  }

  /** The number of columns in which the units of a layer stand. */
  across(units) {
    return Math.ceil(units / (this.picture ? TALLEST_PICTURES : TALLEST));
  }

  sizeOf(units) {
    if (this.picture) return units > 32 ? 36 : 56;
    return units > 8 ? 26 : units > 4 ? 36 : 46;
  }

  unitButton(layer, unit) {
    const side = this.picture && layer === 0 ? this.picture : { width: MAP, height: MAP };
    const canvas = h("canvas", { class: "picture", width: side.width, height: side.height });
    const button = h("button", { type: "button", class: "unit", "aria-pressed": "false", "aria-label": `layer ${layer + 1}, unit ${unit + 1}` }, canvas);
    const look = () => this.choose({ layer, unit });
    const leave = () => this.choose(this.pinned);
    button.addEventListener("pointerenter", look);
    button.addEventListener("pointerleave", leave);
    button.addEventListener("focus", () => button.matches(":focus-visible") && look());
    button.addEventListener("blur", leave);
    button.addEventListener("click", () => this.pin(layer, unit));
    tooltip.attach(button, () => [`layer ${layer + 1}, unit ${unit + 1}`, ...(this.isDead(layer, unit) ? ["dead: the same for every row"] : [])]);
    return { button, canvas };
  }

  pin(layer, unit) {
    const same = this.pinned?.layer === layer && this.pinned?.unit === unit;
    this.pinned = same ? null : { layer, unit };
    this.units.forEach((buttons, l) => buttons.forEach(({ button }, u) => button.setAttribute("aria-pressed", String(!same && l === layer && u === unit))));
    this.choose(this.pinned);
  }

  isDead(layer, unit) {
    return this.dead?.[layer]?.includes(unit) ?? false;
  }

  update({ weights, maps, dead }) {
    this.weights = weights;
    this.dead = dead;
    this.units.forEach((buttons, layer) => buttons.forEach(({ button, canvas }, unit) => {
      const name = `layer ${layer + 1}, unit ${unit + 1}${this.isDead(layer, unit) ? ", dead" : ""}`;
      if (button.getAttribute("aria-label") !== name) button.setAttribute("aria-label", name);
      button.classList.toggle("dead", this.isDead(layer, unit));
      if (this.picture && layer === 0) paintOwn(canvas, columnOfWeights(weights[0], unit));
      else if (maps && this.isCurve) paintResponse(canvas, maps[layer][unit]);
      else if (maps) paintOwn(canvas, maps[layer][unit]);
    }));
    this.drawWires();
  }

  /** The lines between units that are shown, from column to column. */
  drawWires() {
    if (!this.weights || !this.board.clientWidth) return;
    const { context } = drawingOn(this.wires);
    const area = this.wires.getBoundingClientRect();
    const side = (element, right) => {
      const box = element.getBoundingClientRect();
      return [(right ? box.right : box.left) - area.left, box.top + box.height / 2 - area.top];
    };
    const columns = [this.inputs, ...this.units.map((buttons) => buttons.map(({ button }) => button)), this.outputs];
    this.weights.forEach(({ weight, shape }, layer) => {
      const [from, to] = [columns[layer], columns[layer + 1]];
      if (!from.length) return;
      const [starts, ends] = [from.map((element) => side(element, true)), to.map((element) => side(element, false))];
      const largest = largestOf(weight) || 1;
      starts.forEach((start, i) => ends.forEach((end, j) => {
        const share = weight[i * shape[1] + j] / largest;
        if (Math.abs(share) < FAINTEST) return;
        context.beginPath();
        context.moveTo(...start);
        const middle = (start[0] + end[0]) / 2;
        context.bezierCurveTo(middle, start[1], middle, end[1], ...end);
        context.lineWidth = 0.4 + 2.6 * Math.abs(share);
        context.strokeStyle = css(share > 0 ? POSITIVE : NEGATIVE, 0.25 + 0.6 * Math.abs(share));
        context.stroke();
      }));
    });
  }
}

const columnOfWeights = ({ weight, shape }, unit) => Float32Array.from({ length: shape[0] }, (_, i) => weight[i * shape[1] + unit]);

/** Signed values, as strong as the largest of them. */
const paintOwn = (canvas, values) => paintSigned(canvas, values, largestOf(values));

/** A unit's response along a single input, as a small curve around a line at 0. */
function paintResponse(canvas, values) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const y = scale(-(largestOf(values) || 1), largestOf(values) || 1, height - 2, 2);
  context.clearRect(0, 0, width, height);
  context.fillStyle = css(palette.line);
  context.fillRect(0, Math.round(height / 2), width, 1);
  for (let column = 0; column < width; column++) {
    const value = values[Math.floor((column / width) * values.length)];
    context.fillStyle = css(value > 0 ? POSITIVE : NEGATIVE);
    context.fillRect(column, y(value) - 1, 1.5, 2);
  }
}
