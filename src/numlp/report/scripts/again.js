// Again: trains a small portable run once more in a worker, and compares the digest of its file; see report/again.py.

/** The rows of a part, as the engine takes them. */
function rowsAgain({ x, y }, { columns, classes }) {
  const [values, targets] = [x, y].map((base64) => bytesOf(base64).buffer);
  return {
    x: columns ? new Float64Array(values) : new Uint8Array(values),
    y: classes ? new Int32Array(targets) : new Float64Array(targets),
  };
}

function mountAgain(mount, { recipe, data, digest }) {
  const said = h("p", { class: "hint", role: "status" });
  const button = h("button", { type: "button", onclick: train }, "Train it again in this page");
  mount.append(button, said);

  async function train() {
    button.disabled = true;
    const remote = engine.remote();
    try {
      await remote.make(recipe, { ...data, ...rowsAgain(data, data), validation: rowsAgain(data.validation, data) });
      const state = await new Promise((resolve, reject) => {
        const report = (now) => {
          said.textContent = `Epoch ${now.epoch} of ${recipe.epochs} …`;
          if (now.ended === "completed" || now.ended === "diverged") resolve(now);
        };
        remote.run(report).catch(reject);
      });
      const bytes = await remote.call("model", recipe);
      const found = await engine.digest(bytes);
      const same = found === digest;
      said.textContent = same
        ? `This browser's network has the same ${whole(bytes.length)} bytes as the run's model.safetensors: SHA-256 ${found}.`
        : `This browser's network differs from the run's: SHA-256 ${found} instead of ${digest}, after ${count(state.epoch, "epoch")}.`;
    } catch (error) {
      said.textContent = `Training failed: ${error.message}`;
    }
    remote.end();
    button.disabled = false;
  }
}
