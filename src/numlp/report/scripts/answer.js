// Answer: the network's prediction for a row, as bars of probabilities or as values.

const MOST_BARS = 12;

class Answer {
  constructor(network, target) {
    this.network = network;
    this.target = target;
    this.sentence = h("p", { class: "answer", "aria-live": "polite" });
    this.isValue = network.task === "regression";
    this.bars = barList(this.isValue ? 0 : Math.min(MOST_BARS, network.classes.length), "probabilities");
    this.table = h("dl", { class: "metrics" });
    this.box = h("div", { class: "answers" }, this.sentence, this.isValue ? this.table : this.bars.list);
  }

  /** Show the prediction for a row, and return the winner's name and the output that stands for it. */
  update(x, pass) {
    return this.isValue ? this.showValues(x, pass) : this.showProbabilities(x, pass);
  }

  /** Show that there is no input yet. */
  rest(text) {
    this.sentence.textContent = text;
    this.bars.update(this.network.classes.slice(0, MOST_BARS).map((name) => ({ name, value: 0, text: "–" })));
    this.table.replaceChildren();
  }

  showValues(x, pass) {
    const { network } = this;
    const blocks = network.values(x, pass);
    const names = (k) => (network.targets > 1 ? `target ${k + 1}` : this.target);
    this.sentence.textContent = `${names(0)}: ${shortNumber(blocks[network.point][0])}`;
    const cells = blocks.flatMap((row, b) =>
      row.map((value, k) => [network.blocks.length > 1 ? `${names(k)}, ${network.blocks[b]}` : names(k), value]),
    );
    this.table.replaceChildren(
      ...(cells.length > 1
        ? cells.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, shortNumber(value))))
        : []),
    );
    const output = network.point * network.targets;
    return { name: names(0), output, worth: network.worth(pass, output) };
  }

  showProbabilities(x, pass) {
    const { network } = this;
    const values = network.probabilities(x, pass);
    const several = network.task === "labels" && network.targets > 1;
    const winner = values.indexOf(Math.max(...values));
    const entries = Array.from(values, (value, k) => ({
      name: network.classes[k],
      value,
      text: percent(value, 1),
      winner: several ? value > 0.5 : k === winner,
    }));
    if (entries.length > MOST_BARS) entries.sort((a, b) => b.value - a.value);
    this.bars.update(entries);
    const predicted = several
      ? entries
          .filter((entry) => entry.winner)
          .map((entry) => entry.name)
          .join(", ") || "none"
      : network.classes[winner];
    this.sentence.replaceChildren(
      h("span", { class: "said" }, predicted),
      ` ${several ? "" : percent(values[winner], 1)}`,
    );
    const single = network.task === "labels" && network.targets === 1;
    const sign = single && winner === 0 ? -1 : 1;
    return { name: network.classes[winner], winner, output: single ? 0 : winner, sign };
  }
}
