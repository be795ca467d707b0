// Numbers as text.

const MINUS = "−";

/** Four significant digits without trailing zeros, and all digits before the point: 0.05763, 12.3, 1,056, 1.2e−7. */
function shortNumber(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 999.95 && size < 1e15) return Math.round(value).toLocaleString("en").replace("-", MINUS);
  const text = size >= 1e15 || size < 1e-4 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  const plain = text.includes("e") ? text.replace(/\.?0+e/, "e").replace("e+", "e") : String(Number(text));
  return plain.replaceAll("-", MINUS);
}

function percent(value, digits = 2) {
  return value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)}\u00a0%`;
}

/** A whole number with separators between thousands, as `report/headline.py` writes them: 9,312. */
function whole(number) {
  return number.toLocaleString("en");
}

function count(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;
}
