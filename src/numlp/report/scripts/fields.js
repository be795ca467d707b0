// Fields: one for every feature of a table, with a live prediction.

class Fields {
  constructor(network, data, examples) {
    this.explanation = new Explanation(network, data);
    this.inputs = data.features.map(({ name, low, middle, high }) => {
      const input = h("input", { type: "number", step: "any", value: middle, oninput: () => this.edit() });
      const hint = `${shortNumber(low)} to ${shortNumber(high)} in the data`;
      return {
        input,
        label: h(
          "label",
          { class: "field" },
          h("span", { class: "name" }, name),
          input,
          h("span", { class: "hint" }, hint),
        ),
      };
    });
    this.choice = examples ? exampleChoice(examples, (i) => this.load(examples.data[i])) : null;
    const form = h(
      "form",
      { class: "fields", onsubmit: (event) => event.preventDefault() },
      ...this.inputs.map(({ label }) => label),
    );
    this.box = h("div", { class: "drawing" }, h("div", {}, this.choice?.controls ?? null, form), this.explanation.box);
    if (this.choice) this.choice.pick(0);
    else this.update();
  }

  /** What a reader enters is no row of the data any more. */
  edit() {
    this.choice?.leave();
    this.update();
  }

  load(values) {
    this.inputs.forEach(({ input }, i) => (input.value = Number(values[i].toPrecision(7))));
    this.update();
  }

  /** Predict, unless a field doesn't hold a number. */
  update() {
    const values = this.inputs.map(({ input }) => input.valueAsNumber);
    this.inputs.forEach(({ input }, i) => input.setAttribute("aria-invalid", String(!Number.isFinite(values[i]))));
    if (values.every(Number.isFinite)) this.explanation.update(values);
  }
}
