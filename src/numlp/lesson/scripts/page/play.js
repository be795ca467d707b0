// Play: the buttons that run the training, and what it has come to.

class Play {
  /** @param act functions by name: start, pause, step, epoch, back, pace */
  constructor(act) {
    this.act = act;
    const button = (name, text, title) => h("button", { type: "button", class: name, title, onclick: () => act[name]() }, text);
    this.start = h("button", { type: "button", class: "start", onclick: () => (this.running ? act.pause() : act.start()) });
    this.pace = h(
      "select",
      { "aria-label": "pace", onchange: () => act.pace(this.pace.value) },
      h("option", { value: "slow" }, "4 steps a second"),
      h("option", { value: "steady" }, "60 steps a second"),
      h("option", { value: "fast", selected: true }, "as fast as it goes"),
    );
    this.readout = h("dl", { class: "readout" });
    const cells = ["epoch", "step", "training loss", "validation loss", "accuracy", "steps a second"];
    this.cells = Object.fromEntries(cells.map((name) => [name, { name: h("dt", {}, name), value: h("dd", {}, "–") }]));
    this.readout.append(...Object.values(this.cells).map(({ name, value }) => h("div", {}, name, value)));
    this.said = h("p", { class: "said-status", role: "status", "aria-live": "polite" });
    const buttons = h(
      "div",
      { class: "controls", role: "group", "aria-label": "Training" },
      this.start,
      button("step", "One step", "key S"),
      button("epoch", "One epoch", "key E"),
      button("back", "Back to the beginning", "key B"),
      this.pace,
    );
    this.box = h("div", { class: "play" }, buttons, this.readout, this.said);
    this.setRunning(false);
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** Keys work wherever the focus isn't on something that takes them itself. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, button, summary, a, [tabindex]")) return;
    const wanted = { " ": () => (this.running ? this.act.pause() : this.act.start()), s: this.act.step, e: this.act.epoch, b: this.act.back }[event.key.toLowerCase()];
    if (!wanted) return;
    event.preventDefault();
    wanted();
  }

  setRunning(running) {
    this.running = running;
    this.start.textContent = running ? "Pause" : "Start";
    this.start.title = "space bar";
  }

  update({ epoch, step, speed, running }, last, isValue) {
    const set = (name, text) => (this.cells[name].value.textContent = text);
    set("epoch", whole(epoch));
    set("step", whole(step));
    set("training loss", last ? shortNumber(last.train_loss, 3) : "–");
    set("validation loss", last ? shortNumber(last.validation_loss, 3) : "–");
    this.cells.accuracy.name.textContent = isValue ? "validation R²" : "validation accuracy";
    set("accuracy", last ? (isValue ? shortNumber(last.validation_r2, 3) : percent(last.validation_accuracy, 1)) : "–");
    set("steps a second", running && speed ? whole(Math.round(speed)) : "–");
  }

  say(text) {
    this.said.textContent = text;
  }
}
