// Dead units: those that give the same value for every row, as in judging/inspection.py.

/** The numbers, from 0, of the units of a layer that are dead; `values` are the layer's activations, (rows, width). */
function deadUnits(values, width) {
  const low = new Float64Array(width).fill(Infinity);
  const high = new Float64Array(width).fill(-Infinity);
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const k = i % width;
    low[k] = Math.min(low[k], values[i]);
    high[k] = Math.max(high[k], values[i]);
    largest = Math.max(largest, Math.abs(values[i]));
  }
  return Array.from({ length: width }, (_, k) => k).filter((k) => high[k] - low[k] <= 1e-6 * largest);
}

/** What is to be said of the dead units of all layers. */
function deadText(dead, widths) {
  const parts = dead.flatMap((units, layer) => {
    if (!units.length) return [];
    if (units.length === widths[layer]) return [`all units of layer ${layer + 1}`];
    return [`unit${units.length > 1 ? "s" : ""} ${units.map((k) => k + 1).join(", ")} of layer ${layer + 1}`];
  });
  const total = dead.reduce((sum, units) => sum + units.length, 0);
  if (!total) return "No unit is dead: each answers differently to different rows.";
  return `${total === 1 ? "One unit is" : `${whole(total)} units are`} dead, the same for every training row: ${parts.join("; ")}.`;
}
