// Survey: which columns a network needs, what it makes of them, and where it is worst; see report/survey.py.

const MOST_NEEDED = 15; // columns
const MOST_LEVELS = 10; // in a panel

/** An error as text: of values in their units, else the percentage of wrong rows. */
function errorText(value, isValue) {
  return isValue ? shortNumber(value) : percent(value, 1);
}

/** The rise of an error as text: of values in their units, else in percentage points. */
function riseText(value, isValue) {
  const text = isValue ? shortNumber(value) : value === null ? "–" : (100 * value).toFixed(1).replace("-", MINUS);
  return value > 0 ? `+${text}` : text;
}

/** An estimate's interval on an axis that `x` maps to a picture 200 wide, with a line at `origin` if there is one. */
function intervalPicture([value, low, high], x, origin, label) {
  const ends = [low ?? value, high ?? value];
  return svg(
    "svg",
    { class: "interval", viewBox: "0 0 200 16", role: "img", "aria-label": label },
    svg("line", { class: "grid", x1: 4, x2: 196, y1: 8, y2: 8 }),
    ...(origin === null ? [] : [svg("line", { class: "cursor", x1: x(origin), x2: x(origin), y1: 0, y2: 16 })]),
    svg("line", { class: "whisker", x1: x(ends[0]), x2: x(ends[1]), y1: 8, y2: 8 }),
    svg("circle", { class: "dot series-1", cx: x(value), cy: 8, r: 4.5 }),
  );
}

/** A table of names, a cell, and an estimate with its interval for each. */
function estimateTable(heads, rows, { origin, show }, title) {
  const all = rows.flatMap(({ estimate }) => estimate).filter((end) => end !== null);
  const x = scale(Math.min(origin, ...all), Math.max(origin, ...all), 4, 196);
  const body = rows.map(({ name, cells, estimate }) => {
    const [value, low, high] = estimate.map(show);
    const label = `95 % interval ${low} to ${high}`;
    const drawn = intervalPicture(estimate, x, origin, label);
    tooltip.attach(drawn, () => [name, value, label]);
    return h(
      "tr",
      {},
      h("th", { scope: "row", title: name }, name),
      ...cells.map((text) => h("td", { class: "text", title: text }, text)),
      h("td", {}, value),
      h("td", { class: "wide" }, drawn),
    );
  });
  const head = h("tr", {}, ...[...heads, "95\u00a0% interval"].map((text) => h("th", { scope: "col" }, text)));
  const table = h("table", { class: "figures estimates" }, h("thead", {}, head), h("tbody", {}, ...body));
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title }, table);
}

function mountNeeds(mount, { columns, survey }, isValue) {
  const rows = survey.importance.slice(0, MOST_NEEDED).map(({ columns: indices, rise }) => ({
    name: indices.map((i) => columns[i].name).join(" + "),
    cells: [],
    estimate: rise,
  }));
  const style = { origin: 0, show: (rise) => riseText(rise, isValue) };
  mount.append(estimateTable(["column", "error rises by"], rows, style, "Importances"));
  const left = survey.importance.length - rows.length;
  if (left) mount.append(h("p", { class: "hint" }, `${count(left, "further column")} raise it less.`));
}

function mountSlices(mount, { columns, survey }, isValue) {
  if (!survey.slices.length) {
    const said = `None of the ${whole(survey.examined)} parts that were looked at is worse than all rows by more than chance.`;
    mount.append(h("p", {}, said));
    return;
  }
  const rows = survey.slices.map(({ column, condition, rows: total, error }) => ({
    name: `${columns[column].name} ${conditionText(columns[column], condition)}`,
    cells: [whole(total)],
    estimate: error,
  }));
  const style = { origin: survey.overall, show: (error) => errorText(error, isValue) };
  mount.append(estimateTable(["rows where", "how many", "error"], rows, style, "Where it is worst"));
}

/** A condition such as "from 1000 to below 2500", with the numbers as the column writes them. */
function conditionText(column, condition) {
  if (column.kind !== "number") return condition;
  return condition.replace(/-?\d[\d.e+-]*/g, (number) => numberText(column, Number(number)));
}

