// By hand: the section of one step, from the row to the update.

class StepView {
  constructor(step, data) {
    Object.assign(this, { step, data, row: 0, compares: false, spaces: step.spaces });
    this.inputs = step.network.encoding ? inputNames(step.network.encoding) : data.columns.map(({ name }) => name);
    this.cells = step.model.layers.find(({ kind }) => kind === "oriented_gradients")?.grid ?? null; // of an image's features
    this.shape = !this.cells && data.shape?.channels === 1 ? data.shape : null;
    this.chosen = this.spaces.map(() => 0);
    this.picked = false;
    this.linear = step.model.layers.flatMap(({ kind }, stage) => (kind === "linear" ? [stage] : [])).map((stage, i) => ({ stage, space: i + 1 }));
    this.summary = h("div", { "aria-live": "polite" });
    this.said = h("p", { class: "answer", "aria-live": "polite" });
    this.stages = h("div", { class: "stages" });
    this.box = h("div", {}, this.controls(), this.said, this.summary, this.stages);
    this.build();
  }

  controls() {
    const { step } = this;
    const { examples } = step;
    const options = examples.rows.map((row, i) => h("option", { value: i }, `${row}: ${examples.truthOf(i)}${examples.isMistake(i) ? " (mistake)" : ""}`));
    this.list = h("select", { onchange: () => this.begin() }, ...options);
    this.count = h("select", { onchange: () => this.begin() }, ...[1, 3].filter((n) => n <= examples.count).map((n) => h("option", { value: n, selected: n === step.size }, n === 1 ? "alone" : "and the two after it")));
    this.rate = h("span", {});
    this.list.value = step.first;
    const compare = h("input", { type: "checkbox", onchange: () => ((this.compares = compare.checked), this.update()) });
    const button = (text, act) => h("button", { type: "button", onclick: act }, text);
    this.which = h("select", { onchange: () => ((this.row = Number(this.which.value)), this.update()) });
    this.whichLabel = h("label", {}, "shown: ", this.which);
    return h(
      "div",
      { class: "controls" },
      h("label", {}, `${examples.part} row `, this.list),
      h("label", {}, this.count),
      this.whichLabel,
      h("label", {}, "learning rate ", this.rate),
      button("Take the step", () => (step.take(), this.update())),
      button("Begin again", () => this.begin()),
      h("label", { class: "switch" }, compare, "what moved?"),
    );
  }

  /** Begin with the chosen rows, and the network as it was trained. */
  begin() {
    this.step.choose(Number(this.list.value), Number(this.count.value));
    this.row = 0;
    this.picked = false;
    this.build();
  }

  /** Make the stages anew, as their number of rows may have changed. */
  build() {
    const { step } = this;
    const stages = step.now.stages;
    const { length } = this.linear;
    const first = this.linear[0].stage;
    const rate = h("input", { type: "number", min: 0, step: "any", value: step.rate, "aria-label": "learning rate" });
    rate.addEventListener("input", () => {
      if (!(rate.valueAsNumber >= 0)) return;
      step.rate = rate.valueAsNumber;
      this.follow();
    });
    this.rate.replaceChildren(rate);
    this.which.replaceChildren(...step.numbers.map((i, k) => h("option", { value: k }, `row ${k + 1} of ${step.size}: ${step.examples.truthOf(i)}`)));
    this.whichLabel.hidden = step.size === 1;
    let space = 0;
    const [forward, back] = [[inputStage(this, first, this.spaces[0], this.cells ? { width: this.cells.across } : this.shape)], []];
    stages.forEach(({ kind }, i) => {
      if (i < first) return;
      if (kind === "linear") space++;
      const last = space === length;
      if (kind === "linear") {
        forward.push(linearStage(this, i, space));
        back.unshift(linearBackStage(this, i, space, last));
      } else if (kind === "activate") forward.push(activateStage(this, i, space));
      else forward.push(normStage(this, i, space));
      if (kind !== "linear") back.unshift(backStage(this, i, space));
    });
    this.parts = [...forward, lossStage(this), ...back, updateStage(this)];
    this.stages.replaceChildren(...this.parts.map(({ box }) => box));
    this.update();
  }

  /** Choose units that say something: those with the largest values, until a reader chooses. */
  pickFirst() {
    if (this.picked) return;
    const { stages } = this.step.now;
    this.chosen = this.spaces.map((width, space) => {
      const at = space ? this.linear[space - 1].stage : this.linear[0].stage;
      const values = rowOf(space ? stages[at].output : stages[at].input, this.row, width);
      return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
    });
    this.picked = true;
  }

