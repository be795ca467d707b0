// model.safetensors, byte for byte as numlp writes it: files/models.py, and https://github.com/huggingface/safetensors.

const SCALARS = { shift: 0, factor: 1 };

function describedNetwork({ network, recipe, data, learned }) {
  const float = (name) => new Float(recipe[name]);
  const hidden = network.layerSize.length - 2;
  return {
    layer_size: network.layerSize,
    activation: Array.isArray(recipe.activation) ? recipe.activation : new Array(hidden).fill(recipe.activation),
    loss: recipe.loss,
    input_features: recipe.input_features ?? null,
    initializer: recipe.initializer,
    normalization: recipe.normalization,
    ...Object.fromEntries(["dropout", "input_dropout", "noise", "input_noise"].map((name) => [name, float(name)])),
    dtype: "float32",
    arithmetic: "portable",
    temperature: new Float(1),
    input_shape: data.shape ?? [data.features],
    feature_names: data.columns ?? null,
    class_names: data.classes ?? null,
    input_encoding: learned.encoding ? describedEncoding(learned.encoding) : null,
    input_range: learned.encoding ? null : "bytes",
  };
}

const describedEncoding = ({ clip, columns }) => ({
  clip,
  columns: columns.map((column) => {
    const numbers = ["shift", "factor", "low", "high"].map((name) => [name, new Float(column[name])]);
    return { ...column, ...Object.fromEntries(numbers) };
  }),
});

/** The tensors by name: {dtype, shape, array}. */
function tensorsOf({ network, learned }) {
  const tensors = {};
  for (const { label, shapes, params } of network.layers) {
    for (const [name, shape] of Object.entries(shapes)) tensors[`${label}.${name}`] = { dtype: "F32", shape, array: params[name] };
  }
  const add = (name, values) => {
    const array = values instanceof Float64Array ? values : Float64Array.of(values);
    tensors[name] = { dtype: "F64", shape: values instanceof Float64Array ? [values.length] : [], array };
  };
  for (const part of ["shift", "factor"]) {
    const inputs = learned.scaling?.[part] ?? SCALARS[part];
    add(`input_scaling.${part}`, inputs.length === 1 ? inputs[0] : inputs);
    add(`target_scaling.${part}`, network.loss.scales ? Float64Array.of(learned.target[part]) : SCALARS[part]);
  }
  if (!learned.encoding) ["lowest", "highest"].forEach((end, i) => add(`input_range.${end}`, i));
  return tensors;
}

/** The bytes of a trainer's model file, with the recipe as the file is to hold it. */
function modelFile(trainer, stored = storedRecipe(trainer)) {
  const recipe = Object.fromEntries(
    Object.entries(stored).map(([name, value]) => [name, typeof value === "number" && ABOUT.floats.includes(name) ? new Float(value) : value]),
  );
  const last = Object.entries(trainer.history.at(-1) ?? {}).filter(([name]) => name !== "epoch");
  const described = {
    format: ABOUT.format,
    format_version: ABOUT.formatVersion,
    numlp_version: ABOUT.version,
    ensemble: false,
    temperature: new Float(1),
    networks: [describedNetwork(trainer)],
    recipe,
    training: {
      epochs: trainer.history.length,
      ended: trainer.ended ?? "interrupted",
      last_epoch: Object.fromEntries(last.map(([name, value]) => [name, new Float(value)])),
    },
  };
  return safetensors(tensorsOf(trainer), { numlp: pythonJson(described) });
}

/** The bytes of a file: the length of a header in JSON, the header, and the tensors, those of 64 bits first. */
function safetensors(tensors, metadata) {
  const wider = ([, { dtype: a }], [, { dtype: b }]) => Number(b.slice(1)) - Number(a.slice(1));
  const ordered = Object.entries(tensors).sort((a, b) => wider(a, b) || (a[0] < b[0] ? -1 : 1));
  const header = { __metadata__: metadata };
  let size = 0;
  for (const [name, { dtype, shape, array }] of ordered) {
    header[name] = { dtype, shape, data_offsets: [size, size + array.byteLength] };
    size += array.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + size).fill(32, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  for (const [name, { array }] of ordered) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 8 + length + header[name].data_offsets[0]);
  }
  return bytes;
}

/** The SHA-256 of bytes, in hexadecimal digits. */
async function digest(bytes) {
  if (!globalThis.crypto?.subtle) throw new Error("browsers compute digests only for pages from files or by HTTPS");
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
