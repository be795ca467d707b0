// A line chart over epochs, or over steps: it redraws when its width changes, and pointer or arrow keys read its values.

const DOTTED = 12; // up to so many epochs are drawn as dots as well
const MARGIN = { top: 14, right: 14, bottom: 38, left: 58 };

/**
 * @param panel {title, percent, log, series: [{name, values, place}], best}, from report/curves.py; `names` are what to call
 *   the numbers below, one by one; a line may be `dots` alone, or `steps`
 * @param epochs the numbers of the epochs
 * @param options the height; whether the scale is logarithmic; and what the numbers count, if not epochs, and the axis says
 */
function lineChart(panel, epochs, { height = 260, log = false, unit = "epoch", axis = unit } = {}) {
  const show = (value) => (panel.percent ? percent(value) : shortNumber(value));
  const state = { log, at: null };
  const drawing = svg("svg", { role: "img", "aria-label": summary(panel, epochs, show, unit) });
  const box = h(
    "div",
    { class: "chart", tabindex: 0, role: "group", "aria-label": `${panel.title}: arrow keys read out the values` },
    drawing,
  );

  function draw() {
    const width = Math.max(240, box.clientWidth);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("height", height);
    drawing.replaceChildren();
    const seen = panel.series.flatMap((line) => line.values).filter((value) => value !== null);
    if (!seen.length) return;
    let [low, high] = [Math.min(...seen), Math.max(...seen)];
    if (low === high)
      [low, high] = state.log
        ? [low / 2, high * 2]
        : [low - Math.abs(low) * 0.1 - 1e-9, high + Math.abs(high) * 0.1 + 1e-9];
    if (panel.id === "learning_rate") low = Math.min(0, low);
    if (!state.log) {
      const space = 0.04 * (high - low);
      if (low !== 0) low -= space;
      high = panel.percent ? Math.min(1, high + space) : high + space;
    }
    const ends = epochs.length > 1 ? [epochs[0], epochs.at(-1)] : [epochs[0] - 1, epochs[0] + 1];
    const x = scale(...ends, MARGIN.left, width - MARGIN.right);
    const y = scale(low, high, height - MARGIN.bottom, MARGIN.top, state.log);
    axes(x, y, low, high, width);
    panel.series.forEach((line, i) => drawing.append(...path(line, i, x, y)));
    if (hasBest(panel)) {
      const [cx, cy] = [x(epochs[panel.best]), y(panel.series[1].values[panel.best])];
      drawing.append(svg("circle", { class: "best", cx, cy, r: 6 }));
    }
    if (state.at !== null) cursor(x, y);
    state.x = x;
  }

  function axes(x, y, low, high, width) {
    const ticks = state.log ? logTicks(low, high) : linearTicks(low, high, height < 200 ? 3 : 5);
    const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;
    const digits = Math.max(0, Math.min(3, Math.ceil(-Math.log10(step * 100 + 1e-12))));
    for (const tick of ticks) {
      drawing.append(
        svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
        svg(
          "text",
          { class: "tick", x: MARGIN.left - 8, y: y(tick) + 4, "text-anchor": "end" },
          panel.percent ? percent(tick, digits) : shortNumber(tick),
        ),
      );
    }
    const wanted = Math.max(2, Math.floor((width - MARGIN.left) / 70));
    for (const tick of linearTicks(epochs[0], epochs.at(-1), wanted).filter(Number.isInteger)) {
      drawing.append(
        svg(
          "text",
          { class: "tick", x: x(tick), y: height - MARGIN.bottom + 18, "text-anchor": "middle" },
          whole(tick),
        ),
      );
    }
    drawing.append(
      svg(
        "text",
        { class: "label", x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 4, "text-anchor": "middle" },
        axis,
      ),
    );
  }

  function path(line, i, x, y) {
    const points = line.values.map((value, k) => (value === null ? null : [x(epochs[k]), y(value)]));
    const drawn = points
      .map((point, k) => {
        if (!point) return "";
        const step = line.steps && points[k - 1] ? `H${point[0].toFixed(1)}` : "";
        return `${step}${points[k - 1] ? "L" : "M"}${point[0].toFixed(1)},${point[1].toFixed(1)}`;
      })
      .join("");
    const parts = line.dots ? [] : [svg("path", { class: `line ${look(panel, i)}`, d: drawn })];
    const alone = (k) => line.dots || (!points[k - 1] && !points[k + 1]);
    points.forEach((point, k) => {
      if (point && (points.length <= DOTTED || alone(k)))
        parts.push(svg("circle", { class: `dot ${look(panel, i)}`, cx: point[0], cy: point[1], r: 3 }));
    });
    return parts;
  }

  function cursor(x, y) {
    const cx = x(epochs[state.at]);
    drawing.append(svg("line", { class: "cursor", x1: cx, x2: cx, y1: MARGIN.top, y2: height - MARGIN.bottom }));
    panel.series.forEach((line, i) => {
      const value = line.values[state.at];
      if (value !== null && value !== undefined)
        drawing.append(svg("circle", { class: `dot ${look(panel, i)}`, cx, cy: y(value), r: 4 }));
    });
  }

  function point(at, top) {
    state.at = Math.min(Math.max(0, at), epochs.length - 1);
    draw();
    const lines = panel.series
      .filter((line) => line.values[state.at] !== null && line.values[state.at] !== undefined)
      .map((line) => `${line.name}: ${show(line.values[state.at])}`);
    const left = drawing.getBoundingClientRect().left + state.x(epochs[state.at]);
    tooltip.show(left, top ?? drawing.getBoundingClientRect().top + 60, [panel.names?.[state.at] ?? `${unit} ${epochs[state.at]}`, ...lines]);
  }

  function leave() {
    if (state.at === null) return;
    state.at = null;
    tooltip.hide();
    draw();
  }

  box.addEventListener("pointermove", (event) => {
    if (!state.x) return;
    const left = event.clientX - drawing.getBoundingClientRect().left;
    const distances = epochs.map((epoch) => Math.abs(state.x(epoch) - left));
    point(distances.indexOf(Math.min(...distances)), event.clientY);
  });
  box.addEventListener("pointerleave", leave);
  box.addEventListener("blur", leave);
  box.addEventListener("keydown", (event) => {
    const at = state.at ?? -1;
    const target = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: epochs.length - 1 }[event.key];
    if (target === undefined || !state.x) return;
    event.preventDefault();
    point(target);
  });
  new ResizeObserver(draw).observe(box);
  return {
    box,
    setLog: (wanted) => {
      state.log = wanted;
      draw();
    },
    /** Draw what the panel's series have become, over these numbers. */
    update: (numbers, log) => {
      epochs = numbers;
      state.log = log;
      if (state.at !== null) state.at = Math.min(state.at, epochs.length - 1);
      drawing.setAttribute("aria-label", summary(panel, epochs, show, unit));
      draw();
    },
  };
}

