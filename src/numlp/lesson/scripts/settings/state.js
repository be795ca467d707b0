// State: everything that the reader chose, checked, and as text in the address's fragment, which a teacher can link to.

const MOST_LAYERS = 6;
const MOST_UNITS = 256;
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const DECAYS = [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const PENALTIES = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];
const EPOCH_COUNTS = [10, 30, 100, 300, 1000];
const VALUE_LOSSES = ["squared_error", "absolute_error", "huber"];
const SCHEDULES = ["constant", "cosine", "one_cycle"];
const ROW_COUNTS = [40, 75, 125, 250, 625];
/** Optimizers by what a reader would call them; weight decay joins their settings. */
const DESCENTS = {
  sgd: { name: "sgd", settings: {} },
  momentum: { name: "sgd", settings: { momentum: 0.9 } },
  nesterov: { name: "sgd", settings: { momentum: 0.9, nesterov: true } },
  adam: { name: "adam", settings: {} },
  adamw: { name: "adamw", settings: {} },
  rmsprop: { name: "rmsprop", settings: {} },
  lion: { name: "lion", settings: {} },
};
const activationNames = () => Object.keys(engine.ABOUT.named.activation);

const numberIn = (least, most, what) => (text) => {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) throw new Error(`it must be ${what}`);
  return value;
};
const wholeIn = (least, most) => (text) => {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || value < least || value > most)
    throw new Error(`it must be a whole number from ${whole(least)} to ${whole(most)}`);
  return value;
};
const oneOf = (names) => (text) => {
  if (!names().includes(text)) throw new Error(`it must be one of ${names().join(", ")}`);
  return text;
};

function widthsOf(text) {
  if (text === "none" || text.trim() === "") return [];
  const parts = text.split("-");
  if (parts.length > MOST_LAYERS) throw new Error(`there can be at most ${MOST_LAYERS} hidden layers`);
  return parts.map(wholeIn(1, MOST_UNITS));
}

/** The names of one or two columns; none of them stands for all. Commas separate names, in which they are escaped. */
function columnsOf(text) {
  const names = text === "" ? [] : text.split(",").map(decoded);
  if (names.length > 2) throw new Error("it must name one or two columns, or none for all");
  return names;
}

/** Each setting: what it is at first, how a text becomes its value, and whether a change makes training begin anew. */
const SETTINGS = {
  data: { usual: "circles", read: oneOf(() => dataNames()), anew: true },
  rows: { usual: 625, read: wholeIn(20, 625), anew: true },
  spread: { usual: null, read: numberIn(0, 1, "a number from 0 to 1"), anew: true },
  layers: { usual: [8], read: widthsOf, anew: true },
  activation: { usual: "tanh", read: oneOf(activationNames), anew: true },
  initializer: { usual: "usual", read: oneOf(() => ["usual", ...engine.ABOUT.initializers]), anew: true },
  normalization: { usual: "none", read: oneOf(() => engine.ABOUT.normalizations), anew: true },
  optimizer: { usual: "sgd", read: oneOf(() => Object.keys(DESCENTS)) },
  learning_rate: { usual: 0.1, read: numberIn(1e-9, 1e6, "a number above 0") },
  batch_size: { usual: 32, read: wholeIn(1, 10000) },
  decay: { usual: 0, read: numberIn(0, 100, "a number of at least 0") },
  dropout: { usual: 0, read: numberIn(0, 0.95, "a number from 0 to 0.95") },
  noise: { usual: 0, read: numberIn(0, 10, "a number from 0 to 10") },
  input_noise: { usual: 0, read: numberIn(0, 10, "a number from 0 to 10") },
  l1: { usual: 0, read: numberIn(0, 100, "a number of at least 0") },
  l2: { usual: 0, read: numberIn(0, 100, "a number of at least 0") },
  loss: { usual: "squared_error", read: oneOf(() => VALUE_LOSSES), anew: true },
  schedule: { usual: "constant", read: oneOf(() => SCHEDULES), anew: true },
  epochs: { usual: 100, read: wholeIn(1, 100000), anew: true },
  seed: { usual: 0, read: wholeIn(0, 2 ** 32 - 1), anew: true },
  target: { usual: null, read: (text) => text, anew: true },
  inputs: { usual: [], read: columnsOf, write: (names) => names.map(encodeURIComponent).join(","), anew: true },
};
const OWN = "own"; // the reader's table, whose columns `target` and `inputs` name

const usualState = () => Object.fromEntries(Object.entries(SETTINGS).map(([name, { usual }]) => [name, usual]));

const writtenSetting = (name, value) => SETTINGS[name].write?.(value) ?? (Array.isArray(value) ? value.join("-") || "none" : String(value));

/** The fragment of a state: the lesson, and every setting, whether it is usual or not. */
function fragmentOf(lesson, state) {
  const parts = lesson ? [["lesson", lesson]] : [];
  const columns = (name) => name === "target" || name === "inputs";
  for (const name of Object.keys(SETTINGS))
    if (state[name] !== null && (state.data === OWN || !columns(name))) parts.push([name, writtenSetting(name, state[name])]);
  return `#${parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

/** The lesson and the settings that a fragment names, and what is wrong in it; a lesson brings its settings along. */
function readFragment(fragment, lessons) {
  const complaints = [];
  const given = {};
  let lesson = 0;
  for (const part of fragment.replace(/^#/, "").split("&").filter(Boolean)) {
    const [name, ...rest] = part.split("=");
    const text = decoded(rest.join("="));
    if (name === "lesson") {
      if (lessons[Number(text) - 1]) lesson = Number(text);
      else complaints.push(`There is no lesson “${text}”: there are ${lessons.length}.`);
    } else if (!SETTINGS[name]) complaints.push(`The link names a setting “${name}”, which this page doesn't have.`);
    else if (name === "data" && text === OWN && !dataNames().includes(text))
      complaints.push("The link is about a table of your own, or its sender's, which no link can hold. Open that table below, and the page chooses the link's columns.");
    else {
      try {
        given[name] = SETTINGS[name].read(text);
      } catch (error) {
        complaints.push(`The link's ${name.replaceAll("_", " ")} is “${text}”, but ${error.message}. The page took its usual value.`);
      }
    }
  }
  const state = { ...usualState(), ...(lesson ? lessons[lesson - 1].state : {}), ...given };
  return { lesson, state, complaints };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % sign
  }
}

/** The names of the settings that differ between two states. */
const changedSettings = (before, after) =>
  Object.keys(SETTINGS).filter((name) => writtenSetting(name, before[name]) !== writtenSetting(name, after[name]));
