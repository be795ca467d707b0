// Numbers and JSON as Python writes them.

/** A float as Python's `repr` gives it: 0.1, 1e-05, 1e+16, 3.0. */
function pythonFloat(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const [digits, exponent] = x.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  const text = String(x);
  return text.includes(".") ? text : text.includes("e") ? x.toFixed(-power + digits.replace(/\D/g, "").length - 1) : `${text}.0`;
}

const escaped = (text) =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A value as `json.dumps(value, sort_keys=True)` gives it; numbers are floats if `float` says so, or in a Float64Array. */
function pythonJson(value, float = false) {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return float || !Number.isInteger(value) ? pythonFloat(value) : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return escaped(value);
  if (value instanceof Float) return pythonFloat(value.value);
  if (Array.isArray(value)) return `[${value.map((each) => pythonJson(each, float)).join(", ")}]`;
  const entries = Object.keys(value).sort().map((key) => `${escaped(key)}: ${pythonJson(value[key])}`);
  return `{${entries.join(", ")}}`;
}

/** A number that is a float even if it is whole. */
class Float {
  constructor(value) {
    this.value = value;
  }
}
