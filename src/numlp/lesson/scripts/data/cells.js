// Cells: what the texts of a table mean, by the rules and patterns of datasets/cells.py and datasets/columns.py. A column
// holds numbers only if all of its cells do.

const GAPS = new Set(["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "?"]);
const PLAIN = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const CODE = /^[+-]?0[0-9]+$/; // a postcode or another key, whose zeros count
const POINT = /^[+-]?[0-9]{1,3}\.[0-9]{3}$/; // a plain number that could also be a whole one with a point between thousands
const UNIT = "([%$£¥€₹]|[A-Z]{3})";
const MONEY = /[$£¥€₹]/;
const DATE = /^([0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([T ].*)?|[0-9]{4}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?|[0-9]{1,2}([-./])[0-9]{1,2}\4[0-9]{2,4}( .*)?|[0-9]{1,2}[- ][A-Za-z]{3,9}[- ][0-9]{2,4}( .*)?|[A-Za-z]{3,9} [0-9]{1,2},? [0-9]{4}( .*)?)$/;

const bare = (cell) => cell.replace(/^[ \t]+|[ \t]+$/g, "");
const isGap = (cell) => GAPS.has(bare(cell));
const isNumber = (cell) => PLAIN.test(bare(cell));

/** How numbers are written, with a sign before decimals and one between thousands: {pattern, plain}. */
function notation(decimal, thousands) {
  const groups = [`\\${thousands}`, "[ \xa0\u202f]", "['’]"].map((sign) => `(${sign}[0-9]{3})+`).join("|");
  const number = `(([0-9]+|[0-9]{1,3}(${groups}))(\\${decimal}[0-9]*)?|\\${decimal}[0-9]+)([eE][+-]?[0-9]+)?`;
  const unsigned = `(${UNIT}? ?${number}|${number} ?${UNIT})`;
  const signs = new RegExp(`[A-Z]{3}|[$£¥€₹%  \u202f'’)\\${thousands}]`, "g");
  return {
    decimal,
    pattern: new RegExp(`^([-−+]? ?${unsigned}|${UNIT} ?[-−+]${number}|\\(${unsigned}\\))$`),
    plain: (cell) => cell.replace(signs, "").replace(/[−(]/g, "-").replace(decimal, "."),
  };
}

const [POINTS, COMMAS] = [notation(".", ","), notation(",", ".")];

/** The cells of a column without gaps, whether all are plain numbers, and one that isn't. */
function facts(texts) {
  const cells = texts.filter((text) => text !== null);
  const odd = cells.filter((cell) => !PLAIN.test(cell));
  return { cells, isPlain: cells.length > 0 && !odd.length, odd: odd.length ? odd.reduce((a, b) => (b < a ? b : a)) : null };
}

/** How a file writes numbers: a comma is for decimals if some column says so, and none says otherwise. */
function notationOf(columns, separator) {
  const all = columns.map(facts);
  let [commas, points, opens] = [false, false, false];
  for (const { cells, odd } of all) {
    if (odd === null || !(POINTS.pattern.test(odd) || COMMAS.pattern.test(odd))) continue;
    const [point, comma] = [POINTS, COMMAS].map(({ pattern }) => cells.every((cell) => pattern.test(cell)));
    points ||= point && !comma;
    commas ||= comma && !point;
    opens ||= point && comma && cells.some((cell) => cell.includes(","));
  }
  if (points || !(commas || (opens && separator === ";"))) return POINTS;
  const hasPoints = ({ cells, isPlain }) => isPlain && cells.some((cell) => cell.includes(".") && !POINT.test(cell));
  return all.some(hasPoints) ? POINTS : COMMAS;
}

/** The numbers of a column, NaN for gaps, and what is to be told of them; or only why they are texts. */
function numbersIn(texts, { decimal, pattern, plain }) {
  const { cells, isPlain, odd } = facts(texts);
  if (!cells.length) return {};
  const truths = cells.every((cell) => /^(true|false)$/i.test(cell));
  if (truths) return { numbers: asNumbers(texts, (cell) => (/true/i.test(cell) ? 1 : 0)) };
  const bareOf = isPlain ? (cell) => cell : plain;
  if (!isPlain && !cells.every((cell) => pattern.test(cell))) return {};
  const units = new Set(cells.map((cell) => cell.match(UNIT)?.[0] ?? ""));
  const sameUnit = units.size === 1 || (units.size === 2 && units.has("") && [...units].some((unit) => MONEY.test(unit)));
  if (!isPlain && !sameUnit) return { why: "its cells have different units" };
  const code = cells.find((cell) => CODE.test(bareOf(cell)));
  if (code !== undefined) return { why: `the number “${code}” begins with 0, as keys do` };
  const numbers = asNumbers(texts, (cell) => Number(bareOf(cell)));
  if (numbers.some((value) => Math.abs(value) === Infinity)) return { why: "one of its numbers is too large" };
  if (isPlain) return { numbers };
  const before = decimal === "," && odd.includes(",") ? ", in which a comma is before decimals" : "";
  return { numbers, note: `is read as numbers, without the signs in “${odd}”${before}` };
}

const asNumbers = (texts, value) => Float64Array.from(texts, (text) => (text === null ? NaN : value(text)));
