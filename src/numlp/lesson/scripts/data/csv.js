// CSV: the cells of a text and how it is written, seen from its cells as in datasets/dialects.py, so that a table means
// the same here and to numlp train.

const SEPARATORS = ["\t", ";", "|", ",", "~", "^", "\x1f"]; // the rarer a sign is in texts and numbers, the more it says
const LOOKED_AT = 1000; // rows

/** The rows of a text, each a list of cells; a line without any text is none. Quotes and line ends are as in RFC 4180. */
function cellsOf(text, separator, most = Infinity) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const endCell = () => {
    row.push(cell);
    cell = "";
  };
  const endRow = () => {
    endCell();
    if (row.length > 1 || row[0].trim() !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length && rows.length < most; i++) {
    const sign = text[i];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[i + 1] === '"') cell += text[i++];
      else quoted = false;
    } else if (sign === '"' && cell.trim() === "") {
      cell = "";
      quoted = true;
    } else if (sign === separator) endCell();
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[i + 1] === "\n") i++;
      endRow();
    } else cell += sign;
  }
  if (quoted && rows.length < most) throw new Error("A quotation mark opens a cell and nothing closes it. Close it, or remove it.");
  if (cell !== "" || row.length) endRow();
  return rows;
}

/** {separator, rows} of a text: the separator that makes most rows as long as the first, unless it begins with “sep=;”. */
function readCells(text) {
  const [line, told] = /^sep=([\t;|,~^\x1f])\r?\n/.exec(text) ?? ["", null];
  const content = text.slice(line.length);
  const regular = (separator) => {
    let rows;
    try {
      rows = cellsOf(content, separator, LOOKED_AT);
    } catch {
      return 0;
    }
    const width = rows[0]?.length ?? 0;
    return width < 2 ? 0 : rows.filter((row) => row.length === width).length / rows.length;
  };
  const scores = SEPARATORS.map(regular);
  const best = Math.max(...scores);
  const separator = told ?? (best ? SEPARATORS[scores.indexOf(best)] : ",");
  return { separator, rows: cellsOf(content, separator) };
}

/**
 * Whether the first row names the columns: it isn't made of the same numbers and texts as the others. Numbers that follow
 * each other are names, too: those of unnamed columns, or years.
 */
function hasHeader([first, ...others]) {
  const numbers = first.filter(isNumber).map(bare);
  if (!numbers.length) return true;
  if (numbers.length > 1 && numbers.every((cell, i) => /^\d+$/.test(cell) && (!i || Number(cell) - Number(numbers[i - 1]) === 1))) return true;
  const below = others.slice(0, LOOKED_AT);
  const isAmongNumbers = (cell, k) => {
    const column = below.map((row) => row[k]).filter((each) => each !== undefined && !isGap(each));
    return column.length && column.every(isNumber) && !isNumber(cell) && !isGap(cell);
  };
  if (first.some(isAmongNumbers)) return true;
  const mixed = first.some((cell, k) => isNumber(cell) && below.some((row) => isNumber(row[k] ?? "")));
  return new Set(first).size === first.length && !mixed;
}

/** Names of columns: the second and later equal ones get a number, those that have none their place. */
function namesOf(cells) {
  const names = cells.map((cell) => cell.trim());
  const taken = new Set(names);
  const [seen, numbers] = [new Set(), {}];
  return names.map((name, k) => {
    let own = name;
    while (name && seen.has(name) && taken.has(own)) own = `${name} (${(numbers[name] = (numbers[name] ?? 1) + 1)})`;
    seen.add(name);
    return own || `column ${k + 1}`;
  });
}
