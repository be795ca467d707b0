// A chart of points: predicted against true, residuals, reliability.

const BARS = 96; // height of the bars below a chart, with the space above them

/**
 * @param options {x, y, title, xLabel, yLabel, diagonal, zero, range: [[x0, x1], [y0, y1]], joined, lines(i)}, and
 *   bars: {label, from, to, counts} for bars below the points, on the same axis
 */
function pointChart(options) {
  const height = options.bars ? 320 + BARS : 320;
  const margin = { top: 12, right: 14, bottom: 44, left: 0 };
  const drawing = svg("svg", { role: "img", "aria-label": options.title });
  const box = h(
    "div",
    { class: "chart", tabindex: 0, role: "group", "aria-label": `${options.title}: arrow keys read out the points` },
    drawing,
  );
  const show = options.show ?? shortNumber;
  let places = [];
  let at = null;

  function range(values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const space = (high - low || Math.abs(high) || 1) * 0.05;
    return [low - space, high + space];
  }

  function draw() {
    const width = Math.max(240, box.clientWidth);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("height", height);
    drawing.replaceChildren();
    const both = options.diagonal ? range([...options.x, ...options.y]) : null;
    const [xs, ys] = options.range ?? [both ?? range(options.x), both ?? range(options.y)];
    const ticks = linearTicks(...ys, 5);
    margin.left = 34 + 7 * Math.max(...ticks.map((tick) => show(tick).length));
    const x = scale(...xs, margin.left, width - margin.right);
    const floor = height - margin.bottom - (options.bars ? BARS : 0);
    const y = scale(...ys, floor, margin.top);
    for (const tick of ticks) {
      drawing.append(
        svg("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }),
      );
      drawing.append(
        svg("text", { class: "tick", x: margin.left - 8, y: y(tick) + 4, "text-anchor": "end" }, show(tick)),
      );
    }
    const all = linearTicks(...xs, Math.max(2, Math.floor(width / 110)));
    const widest = 12 + 7 * Math.max(...all.map((tick) => show(tick).length));
    const every = Math.ceil((all.length * widest) / (width - margin.left - margin.right));
    for (const tick of all.filter((_, i) => i % every === 0)) {
      drawing.append(
        svg(
          "text",
          { class: "tick", x: x(tick), y: height - margin.bottom + 18, "text-anchor": "middle" },
          show(tick),
        ),
      );
    }
    drawing.append(
      svg(
        "text",
        { class: "label", x: (margin.left + width - margin.right) / 2, y: height - 6, "text-anchor": "middle" },
        options.xLabel,
      ),
    );
    drawing.append(
      svg(
        "text",
        {
          class: "label",
          x: 0,
          y: 0,
          transform: `translate(13 ${floor / 2}) rotate(-90)`,
          "text-anchor": "middle",
        },
        options.yLabel,
      ),
    );
    if (options.bars) drawing.append(...countBars(options.bars, x, floor + 24, height - margin.bottom));
    const [low, high] = [Math.max(xs[0], ys[0]), Math.min(xs[1], ys[1])];
    if (options.diagonal || options.range)
      drawing.append(svg("line", { class: "ideal", x1: x(low), y1: y(low), x2: x(high), y2: y(high) }));
    if (options.zero) drawing.append(svg("line", { class: "ideal", x1: x(xs[0]), x2: x(xs[1]), y1: y(0), y2: y(0) }));
    places = options.x.map((value, i) => [x(value), y(options.y[i])]);
    if (options.joined)
      drawing.append(
        svg("path", { class: "line series-1", d: places.map(([a, b], i) => `${i ? "L" : "M"}${a},${b}`).join("") }),
      );
    const name = options.joined ? "dot series-1" : "speck series-1";
    places.forEach(([cx, cy]) => drawing.append(svg("circle", { class: name, cx, cy, r: options.joined ? 4.5 : 3 })));
    if (at !== null) drawing.append(svg("circle", { class: "best", cx: places[at][0], cy: places[at][1], r: 6 }));
  }

  function point(i) {
    at = Math.min(Math.max(0, i), places.length - 1);
    draw();
    const area = drawing.getBoundingClientRect();
    tooltip.show(area.left + places[at][0], area.top + places[at][1], options.lines(at));
  }

  function leave() {
    at = null;
    tooltip.hide();
    draw();
  }

  box.addEventListener("pointermove", (event) => {
    const area = drawing.getBoundingClientRect();
    const distances = places.map(([a, b]) => Math.hypot(a - event.clientX + area.left, b - event.clientY + area.top));
    const nearest = distances.indexOf(Math.min(...distances));
    if (distances[nearest] < 40) point(nearest);
  });
  box.addEventListener("pointerleave", leave);
  box.addEventListener("blur", leave);
  box.addEventListener("keydown", (event) => {
    const target = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? 1) - 1, Home: 0, End: places.length - 1 }[
      event.key
    ];
    if (target === undefined) return;
    event.preventDefault();
    point(target);
  });
  new ResizeObserver(draw).observe(box);
  return box;
}

/** Bars of counts from `top` to `bottom`, as heights of logarithms: rare counts stay visible beside frequent ones. */
function countBars({ label, from, to, counts }, x, top, bottom) {
  const most = Math.max(...counts);
  const y = scale(0.5, most, bottom, top, true);
  const numbers = counts.map(whole);
  const room = Math.min(...counts.map((_, i) => x(to[i]) - x(from[i])));
  const fits = room > 6 * Math.max(...numbers.map((text) => text.length));
  const powers = fits ? [] : logTicks(1, most).filter((tick) => Number.isInteger(Math.log10(tick)));
  const side = x(0) - 8;
  return [
    ...powers.map((tick) => svg("text", { class: "tick", x: side, y: y(tick) + 4, "text-anchor": "end" }, whole(tick))),
    ...counts.flatMap((value, i) => {
      if (!value) return [];
      const [left, right] = [x(from[i]), x(to[i])];
      const bar = svg("rect", {
        class: "bar series-0",
        x: left + 1,
        width: Math.max(1, right - left - 2),
        y: y(value),
        height: bottom - y(value),
      });
      if (!fits) return [bar];
      const place = { class: "bin", x: (left + right) / 2, y: y(value) - 4, "text-anchor": "middle" };
      return [bar, svg("text", place, numbers[i])];
    }),
    svg(
      "text",
      {
        class: "label",
        x: 0,
        y: 0,
        transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`,
        "text-anchor": "middle",
      },
      label,
    ),
  ];
}
