// The confusion matrix, whose cells lead to the rows behind them, and the accuracy of every class.

const MOST_CARDS = 24;

function mountConfusion(mount, confusion, names, examples, explain) {
  const below = document.getElementById("behind");
  const counts = confusion.counts;
  const totals = confusion.accuracies.map(({ rows }) => rows); // of all columns, also of those that are not shown
  const classes = confusion.classes.map((index) => names[index]);
  const worst = Math.max(
    1e-9,
    ...counts.flatMap((row, i) => row.map((value, j) => (i === j ? 0 : value / (totals[i] || 1)))),
  );
  const buttons = [];
  const body = counts.map((row, i) => {
    const cells = row.map((value, j) => {
      if (!value) return h("td", { class: i === j ? "diagonal" : "" }, "·");
      const button = h(
        "button",
        {
          type: "button",
          "aria-label": `${count(value, "row")} of ${classes[i]}, predicted as ${classes[j]}`,
          onclick: () => open(i, j),
        },
        whole(value),
      );
      buttons.push(button);
      const cell = h("td", { class: i === j ? "diagonal" : "mistake" }, button);
      if (i !== j) cell.style.setProperty("--share", `${Math.round(12 + (68 * value) / totals[i] / worst)}%`);
      tooltip.attach(button, () => [
        `${classes[i]} predicted as ${classes[j]}`,
        `${count(value, "row")}, ${percent(value / totals[i])} of ${classes[i]}`,
      ]);
      return cell;
    });
    return h("tr", {}, h("th", { scope: "row", title: classes[i] }, classes[i]), ...cells);
  });
  const head = h(
    "tr",
    {},
    h("th", { scope: "col", class: "corner" }, "true ↓ ", h("span", {}, "predicted →")),
    ...classes.map((name) => h("th", { scope: "col", title: name }, name)),
  );
  const table = h(
    "table",
    { class: "confusion" },
    h("caption", { class: "hidden" }, "Confusion matrix: truth in rows, predictions in columns"),
    h("thead", {}, head),
    h("tbody", {}, ...body),
  );
  buttons.forEach((button, k) => (button.tabIndex = k ? -1 : 0));
  table.addEventListener("keydown", (event) => walk(event, table));

  function open(i, j) {
    const [truth, guess] = [confusion.classes[i], confusion.classes[j]];
    const found = examples.rows
      .map((_, k) => k)
      .filter((k) => examples.truth[k] === truth && examples.guess[k] === guess);
    const shown = found.slice(0, MOST_CARDS);
    const title = i === j ? `${classes[i]}, predicted correctly` : `${classes[i]}, predicted as ${classes[j]}`;
    const number =
      shown.length < counts[i][j] ? `${shown.length} of ${whole(counts[i][j])}` : String(shown.length);
    below.replaceChildren(
      h("h3", {}, `${title}: ${number}`),
      shown.length ? gallery(examples, shown, explain) : h("p", {}, "The page holds none of these rows."),
    );
  }

  mount.append(h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Confusion matrix" }, table));
}

/** Arrow keys move from one button of a table to the next in that direction. */
function walk(event, table) {
  const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[
    event.key
  ] ?? [0, 0];
  const cell = event.target.closest("td");
  if (!cell || !(down || right)) return;
  let [y, x] = [cell.parentElement.rowIndex, cell.cellIndex];
  for (;;) {
    [y, x] = [y + down, x + right];
    const found = table.rows[y]?.cells[x];
    if (!found) return;
    const button = found.querySelector("button");
    if (!button) continue;
    event.preventDefault();
    event.target.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
    return;
  }
}

function mountAccuracies(mount, { accuracies }) {
  const seen = accuracies.filter(({ share }) => share !== null);
  const low = Math.max(0, Math.floor(Math.min(...seen.map((entry) => entry.low)) * 20) / 20);
  const x = scale(low, 1, 4, 196);
  const rows = accuracies.map(({ name, rows: total, share, low: from, high: to }) => {
    if (share === null)
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        h("td", {}, "0"),
        h("td", {}, "–"),
        h("td", {}, "no rows"),
      );
    const drawn = svg(
      "svg",
      {
        class: "interval",
        viewBox: "0 0 200 16",
        role: "img",
        "aria-label": `95 % interval ${percent(from, 1)} to ${percent(to, 1)}`,
      },
      svg("line", { class: "grid", x1: 4, x2: 196, y1: 8, y2: 8 }),
      svg("line", { class: "whisker", x1: x(from), x2: x(to), y1: 8, y2: 8 }),
      svg("circle", { class: "dot series-1", cx: x(share), cy: 8, r: 4.5 }),
    );
    tooltip.attach(drawn, () => [
      name,
      `accuracy ${percent(share)}`,
      `95 % interval ${percent(from, 1)} to ${percent(to, 1)}`,
    ]);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", {}, whole(total)),
      h("td", {}, percent(share)),
      h("td", { class: "wide" }, drawn),
    );
  });
  const head = h(
    "tr",
    {},
    ...["class", "rows", "accuracy", `axis: ${percent(low, 0)} to 100 %`].map((text) => h("th", { scope: "col" }, text)),
  );
  mount.append(
    h(
      "div",
      { class: "scroll" },
      h("table", { class: "figures accuracies" }, h("thead", {}, head), h("tbody", {}, ...rows)),
    ),
  );
}

function mountMistakes(mount, examples, explain) {
  const wrong = examples.rows.map((_, i) => i).filter((i) => examples.isMistake(i));
  wrong.sort((a, b) => examples.likeliest[b][0][1] - examples.likeliest[a][0][1]);
  mount.append(
    wrong.length ? gallery(examples, wrong.slice(0, MOST_CARDS), explain) : h("p", {}, "There are no mistakes."),
  );
}
