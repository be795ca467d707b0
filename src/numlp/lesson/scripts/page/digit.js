// Digit: a pad to draw on, and the network's answer while it still learns.

class Digit {
  /** @param ask takes a row of inputs and returns a promise of the network's answer */
  constructor(ask) {
    this.ask = ask;
    this.said = h("p", { class: "answer", "aria-live": "polite" });
    this.holder = h("div", { class: "digit" });
    this.box = h("figure", { class: "panel digit-panel" }, h("h3", {}, "Draw a digit"), this.holder);
  }

  begin(rows) {
    this.rows = rows;
    this.ink = new Ink(rows.picture, (pixels) => this.drawn(pixels));
    this.bars = barList(Math.min(rows.classes.length, 12), "probabilities");
    this.number = 0;
    const next = h("button", { type: "button", onclick: () => this.load(this.number++) }, "Show one of the data");
    this.holder.replaceChildren(h("div", {}, this.ink.canvas, this.ink.controls, next), h("div", {}, this.said, this.bars.list));
    this.load(this.number++);
  }

  load(i) {
    const { x, y, classes, picture } = this.rows;
    const size = picture.height * picture.width;
    const row = i % y.length;
    this.truth = classes[y[row]];
    this.ink.load(Float64Array.from(x.subarray(row * size, (row + 1) * size), (value) => value / 255));
  }

  drawn(pixels) {
    this.pixels = pixels;
    this.update();
  }

  /** Ask again, after the network has learned. */
  async update() {
    if (!this.pixels || this.waiting) return;
    this.waiting = true;
    const { pixels } = this;
    const { values } = await this.ask(Uint8Array.from(pixels, (value) => Math.round(255 * value)));
    this.waiting = false;
    if (this.pixels !== pixels) return this.update(); // drawn on in the meantime
    if (!values) return;
    const best = values.indexOf(maxOf(values));
    const { classes } = this.rows;
    this.bars.update(Array.from(values.subarray(0, 12), (value, k) => ({ name: classes[k], value, text: percent(value, 1), winner: k === best })));
    write(this.said, this.pixels.some((value) => value > 0) ? `The network says ${classes[best]}.` : "Nothing drawn yet.");
  }
}
