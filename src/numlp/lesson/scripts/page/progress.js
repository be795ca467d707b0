// Progress: both losses over the epochs, the loss of each step, the gradients of each layer, and the verdicts.

const MOST_POINTS = 400; // of a curve; longer ones show every k-th epoch and the last
const MOST_EARLIER = 2; // runs whose curves stay for comparison
const REDRAW = 250; // milliseconds between two drawings of the charts

class Progress {
  constructor() {
    this.verdict = h("p", { class: "verdict" });
    this.dead = h("p", { class: "dead-units" });
    this.charts = h("div", { class: "columns curves" });
    this.box = h("div", {}, this.verdict, this.dead, this.charts);
    this.history = [];
    this.earlier = [];
  }

  /** Begin anew with these layers' names; the curve of the run before stays under a name, unless that is empty. */
  begin(layers, before) {
    if (before && this.history.length > 1) {
      this.earlier.unshift({ name: before, values: this.history.map((row) => row.validation_loss) });
      this.earlier = this.earlier.slice(0, MOST_EARLIER);
    } else if (!before) this.earlier = [];
    this.history = [];
    const line = (name, place) => ({ name, place, values: [] });
    const earlier = this.earlier.map(({ name }, i) => line(`before: ${name}`, 3 + i));
    this.parts = [
      this.part("Loss", "epoch", [line("training", 8), line("validation", 1), ...earlier], "How wrong the network is on the rows that train it, and on those that only check it."),
      this.part("Loss of each step", "step", [line("loss", 5)], "What the optimizer sees: each step looks at a few rows only, so this loss jumps."),
      this.part("Gradients", "epoch", layers.map((name, i) => line(name, i + 2)), "How steeply the loss changes with the weights of each layer: the norm of their gradient."),
    ];
    this.charts.replaceChildren(...this.parts.map(({ box }) => box));
    this.drawn = 0;
    this.update({ history: [], losses: [], dead: [] }, []);
  }

  part(title, unit, series, note) {
    const panel = { title, series, log: true, best: null };
    const chart = lineChart(panel, [], { height: 220, unit });
    const names = h("div", {});
    const box = h("figure", { class: "panel" }, h("h3", {}, title), names, chart.box, h("figcaption", {}, note));
    return { panel, chart, names, box };
  }

  /** Take a frame; while the training runs, charts are drawn a few times a second only. */
  update(frame, widths) {
    this.history.push(...frame.history);
    const time = performance.now();
    if (frame.running && time - this.drawn < REDRAW) return;
    this.drawn = time;
    this.draw(frame.losses);
    this.judge(frame.dead, widths);
  }

  draw(losses) {
    const n = this.history.length;
    const every = Math.ceil(n / MOST_POINTS) || 1;
    const validated = this.history.map((row) => finiteOrNull(row.validation_loss) ?? Infinity);
    const best = n > 1 ? validated.indexOf(minOf(validated)) : -1;
    const kept = validated.map((_, i) => i).filter((i) => i % every === 0 || i === n - 1 || i === best);
    const epochs = kept.map((i) => i + 1);
    const column = (pick) => kept.map((i) => finiteOrNull(pick(this.history[i])));
    const [loss, steps, gradients] = this.parts.map(({ panel }) => panel);
    const [training, validation, ...earlier] = loss.series;
    training.values = column((row) => row.train_loss);
    validation.values = column((row) => row.validation_loss);
    earlier.forEach((line, i) => (line.values = kept.map((k) => finiteOrNull(this.earlier[i].values[k]))));
    loss.best = best < 0 ? null : kept.indexOf(best);
    steps.series[0].values = losses.map(([, value]) => finiteOrNull(value));
    gradients.series.forEach((line, layer) => (line.values = column((row) => row.norms[layer])));
    const places = [epochs, losses.map(([number]) => number), epochs];
    this.parts.forEach(({ panel, chart, names }, i) => {
      const values = panel.series.flatMap((line) => line.values);
      chart.update(places[i], wide(panel) && values.every((value) => value === null || value > 0));
      if (panel.series.length > 1) names.replaceChildren(legend(panel, places[i]));
    });
  }

  judge(dead, widths) {
    const begun = this.history.length > 0;
    const column = (name) => this.history.map((row) => row[name]);
    const { kind, text } = overfitting(column("train_loss"), column("validation_loss"));
    write(this.verdict, begun ? text : "Whether the network overfits shows after a few epochs.");
    this.verdict.className = `verdict ${begun ? kind.replaceAll(" ", "-") : ""}`;
    write(this.dead, begun && widths.length ? deadText(dead, widths) : "");
  }
}

const finiteOrNull = (value) => (Number.isFinite(value) ? value : null);

/** Change an element's text only if it differs, so that nothing is read out twice. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
