// Worker: trains beside the page, which so never waits. Messages have a kind; the page asks for every frame that it draws.

const SLICE = 12; // milliseconds of steps between two looks at the messages
const PACES = { slow: 4, steady: 60, fast: Infinity }; // steps a second

/** Listen to the page; `scope` is the worker's global object. */
function startWorker(scope) {
  let session = null;
  let running = false;
  let pace = Infinity;
  let asked = null; // the epoch from which on the page lacks the history
  let fresh = true; // something changed since the last frame
  let due = 0;
  let ready = 0; // when the next frame may be made: training gets as much time as the last one took
  let run = { steps: 0, since: 0, speed: 0 };
  const turns = new MessageChannel();
  turns.port1.onmessage = turn;

  const say = (message) => scope.postMessage(message);
  const handlers = {
    begin({ state, rows, number }) {
      session = asked = null;
      session = new Session(state, rows);
      say({ kind: "begun", number, about: session.about });
      stopCounting();
      fresh = true;
    },
    change: ({ state }) => session?.change(state),
    run({ pace: name }) {
      pace = PACES[name];
      if (running) return;
      running = true;
      stopCounting();
      due = performance.now();
      turns.port2.postMessage(0);
    },
    pause() {
      running = false;
      fresh = true;
    },
    step() {
      session?.step();
      fresh = true;
    },
    epoch() {
      session?.finishEpoch();
      fresh = true;
    },
    look: ({ from }) => (asked = from),
    file({ name }) {
      if (!session) throw new Error("There is no network to save yet: choose data and settings that make one.");
      say({ kind: "file", name, content: session.file(name) });
      fresh = true;
    },
    answer({ x, number }) {
      say({ kind: "answer", number, values: session?.trainer.predict(x) ?? null });
    },
  };

  function stopCounting() {
    run = { steps: session?.trainer.at.step ?? 0, since: performance.now(), speed: 0 };
  }

  /** Steps for a while, then the frame if the page wants one. */
  function turn() {
    if (!running || !session || session.isOver) {
      running = false;
      return answerLook();
    }
    const until = performance.now() + SLICE;
    guarded(() => {
      do {
        if (pace !== Infinity && performance.now() < due) break;
        session.step();
        fresh = true;
        due = pace === Infinity ? 0 : Math.max(due + 1000 / pace, performance.now() - 100);
      } while (performance.now() < until && !session.isOver);
    });
    const elapsed = performance.now() - run.since;
    const { step } = session.trainer.at;
    if (elapsed > 500) run = { steps: step, since: performance.now(), speed: (1000 * (step - run.steps)) / elapsed };
    answerLook();
    if (pace === Infinity) turns.port2.postMessage(0);
    else setTimeout(turn, Math.min(15, Math.max(0, due - performance.now())));
  }

  function answerLook() {
    const began = performance.now();
    if (asked === null || !fresh || !session || (running && began < ready)) return;
    const from = asked;
    asked = null;
    fresh = false;
    guarded(() => say({ kind: "frame", speed: run.speed, running: running && !session.isOver, ...session.frame(from) }));
    ready = 2 * performance.now() - began;
  }

  function guarded(work) {
    try {
      work();
    } catch (error) {
      running = false;
      say({ kind: "refused", text: error.message });
    }
  }

  scope.onmessage = ({ data }) => {
    guarded(() => handlers[data.kind](data));
    answerLook();
  };
}
