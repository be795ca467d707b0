// What the first layer sees: a tile for each unit, in either order, at any epoch that the run saved.

async function mountUnits(mount, units) {
  const sheets = await Promise.all(units.frames.map(({ sprite }) => loadImage(sprite)));
  const { width, height, columns } = units;
  const what = units.outputs ? "output" : "unit";
  const places = units.numbers.map((_, place) => place);
  const tiles = places.map((place) => {
    const canvas = h("canvas", { class: "picture", width, height });
    const name = `${what} ${units.numbers[place] + 1}`;
    const tile = h(
      "button",
      {
        type: "button",
        class: "tile",
        "aria-label": `${name}, norm ${shortNumber(units.norms[place], 3)}`,
        onclick: () => enlarge(place),
      },
      canvas,
    );
    tooltip.attach(tile, () => [name, `norm ${shortNumber(units.norms[place], 3)}`]);
    return { tile, canvas, place };
  });
  const grid = h("div", {
    class: units.is_picture ? "tiles" : "tiles strips",
    role: "group",
    "aria-label": `weights into ${count(tiles.length, what)}`,
  });
  let frame = sheets.length - 1;

  function draw(canvas, place) {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.drawImage(
      sheets[frame],
      (place % columns) * width,
      Math.floor(place / columns) * height,
      width,
      height,
      0,
      0,
      width,
      height,
    );
  }

  const large = h("canvas", { class: "picture large", width, height, role: "img" });
  const caption = h("figcaption", {});
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const dialog = h("dialog", { "aria-label": "one unit, enlarged" }, h("figure", {}, large, caption), close);
  let enlarged = null;

  function enlarge(place) {
    enlarged = place;
    show();
    dialog.showModal();
  }

  function show() {
    for (const { canvas, place } of tiles) draw(canvas, place);
    if (enlarged === null) return;
    draw(large, enlarged);
    const text = `Weights into ${what} ${units.numbers[enlarged] + 1}, ${units.frames[frame].name}; final norm ${shortNumber(units.norms[enlarged], 3)}`;
    caption.textContent = text;
    large.setAttribute("aria-label", text);
  }

  function arrange(order) {
    const compare = {
      norm: (a, b) => units.norms[b.place] - units.norms[a.place],
      number: (a, b) => a.place - b.place,
    }[order];
    tiles.sort(compare);
    grid.replaceChildren(...tiles.map(({ tile }) => tile));
  }

  const order = h(
    "select",
    { onchange: () => arrange(order.value) },
    h("option", { value: "norm" }, "norm, largest first"),
    h("option", { value: "number" }, "number"),
  );
  const controls = h("div", { class: "controls" }, h("label", {}, "sort by ", order));
  if (sheets.length > 1) {
    const shown = h("output", {}, units.frames[frame].name);
    const slider = h("input", {
      type: "range",
      min: 0,
      max: sheets.length - 1,
      step: 1,
      value: frame,
      oninput: () => {
        frame = Number(slider.value);
        shown.textContent = units.frames[frame].name;
        slider.setAttribute("aria-valuetext", units.frames[frame].name);
        show();
      },
    });
    controls.append(h("label", { class: "slider" }, "epoch ", slider, shown));
  }
  const features = units.features.length
    ? h("p", { class: "hint" }, `Cells, from left to right: ${units.features.join(", ")}.`)
    : null;
  mount.append(controls, ...(features ? [features] : []), grid, dialog);
  arrange("norm");
  rove(grid, () => Math.max(1, Math.floor(grid.clientWidth / tiles[0].tile.offsetWidth)));
  show();
}