  pick(space, i) {
    this.chosen[space] = i;
    this.update();
  }

  /** Compute anew after a change. */
  follow() {
    this.step.follow();
    this.update();
  }

  update() {
    this.pickFirst();
    for (const { update } of this.parts) update();
    const { now, size, taken } = this.step;
    const steps = taken ? `After ${count(taken, "step")}: the` : "The";
    this.said.textContent = `${steps} loss is ${exactText(now.loss)}, and one step more makes it ${exactText(now.lossAfter)}.`;
    this.summary.replaceChildren(...(this.compares ? [this.moved()] : []));
  }

  /** What has changed since the beginning: the largest change of each stage, and the loss. */
  moved() {
    const { now, before } = this.step;
    const change = (values, earlier) => values.reduce((most, value, i) => Math.max(most, Math.abs(value - earlier[i])), 0);
    let space = 0;
    const lines = now.stages.slice(this.linear[0].stage).map((stage, i) => {
      const { output, delta } = before.stages[i + this.linear[0].stage];
      if (stage.kind === "linear") space++;
      return [stageTitle(this, stage, space), exactText(change(stage.output, output)), exactText(change(stage.delta, delta))];
    });
    lines.push(["all weights", exactText(change(now.params, before.params)), exactText(change(now.grads, before.grads))], ["loss", `${exactText(before.loss)} → ${exactText(now.loss)}`, ""]);
    return sumTable("What moved since the beginning", ["largest change", "of values", "of gradients"], lines);
  }

  /** The name of a unit: an input, a hidden unit, or an output. */
  nameOf(space, i) {
    if (space === 0) {
      if (this.cells) return this.nameOfCell(i);
      if (this.shape) return `pixel ${Math.floor(i / this.shape.width) + 1}, ${(i % this.shape.width) + 1}`;
      return this.inputs[i] ?? `input ${i + 1}`;
    }
    const { classes, blocks } = this.step.network;
    if (space < this.spaces.length - 1) return `unit ${i + 1}`;
    return classes[i] ?? (blocks.length > 1 ? blocks[Math.floor((i * blocks.length) / this.spaces[space])] : this.data.target);
  }

  /** The direction of a feature of an image, and where its cell lies. */
  nameOfCell(i) {
    const { down, across } = this.cells;
    const [direction, cell] = [Math.floor(i / (down * across)), i % (down * across)];
    const degrees = (360 * direction * down * across) / this.spaces[0];
    return `${shortNumber(degrees, 3)}° in cell ${Math.floor(cell / across) + 1}, ${(cell % across) + 1}`;
  }

  /** A layer's part of a flat array, by the names of its parameters. */
  cut(flat, stage) {
    const own = this.step.model.layers[stage].params;
    return Object.fromEntries(Object.entries(own).map(([name, view]) => [name, flat.subarray(view.byteOffset / 4, view.byteOffset / 4 + view.length)]));
  }

  paramsOf(stage) {
    return this.step.model.layers[stage].params;
  }

  setWeight(stage, at, value) {
    this.paramsOf(stage).weight[at] = value;
    this.follow();
  }

  /** What changes the chosen input: of a picture and of rows of numbers this input, of a table its columns. */
  inputEditor(i) {
    const { step } = this;
    const row = step.rows[this.row];
    if (this.cells) return null; // many pixels make a feature
    if (!step.network.encoding) {
      const change = (value) => ((row[i] = value), this.follow());
      return h("p", { class: "controls" }, h("label", {}, `${this.nameOf(0, i)} in the data's units: `, numberField(this.nameOf(0, i), row[i], change)));
    }
    const column = this.column ?? 0;
    const names = this.data.columns.map(({ name }, k) => h("option", { value: k, selected: k === column }, name));
    const choice = h("select", { onchange: () => ((this.column = Number(choice.value)), this.update()) }, ...names);
    const levels = step.network.encoding.columns[column].levels?.filter((level) => level !== null) ?? [];
    const edit = () => {
      const value = control.read();
      if (value === undefined) return;
      row[column] = value;
      step.follow();
      for (const { update } of this.parts.slice(1)) update();
      this.said.textContent = `The loss is ${exactText(step.now.loss)}, and one step more makes it ${exactText(step.now.lossAfter)}.`;
    };
    const control = controlOf(this.data.columns[column], levels, edit);
    control.write(row[column]);
    return h("p", { class: "controls" }, h("label", {}, "column ", choice), h("label", {}, "value ", control.element));
  }
}

function mountStep(mount, data, network, examples) {
  const view = new StepView(new Step(data, network, examples), data);
  mount.append(view.box);
  return view;
}
