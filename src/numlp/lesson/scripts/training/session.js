// Session: one training in the worker, and what the page gets to see of it.

const GRID = 50; // points of the large picture, on a side
const MAP = 25; // of the small pictures of units: every second point of the large one
const MOST_SHOWN = 64; // units of a layer that have a picture
const JUDGED_ROWS = 500; // that tell which units are dead
const KEPT_STEPS = 300; // whose losses the page shows

class Session {
  /** @param rows {x, y, columns, classes, target, picture}, from data/ */
  constructor(state, rows) {
    this.state = state;
    this.width = rows.columns.length;
    this.division = divided(rows);
    this.data = dataOf(rows, this.division);
    this.trainer = engine.makeTrainer(recipeOf(state, rows.classes), this.data);
    this.plane = rows.picture ? null : planeOf(rows.x, this.width);
    this.grid = this.plane && gridOf(this.plane, GRID);
    this.judged = this.data.x.subarray(0, JUDGED_ROWS * this.width);
    this.norms = []; // of the gradients, by layer, at the end of each epoch
    this.losses = []; // of the last steps, each with its number
    this.changes = new Set(); // settings that were changed by hand after the first step
  }

  /** What the page has to know before the first frame. */
  get about() {
    return { plane: this.plane, width: this.width, validation: this.division.validation, rows: this.data.y.length };
  }

  get isOver() {
    return this.trainer.ended !== null;
  }

  /** One step, and with the last one of an epoch its validation. */
  step() {
    if (this.isOver) return;
    const { step, loss, ended } = this.trainer.step();
    this.losses.push([step, loss]);
    if (this.losses.length > 2 * KEPT_STEPS) this.losses.splice(0, KEPT_STEPS);
    if (ended && ended !== "diverged") this.norms.push(this.gradientNorms());
  }

  /** Steps up to the end of the epoch. */
  finishEpoch() {
    const { epoch } = this.trainer.at;
    while (this.trainer.at.epoch === epoch && !this.isOver) this.step();
  }

  /** Take other settings from the next step on. */
  change(state) {
    const changed = changedSettings(this.state, state);
    if (!changed.length) return;
    this.trainer.set(recipeOf(state, this.data.classes));
    if (this.trainer.at.step) for (const name of changed) this.changes.add(name);
    this.state = state;
  }

  gradientNorms() {
    return this.trainer.norms().map(({ gradient }) => gradient);
  }

  /** What the page draws; of the history, only what came after epoch `from`. */
  frame(from) {
    const { trainer } = this;
    const { epoch, step } = trainer.at;
    const judged = trainer.responses(this.judged);
    return {
      epoch,
      step,
      from,
      history: trainer.history.slice(from).map((row, i) => ({ ...row, norms: this.norms[from + i] })),
      losses: this.losses.slice(-KEPT_STEPS),
      weights: this.linear().map(({ params, shapes }) => ({ weight: params.weight.slice(), shape: shapes.weight })),
      dead: judged.map((values, layer) => deadUnits(values, this.state.layers[layer])),
      diverged: trainer.ended === "diverged",
      completed: trainer.ended === "completed",
      changes: [...this.changes],
      ...(this.grid && this.pictures()),
    };
  }

  linear() {
    return this.trainer.network.layers.filter(({ kind }) => kind === "linear");
  }

  /** The network's answers on the grid, and a small map of each hidden unit. */
  pictures() {
    const hidden = this.trainer.responses(this.grid);
    const isCurve = this.width === 1;
    const maps = hidden.map((responses, layer) => {
      const units = this.state.layers[layer];
      return Array.from({ length: Math.min(units, MOST_SHOWN) }, (_, unit) => mapOf(responses, units, unit, isCurve));
    });
    return { surface: this.trainer.predict(this.grid), maps };
  }

  /** A file that leaves the page: {name, content}, of the last whole epoch. */
  file(kind) {
    const { trainer } = this;
    if (kind === "data") return engine.dataFile(this.data).bytes;
    const { epochs, schedule } = trainer.recipe;
    if (schedule !== "constant" && trainer.ended !== "completed")
      throw new Error(`The learning rate follows a schedule of ${whole(epochs)} epochs, so numlp can repeat all of them, but no part. Train to the end to save the network, or choose a constant rate.`);
    if (trainer.stepInEpoch || !trainer.at.epoch) this.finishEpoch();
    if (!trainer.at.epoch) throw new Error("The training diverged in its first epoch, so there is nothing to save. Choose a smaller learning rate, and train again.");
    trainer.set({ epochs: trainer.at.epoch });
    try {
      return kind === "recipe" ? engine.recipeFile(trainer) : engine.modelFile(trainer);
    } finally {
      trainer.set({ epochs });
    }
  }
}

/** A unit's responses, (MAP × MAP), or (GRID) along a single input. */
function mapOf(values, units, unit, isCurve) {
  if (isCurve) return Float32Array.from({ length: GRID }, (_, i) => values[i * units + unit]);
  return Float32Array.from({ length: MAP * MAP }, (_, i) => {
    const point = 2 * Math.floor(i / MAP) * GRID + 2 * (i % MAP);
    return values[point * units + unit];
  });
}
