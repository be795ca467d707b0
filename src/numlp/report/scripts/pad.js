// The pad: ink, rows to start from, and the network's answer to every stroke.

class Pad {
  constructor(network, data, examples) {
    this.ends = data.ends;
    this.explanation = new Explanation(network, data);
    this.ink = new Ink(data.shape, (pixels) => this.answer(pixels), data.centred);
    const start = examples ? exampleChoice(examples, (i) => this.load(examples.data[i])).controls : null;
    if (start) start.prepend(h("span", { class: "hint" }, "Or start from"));
    this.box = h(
      "div",
      { class: "drawing" },
      h("div", { class: "pad-side" }, this.ink.canvas, this.ink.controls, start),
      this.explanation.box,
    );
    this.ink.clear();
  }

  /** Start from an image, in the units of the data. */
  load(values) {
    this.ink.load(inkOf(values, this.ends));
  }

  answer(pixels) {
    const values = valuesOf(pixels, this.ends);
    if (pixels.some((part) => part > 0)) this.explanation.update(values);
    else this.explanation.rest(values, "Nothing drawn yet");
  }
}