/** A line's color, by its place among all lines; the first of two and every line after the eighth are also dashed. */
function look(panel, i) {
  const place = panel.series[i].place ?? i;
  const dashed = (panel.series.length === 2 && panel.dashed !== false && place === 0) || place >= 8;
  return `series-${place % 8}${dashed ? " dashed" : ""}`;
}

function summary(panel, epochs, show, unit) {
  const ends = panel.series.map((line) => {
    const values = line.values.filter((value) => value !== null);
    return values.length
      ? `${line.name} from ${show(values[0])} to ${show(values.at(-1))}`
      : `${line.name} without values`;
  });
  return `${panel.title} over ${count(epochs.length, unit)}: ${ends.join("; ")}.`;
}

/** Whether a panel has a best epoch to point out. */
function hasBest(panel) {
  return panel.best !== null && panel.best !== undefined && panel.series.length > 1;
}

/** A line, or one of its dots, for the legend. */
function mark(line, name) {
  if (line.dots) return svg("circle", { class: `dot ${name}`, cx: 12, cy: 6, r: 4 });
  return svg("path", { class: `line ${name}`, d: "M0,6L24,6" });
}

/** What each line is, and the best value: here, where no curve runs through its text. */
function legend(panel, epochs) {
  const swatch = (drawn) => svg("svg", { class: "swatch", viewBox: "0 0 24 12", "aria-hidden": "true" }, drawn);
  const entries = panel.series.map((line, i) =>
    h("li", {}, swatch(mark(line, look(panel, i))), line.name),
  );
  if (hasBest(panel)) {
    const value = panel.series[1].values[panel.best];
    const text = `best: ${panel.percent ? percent(value) : shortNumber(value)} in epoch ${whole(epochs[panel.best])}`;
    entries.push(h("li", { class: "peak" }, swatch(svg("circle", { class: "best", cx: 12, cy: 6, r: 5 })), text));
  }
  return h("ul", { class: "legend" }, ...entries);
}

/** Whether the values vary so much that a logarithmic scale shows them better. */
function wide(panel) {
  const seen = panel.series.flatMap((line) => line.values).filter((value) => value !== null);
  return panel.log && Math.max(...seen) > 20 * Math.min(...seen);
}
