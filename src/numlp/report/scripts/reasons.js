// Reasons: the answer for a row of a table, and how much each column's value changes it.

const PATIENCE = 120; // ms after the last change before the reasons are computed: they take a prediction per column

class Reasons {
  constructor(network, data) {
    Object.assign(this, { network, columns: data.columns });
    this.answer = new Answer(network, data.target);
    this.list = signedBarList(Math.min(MOST_FEATURES, this.columns.length), "reasons");
    this.why = h("figcaption", {});
    this.box = h(
      "div",
      { class: "reasons" },
      this.answer.box,
      h("figure", {}, h("h3", {}, "Because of"), this.list.list, this.why),
    );
  }

  /** Show the answer at once, and the reasons as soon as nothing changes any more. */
  update(row) {
    const shown = this.answer.update(row, this.network.forward(row));
    clearTimeout(this.waiting);
    const values = [...row];
    this.waiting = setTimeout(() => this.explain(values, shown), PATIENCE);
  }

  /** The value that is explained: the first target's, in its units, or the probability of a class in points. */
  valueOf(row, { winner }) {
    const { network } = this;
    if (network.task === "regression") return network.values(row)[network.point][0];
    return 100 * network.probabilities(row)[winner];
  }

  explain(row, shown) {
    const value = this.valueOf(row, shown);
    const entries = this.columns.map((column, i) => {
      const plain = row.map((cell, k) => (k === i ? column.typical : cell));
      const change = row[i] === column.typical ? 0 : value - this.valueOf(plain, shown);
      const text = `${change > 0 ? "+" : ""}${shortNumber(change, 3)}`;
      return { name: `${column.name}: ${cellText(column, row[i])}`, value: change, text };
    });
    this.list.update(entries.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, MOST_FEATURES));
    const [what, unit] =
      this.network.task === "regression"
        ? [`“${shown.name}”`, "in its own units"]
        : [`the probability of “${shown.name}”`, "in percentage points"];
    this.why.textContent = `how much ${what} is higher or lower, ${unit}, than if this column alone were typical: the median of its numbers or dates in training, or the most frequent level`;
  }
}
