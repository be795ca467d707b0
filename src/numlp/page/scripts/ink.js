// Ink: a canvas to draw an image on with mouse, touch or pen.

const STROKE = 0.04; // radius, in widths of the canvas: about two pixels of an MNIST digit

class Ink {
  /**
   * @param shape {width, height} of the image
   * @param change called with the image's pixels, from 0 to 1, after every stroke
   * @param usual whether drawings are centered and scaled like MNIST's digits
   */
  constructor(shape, change, usual = true) {
    this.shape = shape;
    this.change = change;
    this.usual = usual;
    this.factor = Math.max(1, Math.round(280 / shape.width));
    this.width = shape.width * this.factor;
    this.height = shape.height * this.factor;
    this.ink = new Float32Array(this.width * this.height);
    this.centre = h("input", { type: "checkbox", onchange: () => this.update() });
    this.centre.checked = usual;
    this.canvas = h("canvas", {
      class: "pad",
      width: this.width,
      height: this.height,
      role: "img",
      "aria-label": "drawing pad; without a pointer, load one of the rows below",
    });
    this.controls = h(
      "div",
      { class: "controls" },
      h("button", { type: "button", onclick: () => this.clear() }, "Clear"),
      h("label", { class: "switch" }, this.centre, "center and scale as in MNIST"),
    );
    this.listen();
  }

  listen() {
    let last = null;
    const place = (event) => {
      const area = this.canvas.getBoundingClientRect();
      return [
        ((event.clientX - area.left) / area.width) * this.width,
        ((event.clientY - area.top) / area.height) * this.height,
      ];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      this.canvas.setPointerCapture(event.pointerId);
      last = place(event);
      this.stroke(last, last);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const each of passed.length ? passed : [event]) {
        const next = place(each);
        this.stamp(last, next);
        last = next;
      }
      this.update();
    });
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (last = null));
  }

  stroke(from, to) {
    this.stamp(from, to);
    this.update();
  }

  /** Put ink within the stroke's radius of a segment, with a soft edge. */
  stamp([x0, y0], [x1, y1]) {
    const radius = STROKE * this.width;
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = dx * dx + dy * dy || 1;
    const reach = radius + 1;
    const bounds = (a, b, most) => [
      Math.max(0, Math.floor(Math.min(a, b) - reach)),
      Math.min(most - 1, Math.ceil(Math.max(a, b) + reach)),
    ];
    const [left, right] = bounds(x0, x1, this.width);
    const [top, bottom] = bounds(y0, y1, this.height);
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const along = Math.min(1, Math.max(0, ((x + 0.5 - x0) * dx + (y + 0.5 - y0) * dy) / length));
        const distance = Math.hypot(x + 0.5 - x0 - along * dx, y + 0.5 - y0 - along * dy);
        const value = Math.min(1, Math.max(0, radius + 0.5 - distance));
        const k = y * this.width + x;
        if (value > this.ink[k]) this.ink[k] = value;
      }
    }
  }

  clear() {
    this.ink.fill(0);
    this.centre.checked = this.usual;
    this.update();
  }

  /** Start from an image: every pixel, from 0 to 1, becomes a square of ink in its place. */
  load(pixels) {
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) {
        this.ink[y * this.width + x] =
          pixels[Math.floor(y / this.factor) * this.shape.width + Math.floor(x / this.factor)];
      }
    }
    this.centre.checked = false;
    this.update();
  }

  /** The image that the network gets, as ink from 0 to 1. */
  get pixels() {
    const place = this.centre.checked ? centred : asDrawn;
    return place(this.ink, this.width, this.height, this.shape.width, this.shape.height);
  }

  update() {
    paint(this.canvas, this.ink, { width: this.width, height: this.height, channels: 1 });
    this.change(this.pixels);
  }
}
