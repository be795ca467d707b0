// Cells: the values of a table's columns as text; see report/columns.py.

const OTHER = Symbol("a level that training has not seen");
const LAST_DATE = 8.64e18; // in microseconds: later ones are no dates for browsers

function cellText(column, value) {
  if (value === null || value === undefined) return "missing";
  if (value === OTHER) return "other";
  if (column.kind === "text") return value === "" ? "(empty text)" : value;
  if (column.kind === "date") return dateText(value, column.time);
  if (column.truth) return value ? "yes" : "no";
  return numberText(column, value);
}

/** A number with as many digits behind the point as the column has, and separators unless it is a year. */
function numberText({ digits, years }, value) {
  if (digits === null || Math.abs(value) >= 1e15) return shortNumber(value);
  const style = { minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 6), useGrouping: !years };
  return value.toLocaleString("en", style).replace("-", MINUS);
}

/** Microseconds since 1970 as 2026-01-31, or with the time as 2026-01-31 14:05, and seconds if there are any. */
function dateText(value, hasTime) {
  if (Math.abs(value) > LAST_DATE) return "–";
  const [day, time] = new Date(value / 1000).toISOString().split("T");
  if (!hasTime) return day;
  return `${day} ${time.startsWith("00", 6) ? time.slice(0, 5) : time.slice(0, 8)}`;
}

/** What a column holds, in words. */
function kindText(column) {
  if (column.kind === "date") return column.time ? "date and time" : "date";
  const rare = column.rare ? ` and ${whole(column.rare)} rare` : "";
  if (column.kind === "text") return `category of ${count(column.levels, "level")}${rare}`;
  return column.switch ? "yes or no" : "number";
}

/** The values of a column in training, in words. */
function rangeText(column) {
  const { kind, low, high, typical } = column;
  const text = (value) => cellText(column, value);
  if (kind === "text") {
    if (typical === null) return "no value";
    return `most often ${text(typical)} (${column.share < 0.005 ? "< 1\u00a0%" : percent(column.share, 0)})`;
  }
  if (low === null) return "no value";
  if (low === high) return `always ${text(low)}`;
  if (column.switch) return `mostly ${column.truth ? text(typical) : `${typical ? "yes" : "no"} (${typical})`}`;
  if (kind === "date") return `${dateText(low)} to ${dateText(high)}`;
  return `${text(low)} to ${text(high)}`;
}

function missingText({ missing }) {
  if (!missing) return "–";
  return missing < 0.001 ? "< 0.1\u00a0%" : percent(missing, 1);
}

/** The table of a data set's columns, the most important first. */
function mountColumns(mount, { columns, order }) {
  const head = ["column", "what it holds", "in training", "missing", "the network gets"];
  const body = order.map((i) => {
    const column = columns[i];
    const texts = [kindText(column), rangeText(column), missingText(column), column.taken];
    const cells = texts.map((text, k) => h("td", { class: text === "–" ? "none" : column.kind, "data-label": k > 1 && head[k + 1] }, text));
    return h("tr", {}, h("th", { scope: "row", title: column.name }, column.name), ...cells);
  });
  const headings = head.map((text) => h("th", { scope: "col" }, text));
  const table = h("table", { class: "figures held" }, h("thead", {}, h("tr", {}, ...headings)), h("tbody", {}, ...body));
  mount.append(h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Columns" }, table));
}

/** Rows of a table, with what was predicted; a row's button shows why. */
function rowTable(examples, chosen, explain) {
  const { header: columns, order } = examples;
  const shown = order.slice(0, MOST_COLUMNS);
  const valued = !examples.hasGuesses;
  const judged = valued ? ["predicted", "true", "true − predicted"] : ["predicted", "sure", "true"];
  const names = ["row", ...judged, ...shown.map((i) => columns[i].name)];
  const said = valued ? "number" : "text";
  const kinds = ["", said, "number", said, ...shown.map((i) => columns[i].kind)];
  const body = chosen.map((i) => {
    const button = h(
      "button",
      { type: "button", onclick: () => explain(i), "aria-label": `show why, ${examples.titleOf(i)}` },
      whole(examples.rows[i]),
    );
    const verdict = valued ? differences(examples, i) : surety(examples, i);
    const values = shown.map((k) => cellText(columns[k], examples.data[i][k]));
    const cells = [...verdict, ...values].map((text, k) => h("td", { class: kinds[k + 1], title: text }, text));
    return h("tr", {}, h("th", { scope: "row" }, button), ...cells);
  });
  const headings = names.map((name, k) => h("th", { scope: "col", title: name, class: kinds[k] }, name));
  const head = h("tr", {}, ...headings);
  const table = h("table", { class: "figures rows" }, h("thead", {}, head), h("tbody", {}, ...body));
  const left = columns.length - shown.length;
  const note = left ? [h("p", { class: "hint" }, `${count(left, "further column")} in “Try it”.`)] : [];
  return h(
    "div",
    {},
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Rows" }, table),
    ...note,
  );
}

const MOST_COLUMNS = 12; // beside the predictions

function surety(examples, i) {
  const [[guess, probability]] = examples.likeliest[i];
  return [examples.classes[guess], percent(probability, 1), examples.truthOf(i)];
}

function differences(examples, i) {
  const [truth, predicted] = [examples.truth[i][0], examples.predicted[i][0]];
  return [predicted, truth, truth - predicted].map((value) => shortNumber(value));
}

/** The rows whose values were predicted worst. */
function mountFurthest(mount, examples, explain) {
  const miss = (i) => Math.abs(examples.truth[i][0] - examples.predicted[i][0]);
  const chosen = examples.rows.map((_, i) => i).sort((a, b) => miss(b) - miss(a));
  mount.append(rowTable(examples, chosen.slice(0, MOST_CARDS), explain));
}
