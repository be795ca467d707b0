// Own: a table of the reader's. It is read in this page and goes nowhere.

const MOST_NOTES = 3; // on how cells were read

class Own {
  /** @param take called with a table, and {target, inputs} whenever the reader chose them; @param complain with a text; @param chosen returns what was chosen before */
  constructor(take, complain, chosen) {
    this.take = take;
    this.chosen = chosen;
    this.complain = complain;
    this.file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", id: "own-file", onchange: () => this.file.files.length && this.open(this.file.files[0]) });
    this.target = h("select", { id: "own-target", onchange: () => this.aim() });
    this.first = h("select", { id: "own-first", onchange: () => this.give() });
    this.second = h("select", { id: "own-second", onchange: () => this.give() });
    this.which = h("select", { id: "own-which", onchange: () => this.give() }, h("option", { value: "all" }, "all columns of numbers"), h("option", { value: "two" }, "two columns"), h("option", { value: "one" }, "one column"));
    const field = (control, text) => h("div", { class: "field" }, h("label", { class: "name", for: control.id }, text), control);
    this.fields = h("div", { class: "fields", hidden: true }, field(this.target, "Predict"), field(this.which, "From"), field(this.first, "Across"), field(this.second, "Up"));
    this.drop = h("div", { class: "drop" }, h("label", { for: "own-file" }, "Open a CSV file, or drop one anywhere on this page. "), this.file);
    this.said = h("p", { class: "hint" });
    this.box = h("div", {}, this.drop, this.said, this.fields);
    this.listen();
  }

  listen() {
    const stop = (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      document.body.classList.toggle("dropping", event.type === "dragover");
    };
    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, stop);
    document.addEventListener("drop", (event) => event.dataTransfer.files.length && this.open(event.dataTransfer.files[0]));
  }

  async open(file) {
    try {
      this.show(await tableOfFile(file), this.chosen());
    } catch (error) {
      this.complain(error.message);
    }
    this.file.value = "";
  }

  /** Offer the columns of a table, and begin with a choice of them: {target, inputs}, as the state has them. */
  show(table, { target, inputs }) {
    this.table = table;
    this.target.replaceChildren(...table.columns.map(({ name }) => h("option", { value: name }, name)));
    this.fields.hidden = false;
    const part = table.of > table.rows ? ` of ${whole(table.of)}, evenly chosen` : "";
    const told = [...(table.notes ?? []), ...table.columns.filter(({ note }) => note).map(({ name, note }) => `“${name}” ${note}.`)];
    const more = told.length > MOST_NOTES ? ["And so on."] : [];
    this.said.textContent = [`${table.title}: ${count(table.rows, "row")}${part}, ${count(table.columns.length, "column")}. They stay in this page.`, ...told.slice(0, MOST_NOTES), ...more].join(" ");
    const lost = [target, ...inputs].find((name) => name !== null && !table.columns.some((column) => column.name === name));
    if (lost !== undefined) this.said.textContent += ` It has no column “${lost}”, which was chosen before: choose below.`;
    this.choose(lost === undefined ? { target, inputs } : { target: null, inputs: [] });
    this.give();
  }

  /** Let the fields say what a state chose; without a target, the usual one. */
  choose({ target, inputs }) {
    this.target.value = target ?? this.table.target ?? usualTarget(this.table);
    this.offer();
    this.which.value = ["all", "one", "two"][inputs.length];
    if (inputs.length) this.first.value = inputs[0];
    if (inputs.length > 1) this.second.value = inputs[1];
    this.settle();
  }

  /** Offer the inputs that a target leaves. */
  offer() {
    const inputs = inputsOf(this.table, this.target.value);
    const kept = [this.first.value, this.second.value];
    for (const [i, select] of [this.first, this.second].entries()) {
      select.replaceChildren(...inputs.map(({ name }) => h("option", { value: name }, name)));
      const same = inputs.find(({ name }) => name === kept[i]);
      select.value = (same ?? inputs[Math.min(i, inputs.length - 1)])?.name ?? "";
    }
  }

  settle() {
    this.first.closest(".field").hidden = this.which.value === "all";
    this.second.closest(".field").hidden = this.which.value !== "two";
  }

  aim() {
    this.offer();
    this.give();
  }

  give() {
    this.settle();
    const chosen = { all: [], two: [this.first.value, this.second.value], one: [this.first.value] }[this.which.value];
    this.take(this.table, { target: this.target.value, inputs: [...new Set(chosen)].filter(Boolean) });
  }
}
