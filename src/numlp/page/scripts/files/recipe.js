// The recipe of a trainer, as `numlp train --recipe` reads it.

const NAMELESS = /^(column [0-9]+|Unnamed: [0-9]+|__index_level_0__)$/; // names of columns that may be left out

/** All settings, with where the data is: rows of a table that validate come last in its file. */
function storedRecipe({ recipe, data }) {
  const stored = { ...recipe, data: data.name, arithmetic: "portable", ...(data.columns && tableSettings(data)) };
  if (data.columns && data.validation) {
    const held = data.validation.y.length;
    Object.assign(stored, { validation: held / (data.y.length + held), split: "last" });
  }
  return Object.fromEntries(ABOUT.settings.map((name) => [name, stored[name] ?? null]).filter(([, value]) => value !== null));
}

/** How a table's file is written, where its cells could mean something else. */
function tableSettings({ columns, target, classes }) {
  const keep = columns.filter((name) => NAMELESS.test(name));
  return { target, header: true, decimal: ".", keep, kind: classes ? [`${target}=text`] : [] };
}

/** recipe.toml, as tomli_w writes it. */
function recipeFile(trainer) {
  const line = ([name, value]) => {
    if (!Array.isArray(value)) return `${name} = ${tomlValue(name, value)}\n`;
    return value.length ? `${name} = [\n${value.map((each) => `    ${tomlValue(name, each)},\n`).join("")}]\n` : `${name} = []\n`;
  };
  return Object.entries(storedRecipe(trainer)).map(line).join("");
}

function tomlValue(name, value) {
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
  return ABOUT.floats.includes(name) ? pythonFloat(value) : String(value);
}
