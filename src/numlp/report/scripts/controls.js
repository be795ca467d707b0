// Controls: what a reader fills a column's value in with, by the kind of column.
// Each has an element, `write` to show a value, and `read`, which gives undefined for what is no value.

const MOST_CHOICES = 30; // levels in a list; among more, a reader types
const MOST_SUGGESTIONS = 50;

function controlOf(column, levels, edit) {
  if (column.kind === "date") return dateControl(column, edit);
  if (column.kind === "number") return column.switch ? switchControl(edit) : numberControl(column, edit);
  return levels.length > MOST_CHOICES ? textControl(levels, edit) : levelControl(levels, edit);
}

/** A number; where training rows may have gaps, an empty field is one. */
function numberControl({ missing, digits }, edit) {
  const gaps = missing !== null;
  const input = h("input", { type: "number", step: "any", placeholder: gaps && "missing", oninput: edit });
  const write = (value) => (input.value = value === null ? "" : Number(value.toPrecision(digits === null ? 7 : 15)));
  const read = () => {
    if (Number.isFinite(input.valueAsNumber)) return input.valueAsNumber;
    return gaps && !input.validity.badInput ? null : undefined;
  };
  return { element: input, write, read };
}

function dateControl({ time }, edit) {
  const type = time ? "datetime-local" : "date";
  const input = h("input", { type, step: time && 1, max: time ? "9999-12-31T23:59" : "9999-12-31", oninput: edit });
  const write = (value) => {
    const text = value === null ? "" : new Date(Math.min(LAST_DATE, Math.max(-LAST_DATE, value)) / 1000).toISOString();
    input.value = text.slice(0, time ? 19 : 10);
  };
  const read = () => {
    if (Number.isFinite(input.valueAsNumber)) return input.valueAsNumber * 1000;
    return input.validity.badInput ? undefined : null;
  };
  return { element: input, write, read };
}

/** A list of values with a text for each; null is the last. */
function listControl(values, texts, edit) {
  const options = [...values, null].map((_, i) => h("option", { value: i }, texts[i] ?? "missing"));
  const list = h("select", { onchange: edit }, ...options);
  const write = (value) => (list.value = value === null ? values.length : values.indexOf(value));
  return { element: list, options, write, read: () => values[list.value] ?? null };
}

function switchControl(edit) {
  return listControl([0, 1], ["no (0)", "yes (1)"], edit);
}

/** One of few levels, or another that training has not seen. */
function levelControl(levels, edit) {
  const column = { kind: "text" };
  const values = [...levels, OTHER];
  const control = listControl(values, [...levels.map((level) => cellText(column, level)), "other"], edit);
  const other = control.options[levels.length];
  let text = OTHER;
  return {
    element: control.element,
    write(value) {
      const known = value === null || levels.includes(value);
      text = known ? OTHER : value;
      other.textContent = text === OTHER ? "other" : `other: ${text}`;
      control.write(known ? value : OTHER);
    },
    read: () => (control.read() === OTHER ? text : control.read()),
  };
}

let suggested = 0; // how many lists there are, since each has an id

/** One of many levels: those that hold what was typed are suggested. */
function textControl(levels, edit) {
  const list = h("datalist", { id: `levels-${suggested++}` });
  const input = h("input", { type: "text", list: list.id, placeholder: "missing", autocomplete: "off" });
  const suggest = () => {
    const typed = input.value.toLowerCase();
    const found = levels.filter((level) => level.toLowerCase().includes(typed)).slice(0, MOST_SUGGESTIONS);
    list.replaceChildren(...found.map((level) => h("option", { value: level })));
  };
  input.addEventListener("input", () => (suggest(), edit()));
  input.addEventListener("focus", suggest);
  const write = (value) => (input.value = value ?? "");
  return { element: h("span", { class: "typed" }, input, list), input, write, read: () => input.value || null };
}
