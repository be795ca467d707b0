// Runs jobs of a test in Node, after the engine's text: reads them from standard input, writes what they gave as JSON.
// Arrays travel as {array: their type, bytes: in base64}.

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array, uint32: Uint32Array };

function received(value) {
  if (Array.isArray(value)) return value.map(received);
  if (value === null || typeof value !== "object") return value;
  if (!("array" in value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, received(inner)]));
  }
  const bytes = Buffer.from(value.bytes, "base64");
  return new ARRAYS[value.array](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function sent(key, value) {
  const dtype = Object.keys(ARRAYS).find((name) => value instanceof ARRAYS[name]);
  if (!dtype) return value;
  return { array: dtype, bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
}

/** What training by a recipe gives: parameters before and after, the history, and the files. */
function trained({ recipe, data }) {
  const trainer = engine.makeTrainer(recipe, data);
  const first = trainer.network.params.slice();
  while (!trainer.ended) trainer.epoch();
  const files = { recipe: engine.recipeFile(trainer), model: engine.modelFile(trainer), data: engine.dataFile(data).bytes };
  return { first, last: trainer.network.params, history: trainer.history, ended: trainer.ended, files };
}

const jobs = received(JSON.parse(require("fs").readFileSync(0, "utf8")));
const found = jobs.map(({ code, ...job }) => {
  try {
    return { result: code ? new Function("engine", "job", code)(engine, job) : trained(job) };
  } catch (error) {
    return { error: error.stack };
  }
});
process.stdout.write(JSON.stringify(found, sent));
