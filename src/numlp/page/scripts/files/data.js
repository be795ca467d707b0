// The data as a file that numlp reads: a table as CSV, pictures as NumPy's .npz.

const OTHER_SEPARATORS = /[\t;|~^\x1f]/;
const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;

/** The order of texts in Python, which differs from that of UTF-16 where one has a character beyond U+FFFF. */
function byCodePoint(one, other) {
  const [a, b] = [one, other].map((text) => Array.from(text, (sign) => sign.codePointAt(0)));
  const k = a.findIndex((code, i) => code !== b[i]);
  return k < 0 ? a.length - b.length : a[k] - (b[k] ?? -1);
}

/** The classes of texts, in numlp's order, and each text's index: by value if all are numbers. */
function classesOf(texts) {
  const names = [...new Set(texts)].sort(byCodePoint);
  const classes = names.every((name) => NUMBER.test(name)) ? names.sort((a, b) => a - b) : names;
  const places = new Map(classes.map((name, i) => [name, i]));
  return { classes, y: Int32Array.from(texts, (text) => places.get(text)) };
}

/** {name, bytes} of the data of a trainer. */
function dataFile(data) {
  const bytes = data.columns ? new TextEncoder().encode(csv(data)) : npz(data);
  return { name: data.name, bytes };
}

const quoted = (text) => (/[",\r\n]|^\s|\s$/.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text);

/** A table with a line for each row: those that train, then those that validate. */
function csv({ columns, target, classes, features, x, y, validation }) {
  const cell = (value) => (Number.isNaN(value) ? "" : pythonFloat(value));
  const texts = [...columns, target, ...(classes ?? [])];
  const told = texts.some((text) => OTHER_SEPARATORS.test(text)) ? ["sep=,"] : []; // else it may be taken for one of those
  const lines = [...told, [...columns, target].map(quoted).join(",")];
  for (const part of [{ x, y }, ...(validation ? [validation] : [])]) {
    for (let i = 0; i < part.y.length; i++) {
      const cells = Array.from(part.x.subarray(i * features, (i + 1) * features), cell);
      lines.push([...cells, classes ? quoted(classes[part.y[i]]) : cell(part.y[i])].join(","));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** An archive of arrays, as numpy.savez writes them; classes that are no numbers of their own go by their names. */
function npz({ shape, x, y, classes, validation }) {
  const parts = { train: { x, y }, ...(validation && { validation }) };
  const numbered = classes.every((name, i) => name === String(i));
  const members = Object.entries(parts).flatMap(([part, rows]) => [
    [`x_${part}.npy`, npy(rows.x, "|u1", [rows.y.length, ...shape])],
    [`y_${part}.npy`, numbered ? npy(rows.y, "<i4", [rows.y.length]) : npyOfTexts(Array.from(rows.y, (i) => classes[i]))],
  ]);
  return zip(members);
}

function npyOfTexts(texts) {
  const letters = texts.map((text) => Array.from(text, (letter) => letter.codePointAt(0)));
  const width = Math.max(...letters.map(({ length }) => length));
  const codes = Uint32Array.from(letters.flatMap((own) => Array.from({ length: width }, (_, i) => own[i] ?? 0)));
  return npy(codes, `<U${width}`, [texts.length]);
}

function npy(array, descr, shape) {
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + "\n";
  const head = [0x93, ...[..."NUMPY"].map((letter) => letter.charCodeAt(0)), 1, 0, padded.length & 255, padded.length >> 8];
  return joinedBytes([Uint8Array.from(head), new TextEncoder().encode(padded), new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]);
}

function joinedBytes(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A ZIP archive whose members aren't compressed; see PKWARE's APPNOTE.TXT, 4.3. */
function zip(members) {
  const [parts, entries] = [[], []];
  let offset = 0;
  for (const [name, content] of members) {
    const text = new TextEncoder().encode(name);
    const shared = [20, 0, 0, 0, 0x21, crc32(content), content.length, content.length, text.length];
    const fields = littleEndian([0x04034b50, ...shared, 0], [4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2]);
    const central = littleEndian([0x02014b50, 20, ...shared, 0, 0, 0, 0, 0, offset], [4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4]);
    parts.push(fields, text, content);
    entries.push(central, text);
    offset += fields.length + text.length + content.length;
  }
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const end = littleEndian([0x06054b50, 0, 0, members.length, members.length, size, offset, 0], [4, 2, 2, 2, 2, 4, 4, 2]);
  return joinedBytes([...parts, ...entries, end]);
}

const littleEndian = (numbers, sizes) =>
  Uint8Array.from(numbers.flatMap((number, i) => Array.from({ length: sizes[i] }, (_, byte) => Math.floor(number / 256 ** byte) & 255)));

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
