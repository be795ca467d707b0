// Controls: a form with every setting. Each change goes to the page at once.

/** The words of the form: a label and a hint for each setting. */
const LABELS = {
  data: ["Data set"],
  rows: ["Rows", "A fifth of them only checks."],
  spread: ["Spread", "How blurred the data are."],
  activation: ["Activation", "How a unit bends its sum."],
  initializer: ["First weights", "“usual” suits each layer."],
  normalization: ["Normalization", "Of what the hidden units get."],
  optimizer: ["Optimizer"],
  learning_rate: ["Learning rate", "How far a step goes."],
  batch_size: ["Batch size", "Rows that a step looks at."],
  decay: ["Weight decay", "Pulls weights towards 0."],
  dropout: ["Dropout", "Share of hidden units to silence."],
  noise: ["Noise", "On hidden units, in training."],
  input_noise: ["Noise on inputs", "On scaled inputs, in training."],
  l1: ["L1 penalty", "On the sum of all |weights|."],
  l2: ["L2 penalty", "On half the sum of their squares."],
  loss: ["Loss", "What training makes small."],
  schedule: ["Schedule", "Of the learning rate."],
  epochs: ["Epochs", "Of the schedule, which then ends."],
  seed: ["Seed", "Of all randomness."],
};
const LOSS_NAMES = { huber: "Huber" };
const OPTIMIZER_NAMES = { sgd: "gradient descent", momentum: "with momentum 0.9", nesterov: "with Nesterov momentum", adam: "Adam", adamw: "AdamW", rmsprop: "RMSprop", lion: "Lion" };

class Controls {
  /** @param change called with the settings that the reader changed */
  constructor(change) {
    this.change = change;
    this.fields = {};
    const choice = (name, options) => this.choice(name, options);
    const names = (list, titles = {}) => list.map((name) => [name, titles[name] ?? name.replaceAll("_", " ")]);
    const strength = (name, values) => choice(name, values.map((value) => [value, value ? String(value) : "none"]));
    this.depth = h("input", { type: "number", min: 0, max: MOST_LAYERS, step: 1, id: "depth", onchange: () => this.deepen() });
    this.widths = h("div", { class: "widths", role: "group", "aria-label": "Units of each hidden layer" });
    const depth = h("div", { class: "field" }, h("label", { class: "name", for: "depth" }, "Hidden layers"), this.depth, this.widths);
    this.dataBox = this.group("Data", choice("data", names(dataNames(), dataTitles())), choice("rows", ROW_COUNTS.map((value) => [value, whole(value)])), this.slider("spread", 0, 0.5, 0.01));
    this.form = h(
      "form",
      { class: "settings-form", onsubmit: (event) => event.preventDefault() },
      this.dataBox,
      this.group("Network", depth, choice("activation", names(activationNames())), choice("normalization", names(engine.ABOUT.normalizations)), choice("initializer", names(["usual", ...engine.ABOUT.initializers]))),
      this.group("Training", choice("optimizer", names(Object.keys(DESCENTS), OPTIMIZER_NAMES)), choice("learning_rate", RATES.map((value) => [value, String(value)])), choice("schedule", names(SCHEDULES)), choice("epochs", EPOCH_COUNTS.map((value) => [value, whole(value)])), choice("batch_size", BATCH_SIZES.map((value) => [value, whole(value)])), choice("loss", names(VALUE_LOSSES, LOSS_NAMES)), this.number("seed")),
      this.group("Against overfitting", strength("decay", DECAYS), strength("l2", PENALTIES), strength("l1", PENALTIES), this.slider("dropout", 0, 0.8, 0.05), this.slider("noise", 0, 1, 0.05), this.slider("input_noise", 0, 1, 0.05)),
    );
  }

  group(title, ...fields) {
    return h("fieldset", {}, h("legend", {}, title), h("div", { class: "fields" }, ...fields));
  }

  field(name, control) {
    const [label, hint] = LABELS[name];
    control.id = `set-${name}`;
    this.fields[name] = control;
    const note = hint ? h("span", { class: "hint", id: `hint-${name}` }, hint) : null;
    if (hint) control.setAttribute("aria-describedby", note.id);
    return h("div", { class: "field", "data-setting": name }, h("label", { class: "name", for: control.id }, label), control, note);
  }

  choice(name, options) {
    const select = h("select", { onchange: () => this.give(name, select.value) }, ...options.map(([value, title]) => h("option", { value }, title)));
    return this.field(name, select);
  }

  slider(name, min, max, step) {
    const said = h("output", {});
    const input = h("input", { type: "range", min, max, step, oninput: () => (said.textContent = input.value), onchange: () => this.give(name, input.value) });
    const field = this.field(name, input);
    input.said = said;
    field.querySelector("label").append(" ", said);
    return field;
  }

  number(name) {
    const input = h("input", { type: "number", min: 0, max: 2 ** 32 - 1, step: 1, onchange: () => this.give(name, input.value) });
    return this.field(name, input);
  }

  /** Hand a setting's text on if it is a value, else mark its field. */
  give(name, text) {
    const control = this.fields[name];
    try {
      const value = SETTINGS[name].read(text);
      control.removeAttribute("aria-invalid");
      this.change({ [name]: value });
    } catch (error) {
      control.setAttribute("aria-invalid", "true");
      this.change({}, `${LABELS[name][0]} is “${text}”, but ${error.message}.`);
    }
  }

  deepen() {
    const depth = Number(this.depth.value);
    if (!Number.isInteger(depth) || depth < 0 || depth > MOST_LAYERS) return void this.change({}, `Hidden layers must be a whole number from 0 to ${MOST_LAYERS}.`);
    const last = this.state.layers.at(-1) ?? 8;
    this.change({ layers: Array.from({ length: depth }, (_, i) => this.state.layers[i] ?? last) });
  }

  widen(layer, input) {
    try {
      const width = wholeIn(1, MOST_UNITS)(input.value);
      this.change({ layers: this.state.layers.map((old, i) => (i === layer ? width : old)) });
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      this.change({}, `The units of layer ${layer + 1} are “${input.value}”, but ${error.message}.`);
    }
  }

  /** Show a state. */
  show(state) {
    this.state = state;
    for (const [name, control] of Object.entries(this.fields)) {
      const text = String(state[name] ?? "");
      if (control.tagName === "SELECT" && ![...control.options].some(({ value }) => value === text)) control.append(h("option", { value: text }, text));
      control.value = text;
      control.removeAttribute("aria-invalid");
      if (control.said) control.said.textContent = text;
    }
    this.depth.value = state.layers.length;
    if (this.widths.children.length !== state.layers.length)
      this.widths.replaceChildren(...state.layers.map((_, layer) => {
        const input = h("input", { type: "number", min: 1, max: MOST_UNITS, step: 1, "aria-label": `units of layer ${layer + 1}`, onchange: () => this.widen(layer, input) });
        return input;
      }));
    [...this.widths.children].forEach((input, layer) => {
      input.value = state.layers[layer];
      input.removeAttribute("aria-invalid");
    });
  }

  /** Show or hide settings by name, since some have a meaning only beside others. */
  reveal(shown) {
    for (const [name, is] of Object.entries(shown)) this.fields[name].closest(".field").hidden = !is;
  }

  /** Offer the reader's own table among the data sets. */
  offer(name, title) {
    const { data } = this.fields;
    const found = [...data.options].find(({ value }) => value === name);
    if (found) found.textContent = title;
    else data.append(h("option", { value: name }, title));
  }
}