/** How the mean prediction changes with each of the most important columns: a panel for each, on one scale. */
function mountDependence(mount, { columns, survey, target }, isValue) {
  const panels = h("div", { class: "dependences" });
  const show = (output) => {
    const ends = survey.dependence.flatMap(({ low, high, mean }) => [...low[output], ...high[output], ...mean[output]]);
    const most = isValue ? [-Infinity, Infinity] : [0, 1]; // bands are moved, and so may leave probabilities' range
    const range = [Math.max(most[0], Math.min(...ends)), Math.min(most[1], Math.max(...ends))];
    panels.replaceChildren(
      ...survey.dependence.map((part) => dependencePanel(columns[part.column], part, output, range, isValue)),
    );
  };
  const two = !isValue && survey.outputs.length === 2;
  const first = two ? 1 : steepest(survey.dependence[0].mean);
  mount.append(outputChoice(survey.outputs, first, show, isValue, target), panels);
  show(first);
}

/** A list of outputs, unless there is one only. */
function outputChoice(outputs, first, show, isValue, target) {
  if (outputs.length < 2) return "";
  const options = outputs.map((name, k) => h("option", { value: k, selected: k === first }, name));
  const list = h("select", { onchange: () => show(Number(list.value)) }, ...options);
  return h("div", { class: "controls" }, h("label", {}, isValue ? target : "probability of", list));
}

/** The output whose curve spans most. */
function steepest(curves) {
  const swings = curves.map((curve) => Math.max(...curve) - Math.min(...curve));
  return swings.indexOf(Math.max(...swings));
}

function dependencePanel(column, part, output, range, isValue) {
  const within = (curve) => (isValue ? curve : curve.map((value) => Math.min(1, Math.max(0, value))));
  const curves = { mean: part.mean[output], low: within(part.low[output]), high: within(part.high[output]) };
  const show = (value, digits = 1) => (isValue ? shortNumber(value) : percent(value, digits));
  const lines = (i) => [
    cellText(column, part.values[i]),
    `mean ${show(curves.mean[i])}`,
    `four of five rows: ${show(curves.low[i])} to ${show(curves.high[i])}`,
    `${percent(part.shares[i], 1)} of the rows`,
  ];
  const draw = column.kind === "text" || column.switch || part.values.length < 3 ? levelDrawing : lineDrawing;
  return h(
    "figure",
    { class: "panel" },
    h("h3", { title: column.name }, column.name),
    draw(column, part.values, curves, range, show, lines),
  );
}

/** A row for each of the most frequent levels, with its mean prediction and the band of the rows. */
function levelDrawing(column, values, { mean, low, high }, range, show, lines) {
  const x = scale(...range, 4, 196);
  const rows = values.map((value, i) => {
    const drawn = intervalPicture([mean[i], low[i], high[i]], x, null, lines(i).join(", "));
    tooltip.attach(drawn, () => lines(i));
    const name = h("span", { class: "name", title: axisText(column, value) }, axisText(column, value));
    return h("li", {}, name, drawn, h("span", { class: "value" }, show(mean[i])));
  });
  const shown = rows.filter((_, i) => i < MOST_LEVELS || values[i] === null);
  return h("ol", { class: "bars levels" }, ...shown);
}

