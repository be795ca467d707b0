// Named values: texts such as "sgd(momentum = 0.9)", as in settings/named.py.
// ABOUT.named, from page/engine.py, has the names of each kind, and each name's settings: {default, kind}.

/** A text's name and settings. */
function resolved(kind, text) {
  const known = ABOUT.named[kind];
  const [, name, inside] = /^\s*(\w+)\s*(?:\(([^)]*)\))?\s*$/.exec(text) ?? [];
  if (!Object.hasOwn(known, name ?? "")) throw new Error(`${kind} must be one of ${Object.keys(known).join(", ")}, not “${text}”`);
  const settings = Object.fromEntries(Object.entries(known[name]).map(([key, setting]) => [key, setting.default]));
  for (const [, key, value] of (inside ?? "").matchAll(/(\w+)\s*=\s*(\[[^\]]*\]|"[^"]*"|[^,]+)/g)) {
    if (!Object.hasOwn(settings, key)) throw new Error(`${kind} ${name} has no setting “${key}”`);
    settings[key] = JSON.parse(value);
  }
  return { name, settings };
}

/** A text with the settings that differ from their defaults alone, as Python writes it. */
function canonical(kind, text) {
  const { name, settings } = resolved(kind, text);
  const known = ABOUT.named[kind][name];
  const changed = Object.entries(settings).filter(([key, value]) => String(value) !== String(known[key].default));
  const parts = changed.map(([key, value]) => `${key} = ${pythonJson(value, known[key].kind === "float")}`);
  return parts.length ? `${name}(${parts.join(", ")})` : name;
}
