// A trainer in a worker, so that the page never freezes. Calls go there as {id, name, args} and come back as {id, result} or
// {id, error}; while it runs, reports come as {report}.

const SLICE = 40; // milliseconds of training between two looks at the calls

/** Answer calls, in a worker. */
function serve(scope) {
  let [trainer, timer, reported] = [null, null, 0];

  const report = (state, withParams) => ({
    ...state,
    history: trainer.history,
    params: withParams ? trainer.network.params.slice() : null,
  });

  function run({ every = 100, params = false } = {}) {
    pause();
    const slice = () => {
      const start = performance.now();
      let state;
      do state = trainer.step();
      while (performance.now() - start < SLICE && !["completed", "diverged"].includes(state.ended));
      const over = ["completed", "diverged"].includes(state.ended);
      if (over || performance.now() - reported >= every) {
        scope.postMessage({ report: report(state, params) });
        reported = performance.now();
      }
      timer = over ? null : setTimeout(slice);
    };
    slice();
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    return trainer ? report(trainer.report(trainer.ended), false) : null;
  }

  const calls = {
    make(recipe, data) {
      pause();
      trainer = makeTrainer(recipe, data);
    },
    run,
    pause,
    step(count = 1) {
      let state = trainer.report(trainer.ended);
      for (let i = 0; i < count && !trainer.ended; i++) state = trainer.step();
      return report(state, true);
    },
    files: () => ({ recipe: recipeFile(trainer), model: modelFile(trainer) }),
    model: (stored) => modelFile(trainer, stored),
    recipe: () => trainer.recipe,
    repeatable: () => trainer.repeatable,
    params: () => trainer.network.params.slice(),
  };
  for (const name of ["set", "reset", "epoch", "predict", "responses", "norms", "judge", "trace"]) {
    calls[name] = (...args) => trainer[name](...args);
  }

  scope.onmessage = ({ data: { id, name, args } }) => {
    try {
      scope.postMessage({ id, result: calls[name](...args) });
    } catch (error) {
      scope.postMessage({ id, error: error.message });
    }
  };
}

/** A trainer in a worker of the engine's own text: `call` and the rest return promises. */
function remote() {
  const text = `${document.getElementById("engine").textContent}\nengine.serve(self);`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url);
  const waiting = new Map();
  let [last, listen] = [0, null];
  worker.onmessage = ({ data: { id, result, error, report } }) => {
    if (report) return listen?.(report);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  };
  const call = (name, ...args) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, name, args });
    });
  return {
    call,
    make: (recipe, data) => call("make", recipe, data),
    run(onReport, options) {
      listen = onReport;
      return call("run", options);
    },
    pause: () => call("pause"),
    step: (count) => call("step", count),
    end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