/** A curve with its band over numbers or dates; the prediction for a gap stands to the right. */
function lineDrawing(column, values, { mean, low, high }, range, show, lines) {
  const [width, height] = [320, 190];
  const gap = values.indexOf(null);
  const known = gap < 0 ? values : values.slice(0, gap);
  const ticks = linearTicks(...range, 4);
  const mark = (tick) => show(tick, 0);
  const left = 14 + 7 * Math.max(...ticks.map((tick) => mark(tick).length));
  const right = width - (gap < 0 ? 10 : 62);
  const floor = height - 26;
  const [x, y] = [scale(known[0], known.at(-1), left, right), scale(...range, floor, 10)];
  const path = (curve) => known.map((value, i) => `${x(value)},${y(curve[i])}`);
  const band = `M${path(high).join("L")}L${path(low).reverse().join("L")}Z`;
  const said = `mean prediction by ${column.name}: ${[0, known.length - 1].map((i) => lines(i).slice(0, 2).join(", ")).join("; ")}`;
  const text = (name, attributes) => svg("text", { class: "tick", ...attributes }, name);
  const dots = values.map((value, i) => {
    const cx = value === null ? (right + width) / 2 + 4 : x(value);
    const dot = svg("circle", { class: "dot series-1", cx, cy: y(mean[i]), r: 3.5 });
    const whisker = { class: "whisker", x1: cx, x2: cx, y1: y(low[i]), y2: y(high[i]) };
    const target = svg("circle", { class: "target", cx, cy: y(mean[i]), r: 12 });
    tooltip.attach(target, () => lines(i));
    return [...(value === null ? [svg("line", whisker)] : []), dot, target];
  });
  return svg(
    "svg",
    { class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": said },
    ...ticks.map((tick) => svg("line", { class: "grid", x1: left, x2: width - 4, y1: y(tick), y2: y(tick) })),
    ...ticks.map((tick) => text(mark(tick), { x: left - 6, y: y(tick) + 4, "text-anchor": "end" })),
    text(axisText(column, known[0]), { x: left, y: height - 6 }),
    text(axisText(column, known.at(-1)), { x: right, y: height - 6, "text-anchor": "end" }),
    ...(gap < 0 ? [] : [text("missing", { x: (right + width) / 2 + 4, y: height - 6, "text-anchor": "middle" })]),
    svg("path", { class: "band", d: band }),
    svg("path", { class: "line series-1", d: `M${path(mean).join("L")}` }),
    ...dots.flat(),
  );
}

/** What pairs of columns change together: a table for each, in the output that they change most. */
function mountPairs(mount, { columns, survey }, isValue) {
  const tables = survey.interactions.map(({ columns: [a, b], values, outputs, effect, share }) => {
    const output = steepest(effect.map((rows) => rows.flat()));
    const [one, other] = [columns[a], columns[b]];
    const largest = Math.max(...effect[output].flat().map(Math.abs)) || 1;
    const head = h("tr", {}, h("th", {}), ...values[1].map((value) => h("th", { scope: "col" }, axisText(other, value))));
    const body = values[0].map((value, i) =>
      h("tr", {}, h("th", { scope: "row" }, axisText(one, value)), ...effect[output][i].map((cell) => effectCell(cell, largest, isValue))),
    );
    const named = isValue && outputs.length === 1 ? "" : `${isValue ? "" : "the probability of "}“${outputs[output]}”${isValue ? "" : ", in points"}; `;
    const title = `${one.name} (down) and ${other.name} (across)`;
    return h(
      "figure",
      { class: "panel" },
      h("h3", {}, title),
      h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": title }, h("table", { class: "pair" }, h("thead", {}, head), h("tbody", {}, ...body))),
      h("figcaption", {}, `${named}${percent(share, 0)} of what both change`),
    );
  });
  mount.append(h("div", { class: "columns" }, ...tables));
}

function effectCell(value, largest, isValue) {
  // As many digits behind the point as give the largest three.
  const digits = isValue ? Math.min(12, Math.max(0, 3 - Math.ceil(Math.log10(largest)))) : 1;
  const style = { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "exceptZero" };
  const text = ((isValue ? 1 : 100) * value).toLocaleString("en", style).replace("-", MINUS);
  const cell = h("td", { class: value < 0 ? "lower" : "higher" }, text);
  cell.style.setProperty("--share", `${Math.round((60 * Math.abs(value)) / largest)}%`);
  return cell;
}

/** A value of a column where there is little room. */
function axisText(column, value) {
  if (value !== null && column.kind === "date") return dateText(value);
  return column.switch && value !== null ? (value ? "yes" : "no") : cellText(column, value);
}
