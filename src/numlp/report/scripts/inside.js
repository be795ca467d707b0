// Inside: weights and activations by layer.

function mountInside(mount, layers) {
  for (const layer of layers) {
    const parts = [
      h(
        "figure",
        {},
        histogram(layer.weights, `${layer.name}: weights`, 0),
        h("figcaption", {}, `weights, standard deviation ${shortNumber(layer.weights.deviation, 3)}`),
      ),
    ];
    if (layer.activations) {
      const dead = layer.dead
        ? `${whole(layer.dead)} of ${count(layer.units, "unit")} dead (${percent(layer.dead / layer.units, 1)})`
        : `none of ${count(layer.units, "unit")} dead`;
      parts.push(
        h(
          "figure",
          {},
          histogram(layer.activations, `${layer.name}: activations`, 1),
          h("figcaption", {}, `activations (${layer.activation}): `, h("strong", {}, dead)),
        ),
      );
    }
    mount.append(
      h(
        "div",
        { class: "layer" },
        h("div", { class: "layer-name" }, h("h3", {}, layer.name), h("span", { class: "shape" }, layer.shape)),
        ...parts,
      ),
    );
  }
}
