// Fields: one for every column of a table, with a live prediction.

const MOST_FIELDS = 24; // at once; a search finds the others

class Fields {
  constructor(network, data, examples) {
    Object.assign(this, { network, examples, columns: data.columns, order: data.order });
    this.explanation = network.encoding ? new Reasons(network, data) : new Explanation(network, data);
    this.row = this.columns.map(({ typical }) => typical);
    this.made = new Map(); // a field is made when it is first shown
    this.most = MOST_FIELDS;
    this.choice = examples ? exampleChoice(examples, (i) => this.load(examples.data[i])) : null;
    this.form = h("form", { class: "fields", onsubmit: (event) => event.preventDefault() });
    this.search = h("input", { type: "search", placeholder: "Find a column", oninput: () => this.show() });
    this.search.setAttribute("aria-label", "Find a column");
    this.more = h("button", { type: "button", onclick: () => this.show(Infinity) });
    const many = this.columns.length > MOST_FIELDS;
    this.box = h(
      "div",
      { class: network.encoding ? "drawing columnar" : "drawing" },
      h("div", {}, this.choice?.controls ?? null, many ? this.search : null, this.form, many ? this.more : null),
      this.explanation.box,
    );
    this.show();
    if (this.choice) this.choice.pick(0);
    else this.update();
  }

  /** Show the fields of the columns whose names hold what is searched, the most important first. */
  show(most = this.most) {
    this.most = most;
    const wanted = this.search.value.toLowerCase();
    const found = this.order.filter((i) => this.columns[i].name.toLowerCase().includes(wanted));
    const shown = found.slice(0, most);
    this.form.replaceChildren(...shown.map((i) => this.field(i).label));
    this.more.textContent = `Show all ${count(found.length, "column")}`;
    this.more.hidden = found.length <= shown.length;
  }

  field(i) {
    if (!this.made.has(i)) {
      const column = this.columns[i];
      const levels = this.network.encoding?.columns[i].levels?.filter((level) => level !== null) ?? [];
      const sorted = [...levels].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      const control = controlOf(column, sorted, () => this.edit(i));
      const hint = h("span", { class: "hint" });
      const label = h("label", { class: "field" }, h("span", { class: "name" }, column.name), control.element, hint);
      this.made.set(i, { control, input: control.input ?? control.element, hint, label });
      control.write(this.row[i]);
      this.remark(i);
    }
    return this.made.get(i);
  }

  /** What a reader enters is no row of the data any more. It changes the row, unless it is no value. */
  edit(i) {
    this.choice?.leave();
    const { control, input } = this.made.get(i);
    const value = control.read();
    input.setAttribute("aria-invalid", String(value === undefined));
    if (value === undefined) return;
    this.row[i] = value;
    this.remark(i);
    this.explanation.update(this.row);
  }

  load(values) {
    this.row = Array.from(values);
    for (const [i, { control, input }] of this.made) {
      control.write(this.row[i]);
      input.setAttribute("aria-invalid", "false");
      this.remark(i);
    }
    this.explanation.update(this.row);
  }

  /** Say what the column held in training, or how this value differs. */
  remark(i) {
    const { hint } = this.made.get(i);
    const odd = this.oddness(i);
    hint.textContent = odd || `${rangeText(this.columns[i])}${this.network.encoding ? "" : " in the data"}`;
    hint.classList.toggle("odd", Boolean(odd));
  }

  /** How a value differs from all of training; an empty text if it doesn't. */
  oddness(i) {
    const [column, value] = [this.columns[i], this.row[i]];
    if (!this.network.encoding) return "";
    if (value === null) return column.missing ? "" : "never missing in training";
    if (column.kind === "text") {
      return this.network.encoding.columns[i].places.has(value) ? "" : "not a level of training, or a rare one";
    }
    const outside = column.low !== null && (value < column.low || value > column.high);
    return outside ? `training had ${rangeText(column)}` : "";
  }

  /** Load a row of the data, and lead to it. */
  explain(i) {
    this.choice.pick(i);
    leadTo(this.box.closest("section"), this.choice.controls);
  }
}
