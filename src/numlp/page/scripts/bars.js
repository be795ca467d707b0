// Bars: a histogram, and lists of names with a bar and a number each.

/** A histogram as a small picture; `distribution` comes from report/inside.py. */
function histogram(distribution, label, series) {
  const [width, height] = [320, 84];
  const top = Math.max(...distribution.shares);
  // On a linear scale one high bar, such as ReLU's zeros, would flatten all others, so heights are square roots.
  const size = (share) => Math.sqrt(share / top) * (height - 22);
  const step = width / distribution.shares.length;
  const bars = distribution.shares.map((share, i) =>
    svg("rect", {
      class: `bar series-${series}`,
      x: i * step + 0.5,
      width: Math.max(0.5, step - 1),
      y: height - 18 - size(share),
      height: size(share),
    }),
  );
  const zero =
    distribution.low < 0 && distribution.high > 0 ? scale(distribution.low, distribution.high, 0, width)(0) : null;
  const rule = zero === null ? [] : [svg("line", { class: "cursor", x1: zero, x2: zero, y1: 0, y2: height - 18 })];
  const ends = [
    svg("text", { class: "tick", x: 0, y: height - 4 }, shortNumber(distribution.low, 3)),
    svg("text", { class: "tick", x: width, y: height - 4, "text-anchor": "end" }, shortNumber(distribution.high, 3)),
  ];
  const description = `${label}: from ${shortNumber(distribution.low)} to ${shortNumber(distribution.high)}, mean ${shortNumber(distribution.mean)}, standard deviation ${shortNumber(distribution.deviation)}`;
  const drawn = svg(
    "svg",
    { class: "histogram", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": description, tabindex: 0 },
    ...bars,
    ...rule,
    ...ends,
  );
  tooltip.attach(drawn, () => [
    label,
    `mean ${shortNumber(distribution.mean)}`,
    `standard deviation ${shortNumber(distribution.deviation)}`,
  ]);
  return drawn;
}

/** Rows of name, bar and number; `update` takes {name, value, text, winner} for each, with value from 0 to 1. */
function barList(size, title) {
  const rows = Array.from({ length: size }, () => {
    const parts = {
      name: h("span", { class: "name" }),
      bar: h("span", { class: "fill" }),
      value: h("span", { class: "value" }),
    };
    return { ...parts, row: h("li", {}, parts.name, h("span", { class: "track" }, parts.bar), parts.value) };
  });
  const update = (entries) =>
    rows.forEach(({ name, bar, value, row }, i) => {
      const entry = entries[i];
      name.textContent = name.title = entry.name;
      bar.style.width = `${Math.max(0, Math.min(1, entry.value)) * 100}%`;
      value.textContent = entry.text;
      row.classList.toggle("winner", Boolean(entry.winner));
    });
  return { list: h("ol", { class: "bars", "aria-label": title }, ...rows.map(({ row }) => row)), update };
}

/** Rows of name, bar to the left or right of zero, and number; `update` takes {name, value} for each, and `text` for the number, which
 *  hides zeros. */
function signedBarList(size, title) {
  const rows = Array.from({ length: size }, () => {
    const parts = {
      name: h("span", { class: "name" }),
      bar: h("span", { class: "fill" }),
      value: h("span", { class: "value" }),
    };
    return { ...parts, row: h("li", {}, parts.name, h("span", { class: "track signed" }, parts.bar), parts.value) };
  });
  const update = (entries) => {
    const largest = Math.max(...entries.map(({ value }) => Math.abs(value))) || 1;
    rows.forEach(({ name, bar, value, row }, i) => {
      const entry = entries[i];
      const size = (Math.abs(entry.value) / largest) * 50;
      name.textContent = name.title = entry.name;
      bar.style.left = `${entry.value < 0 ? 50 - size : 50}%`;
      bar.style.width = `${size}%`;
      value.textContent = entry.text ?? shortNumber(entry.value, 3);
      row.hidden = entry.text !== undefined && entry.value === 0;
      row.classList.toggle("negative", entry.value < 0);
    });
  };
  return { list: h("ol", { class: "bars", "aria-label": title }, ...rows.map(({ row }) => row)), update };
}
