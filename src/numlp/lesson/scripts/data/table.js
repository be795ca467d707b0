// Table: columns of numbers and of texts, from a file that stays in this page, or from the one that the page was made with.

const MOST_BYTES = 20e6;
const MOST_ROWS = 20000;
const MOST_COLUMNS = 200;
const MOST_CLASSES = 20;
const LEAST_ROWS = 10;
const NAMELESS = /^(column [0-9]+|Unnamed: [0-9]+|__index_level_0__)$/;

/** A table from a file. Errors say what is wrong and what to do. */
async function tableOfFile(file) {
  if (file.size > MOST_BYTES) throw new Error(`“${file.name}” has ${whole(Math.round(file.size / 1e6))} MB, and this page takes ${MOST_BYTES / 1e6}. Keep a part of its rows, or use numlp train.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw new Error(`“${file.name}” isn't a text file, but an archive or a workbook. Save the table as CSV, and open that file.`);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`“${file.name}” isn't a text file in UTF-8. If it is a table in another encoding, save it again in UTF-8, which Excel calls “CSV UTF-8”.`);
  }
  return tableOfText(file.name, text);
}

/** A table from the text of a CSV file. */
function tableOfText(title, text) {
  if (text.includes("\0")) throw new Error(`“${title}” isn't a text file. Save the table as CSV, and open that file.`);
  if (/^\s*<(!doctype|html)/i.test(text)) throw new Error(`“${title}” is a web page. Get the file itself, and open that.`);
  const { separator, rows } = readCells(text);
  if (!rows.length) throw new Error(`“${title}” is empty. Open a CSV file with a header and some rows.`);
  const width = rows[0].length;
  if (width < 2)
    throw new Error(`“${title}” has one column. A network needs at least two: one to learn from, and one to predict.`);
  if (width > MOST_COLUMNS)
    throw new Error(`“${title}” has ${whole(width)} columns, and this page takes ${MOST_COLUMNS}. Keep those that matter, or use numlp train.`);
  const odd = rows.findIndex((row) => row.length !== width && !(row.length === width + 1 && row[width] === ""));
  if (odd >= 0)
    throw new Error(`“${title}” isn't a table: row ${whole(odd + 1)} has ${count(rows[odd].length, "cell")}, the first one ${whole(width)}. Put texts that hold the separator “${separator === "\t" ? "tab" : separator}” in quotation marks.`);
  const header = hasHeader(rows);
  const names = namesOf(header ? rows[0] : rows[0].map(() => ""));
  const body = header ? rows.slice(1) : rows;
  if (body.length < LEAST_ROWS)
    throw new Error(`“${title}” has ${count(body.length, "row")} below its header. The page needs at least ${LEAST_ROWS}: some to train on, and some to check.`);
  if (body.length > MOST_ROWS)
    throw new Error(`“${title}” has ${whole(body.length)} rows, and this page takes ${whole(MOST_ROWS)}. Keep a part of them, or use numlp train.`);
  const texts = names.map((_, k) => body.map((row) => (isGap(row[k]) ? null : bare(row[k]))));
  const written = notationOf(texts, separator);
  const notes = header ? [] : ["Its first line is a row, so columns are called “column 1” and so on."];
  return { title, rows: body.length, columns: names.map((name, k) => columnOf(name, texts[k], written)), notes };
}

/** A column: {name, texts}, and numbers if all of its cells are some; `odd` is a text among numbers, `note` is to be told. */
function columnOf(name, texts, written) {
  const { numbers, note, why } = numbersIn(texts, written);
  if (numbers) return { name, numbers, texts, note };
  const fits = texts.map((text) => text !== null && written.pattern.test(text));
  const [known, numeric] = [texts.filter((text) => text !== null).length, fits.filter(Boolean).length];
  const wrong = texts.findIndex((text, i) => text !== null && !fits[i]);
  const isOdd = wrong >= 0 && numeric > known / 2;
  return { name, texts, note: why && `is read as text, since ${why}`, odd: isOdd ? { row: wrong + 1, text: texts[wrong] } : null };
}

/** A table from the page's data; see table.py. */
function tableOfData({ title, rows, of, target, columns }) {
  const read = columns.map(({ name, numbers, levels, codes }) => {
    if (numbers !== undefined) return { name, numbers: new Float64Array(bytesOf(numbers).buffer) };
    const texts = Array.from(new Int32Array(bytesOf(codes).buffer), (code) => (code < 0 ? null : levels[code]));
    return { name, texts, odd: null };
  });
  return { title, rows, of, target, columns: read };
}

const textsOf = ({ texts, numbers }) => texts ?? Array.from(numbers, (value) => (Number.isNaN(value) ? null : String(value)));

/** Whether a column's values are classes rather than amounts: texts, or few different whole numbers. */
function hasClasses({ numbers, texts }) {
  if (!numbers) return true;
  const seen = new Set(numbers.filter((value) => !Number.isNaN(value)));
  return seen.size <= MOST_CLASSES / 2 && [...seen].every(Number.isInteger);
}

/** The columns that a network can take. */
const inputsOf = (table, target) => table.columns.filter(({ name, numbers }) => numbers && name !== target);

/** Why a column that was not asked for is left out, or null. */
function unhelpful({ name, numbers, odd }, place) {
  if (odd) return `it has numbers but for row ${whole(odd.row)}, which says “${odd.text}”`;
  if (!numbers) return null;
  const seen = new Set(numbers.filter((value) => !Number.isNaN(value)));
  if (seen.size < 2) return "it has the same value in all rows";
  const isIndex = place === 0 && NAMELESS.test(name) && seen.size === numbers.length && numbers.every(Number.isInteger);
  return isIndex ? "it has no name, and numbers the rows" : null;
}

/** The target that the page proposes: the last column of texts with few levels, else the last column. */
function usualTarget(table) {
  const named = [...table.columns].reverse().find((column) => !column.numbers && new Set(column.texts).size <= MOST_CLASSES);
  return (named ?? table.columns.at(-1)).name;
}

/**
 * Rows to train on, from the chosen columns of a table: {columns, target, x, y, classes, notes}; rows with a gap are left
 * out. Without names of inputs, all columns of numbers are inputs; without a target, the usual one is.
 */
function rowsOfTable(table, inputs = [], target = null) {
  target ??= table.target ?? usualTarget(table);
  const named = (name) => {
    const column = table.columns.find((each) => each.name === name);
    if (!column) throw new Error(`The link speaks of a column “${name}”, but this table has none of that name. Choose columns below.`);
    return column;
  };
  const aim = named(target);
  const others = table.columns.map((column, place) => ({ ...column, why: column === aim ? null : unhelpful(column, place) }));
  const left = inputs.length ? [] : others.filter(({ why }) => why);
  const chosen = inputs.length ? inputs.map(named) : inputsOf({ columns: others.filter(({ why }) => !why) }, target);
  if (inputs.includes(target)) throw new Error(`“${target}” can't be learned from and predicted at once. Choose another column for one of them.`);
  for (const { name, numbers, odd } of chosen)
    if (!numbers)
      throw new Error(odd ? `“${name}” has numbers but for row ${whole(odd.row)}, which says “${odd.text}”. Correct that cell, or choose another column.` : `“${name}” holds texts, and this page's networks take numbers. Choose another column, or use numlp train, which takes both.`);
  const notes = left.map(({ name, why }) => `“${name}” is left out: ${why}.`);
  if (!chosen.length) throw new Error(["There is no column of numbers to learn from besides the target.", ...notes, "Choose another target."].join(" "));
  const classes = hasClasses(aim);
  const written = classes ? textsOf(aim) : null;
  const complete = [];
  for (let i = 0; i < table.rows; i++) {
    const known = classes ? written[i] !== null : !Number.isNaN(aim.numbers[i]);
    if (known && chosen.every(({ numbers }) => Number.isFinite(numbers[i]))) complete.push(i);
  }
  const gaps = table.rows - complete.length;
  if (gaps) notes.push(`${count(gaps, "row")} with a missing cell ${gaps === 1 ? "is" : "are"} left out.`);
  if (complete.length < LEAST_ROWS) throw new Error(`Only ${count(complete.length, "row")} have all cells of the chosen columns, and the page needs ${LEAST_ROWS}. Choose columns with fewer gaps.`);
  const flat = chosen.filter(({ numbers }) => complete.every((i) => numbers[i] === numbers[complete[0]]));
  if (flat.length) throw new Error(`“${flat[0].name}” has the same value in all rows, so nothing can be learned from it. Choose another column.`);
  const x = new Float64Array(complete.length * chosen.length);
  complete.forEach((i, row) => chosen.forEach(({ numbers }, k) => (x[row * chosen.length + k] = numbers[i])));
  const made = { columns: chosen.map(({ name }) => name), target, x, notes };
  if (!classes) {
    const y = Float64Array.from(complete, (i) => aim.numbers[i]);
    if (y.every((value) => value === y[0])) throw new Error(`“${target}” has the same value in all rows, so there is nothing to predict. Choose another target.`);
    return { ...made, y, classes: null };
  }
  if (complete.every((i) => DATE.test(written[i]))) throw new Error(`“${target}” holds dates, which are neither classes nor numbers. Choose another target.`);
  const { classes: names, y } = engine.classesOf(complete.map((i) => written[i]));
  if (names.length < 2) throw new Error(`“${target}” has one class, “${names[0]}”, so there is nothing to tell apart. Choose another target.`);
  if (names.length > MOST_CLASSES) throw new Error(`“${target}” has ${whole(names.length)} classes, and the page shows ${MOST_CLASSES}. Choose another target.`);
  return { ...made, y, classes: names };
}
