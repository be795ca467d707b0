// Examples: the rows of data that the page holds.

class Examples {
  constructor(data) {
    Object.assign(this, data.examples);
    this.shape = data.shape;
    this.ends = data.ends;
    this.classes = data.classes;
    this.header = data.columns;
    this.order = data.order;
  }

  /** Read the rows from a table's cells, from the sprite, or from base64. */
  async load() {
    if (this.cells) {
      this.data = Array.from({ length: this.count }, (_, i) => this.cells.map((column) => column[i]));
      return this;
    }
    if (!this.sprite) {
      const all = numbersOf({ dtype: "float32", data: this.values });
      const size = all.length / this.count;
      this.data = Array.from({ length: this.count }, (_, i) => all.subarray(i * size, (i + 1) * size));
      return this;
    }
    const { columns, height, width } = this;
    const image = await loadImage(this.sprite);
    const context = h("canvas", { width: image.width, height: image.height }).getContext("2d", {
      willReadFrequently: true,
    });
    context.drawImage(image, 0, 0);
    this.data = Array.from({ length: this.count }, (_, i) => {
      const cell = context.getImageData((i % columns) * width, Math.floor(i / columns) * height, width, height);
      const ink = Float32Array.from({ length: height * width }, (__, k) => cell.data[4 * k] / 255);
      return valuesOf(ink, this.ends);
    });
    return this;
  }

  get hasGuesses() {
    return this.guess !== undefined;
  }

  isMistake(i) {
    return this.hasGuesses && this.truth[i] !== this.guess[i];
  }

  /** The true class, labels or values of a row, as text. */
  truthOf(i) {
    const truth = this.truth[i];
    if (this.hasGuesses) return this.classes[truth];
    if (!this.classes.length) return truth.map((value) => shortNumber(value)).join(", ");
    return this.classes.filter((_, k) => truth[k]).join(", ") || "none of the labels";
  }

  titleOf(i) {
    return `${this.part} row ${this.rows[i]}, ${this.classes.length ? "" : "true value "}${this.truthOf(i)}`;
  }

  pictureOf(i) {
    const canvas = pictureCanvas(this.shape.width, this.shape.height, this.titleOf(i));
    paint(canvas, inkOf(this.data[i], this.ends), this.shape);
    return canvas;
  }
}

/** Examples side by side, or as a table; clicking one shows its explanation. */
function gallery(examples, chosen, explain) {
  if (examples.cells) return rowTable(examples, chosen, explain);
  const cards = chosen.map((i) => {
    const predicted = examples.likeliest[i].map(([k, p]) => `${examples.classes[k]} ${percent(p, 1)}`);
    const picture = examples.shape
      ? [examples.pictureOf(i)]
      : [h("span", { class: "row-number" }, `row ${examples.rows[i]}`)];
    const card = h(
      "button",
      {
        type: "button",
        class: "card",
        onclick: () => explain(i),
        "aria-label": `${examples.titleOf(i)}; the network predicts ${predicted.join(", ")}`,
      },
      ...picture,
      h("span", { class: examples.isMistake(i) ? "said wrong" : "said" }, predicted[0]),
      h("span", { class: "truth" }, `true: ${examples.truthOf(i)}`),
    );
    tooltip.attach(card, () => [
      `${examples.part} row ${examples.rows[i]}, true: ${examples.truthOf(i)}`,
      ...predicted,
    ]);
    return card;
  });
  const grid = h("div", { class: "gallery" }, ...cards);
  rove(grid, () => Math.max(1, Math.floor(grid.clientWidth / (cards[0].offsetWidth + 8))));
  return grid;
}
