// Terms: a sum with its largest terms one by one, and the rest as one.

const MOST_TERMS = 8;
const DIGITS_SHOWN = 7; // as many as float32 has

const exactText = (value) => shortNumber(value, DIGITS_SHOWN);

/** The indices of the terms that are largest in magnitude, and the sum of all others. */
function largestTerms(terms) {
  const order = Array.from(terms, (_, i) => i).sort((i, k) => Math.abs(terms[k]) - Math.abs(terms[i]) || i - k);
  const shown = order.slice(0, MOST_TERMS);
  const rest = order.slice(MOST_TERMS).reduce((sum, i) => sum + terms[i], 0);
  return { shown, others: order.length - shown.length, rest };
}

/**
 * A table with a line for each part of a sum.
 *
 * @param heads the columns' names
 * @param lines lists of texts or elements
 */
function sumTable(title, heads, lines) {
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)));
  const rows = lines.map(([name, ...cells]) =>
    h("tr", { class: name === "=" ? "total" : "" }, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", {}, cell))),
  );
  const table = h("table", { class: "figures terms" }, h("thead", {}, head), h("tbody", {}, ...rows));
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title }, table);
}

/** A number that a reader can change. */
function numberField(label, value, change) {
  const input = h("input", { type: "number", step: "any", value: Number(Math.fround(value).toPrecision(8)), "aria-label": label });
  input.addEventListener("change", () => {
    const wanted = input.valueAsNumber;
    input.setAttribute("aria-invalid", String(!Number.isFinite(wanted)));
    if (Number.isFinite(wanted)) change(wanted);
  });
  return input;
}
