// Maps: the numbers of a layer's units as cells, red above 0 and blue below, with a lens that shows those around one.

const LENS = [5, 3]; // cells across and down; on phones, three across

/** How many cells a map has in a row: as in a picture, else about twice as many as in a column. */
const mapWidth = (count, shape) => shape?.width ?? Math.min(count, Math.max(1, Math.ceil(Math.sqrt(count * 2))));

/**
 * A map of `count` units.
 *
 * @param pick called with the unit that a reader chooses
 * @return {box, update(values, chosen, before)}: `before`, if there is any, stands beside
 */
function unitMap({ title, count: units, shape = null, pick, nameOf = (i) => `unit ${i + 1}` }) {
  const across = mapWidth(units, shape);
  const down = Math.ceil(units / across);
  const made = ["", "before"].map((when) => {
    const canvas = pictureCanvas(across, down, `${title}${when && ", before"}`);
    const mark = h("span", { class: "mark" });
    return { canvas, mark, frame: h("span", { class: "cells" }, canvas, mark) };
  });
  const [own, earlier] = made;
  const lens = h("table", { class: "lens", "aria-hidden": "true" });
  const slider = h(
    "div",
    { class: "map", role: "slider", tabindex: units > 1 ? 0 : -1, "aria-label": title, "aria-valuemin": 1, "aria-valuemax": units },
    own.frame,
  );
  const past = h("figure", { class: "past", hidden: true }, h("div", { class: "map" }, earlier.frame), h("figcaption", {}, "before"));
  const now = h("figcaption", { hidden: true }, "now");
  for (const { frame } of made) {
    frame.style.aspectRatio = `${across} / ${down}`;
    frame.style.width = `${Math.min(15, Math.max(2, across * 1.4))}rem`;
  }
  const choose = (i) => i >= 0 && i < units && pick(i);
  slider.addEventListener("click", (event) => {
    const box = own.canvas.getBoundingClientRect();
    const place = (at, start, size, cells) => Math.min(cells - 1, Math.max(0, Math.floor(((at - start) / size) * cells)));
    choose(place(event.clientY, box.top, box.height, down) * across + place(event.clientX, box.left, box.width, across));
  });
  let chosen = 0;
  slider.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, Home: -chosen, End: units - 1 - chosen };
    if (!(event.key in moves)) return;
    event.preventDefault();
    choose(chosen + moves[event.key]);
  });

  function update(values, at, before) {
    chosen = at;
    const largest = largestOf(before ? [...values, ...before] : values);
    paintSigned(own.canvas, values, largest);
    past.hidden = now.hidden = !before;
    if (before) paintSigned(earlier.canvas, before, largest);
    for (const { mark } of made) {
      mark.style.left = `${((at % across) / across) * 100}%`;
      mark.style.top = `${(Math.floor(at / across) / down) * 100}%`;
      mark.style.width = `${100 / across}%`;
      mark.style.height = `${100 / down}%`;
    }
    slider.setAttribute("aria-valuenow", at + 1);
    slider.setAttribute("aria-valuetext", `${nameOf(at)}: ${shortNumber(values[at], 6)}`);
    lens.replaceChildren(...lensRows(values, at, across, down));
  }

  const box = h("div", { class: "maps" }, past, h("figure", {}, slider, now), lens);
  return { box, update };
}

/** The numbers around a cell, as rows of a table. */
function lensRows(values, chosen, across, down) {
  const start = (place, size, length) => Math.max(0, Math.min(place - (length >> 1), size - length));
  const most = matchMedia("(max-width: 30rem)").matches ? 3 : LENS[0];
  const [wide, high] = [Math.min(most, across), Math.min(LENS[1], down)];
  const left = start(chosen % across, across, wide);
  const top = start(Math.floor(chosen / across), down, high);
  return Array.from({ length: high }, (_, r) =>
    h(
      "tr",
      {},
      ...Array.from({ length: wide }, (__, c) => {
        const i = (top + r) * across + left + c;
        const text = i < values.length ? shortNumber(values[i], 3) : "";
        return h("td", { class: i === chosen ? "chosen" : "" }, text);
      }),
    ),
  );
}
