// The lesson: puts the page together, and passes on what its parts tell.

const lesson = { rows: null, history: 0, beginnings: 0 };

/** The data sets that this page has, by name: made ones, images, and the reader's table once there is one. */
const sources = () => lesson.data.sources;
const dataNames = () => Object.keys(sources());
const dataTitles = () => Object.fromEntries(Object.entries(sources()).map(([name, { title }]) => [name, title]));

async function mountLesson() {
  const data = JSON.parse(document.getElementById("data").textContent);
  lesson.data = data;
  if (data.own) sources()[OWN] = data.own;
  mountTheme(document.getElementById("theme"));
  palette.read();
  const parts = {
    guide: new Guide(tryOut),
    play: new Play({ start, pause, step: () => once("step"), epoch: () => once("epoch"), back: () => begin(null), pace: (name) => lesson.running && lesson.trainer.send("run", { pace: name }) }),
    picture: new Picture(),
    wiring: new Wiring(chooseUnit),
    digit: new Digit((x) => lesson.trainer.answer(x)),
    controls: new Controls(changed),
    progress: new Progress(),
    own: new Own(takeTable, complain, () => lesson.state),
    leaving: new Leaving(leave),
  };
  Object.assign(lesson, parts);
  const mount = (name, ...children) => document.querySelector(`[data-mount="${name}"]`).append(...children);
  mount("lessons", parts.guide.list);
  mount("guide", parts.guide.box);
  mount("play", parts.play.box);
  mount("wiring", parts.wiring.box);
  mount("picture", parts.picture.box, parts.digit.box);
  mount("controls", parts.controls.form);
  mount("progress", parts.progress.box);
  mount("own", parts.own.box);
  mount("leaving", parts.leaving.box);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address says what the page shows
    parts.play.start.focus();
  });
  mount("complaint", h("button", { type: "button", onclick: () => clearComplaint() }, "Close"));
  lesson.complaint = document.querySelector(".complaint");
  lesson.notes = document.querySelector('[data-mount="notes"]');
  const text = [...document.querySelectorAll("script:not([type])")].map((script) => script.textContent).join("\n");
  lesson.trainer = new Trainer(text, { begun, frame: draw, refused: ({ text }) => stopped(text), file: saveFile, answer() {} });
  addEventListener("hashchange", () => location.hash !== lesson.fragment && openFragment(true));
  new MutationObserver(recolor).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  if (data.own) parts.own.show(tableOfData(data.own), usualState());
  await openFragment(false);
  document.documentElement.dataset.ready = "";
}

/** Go where the address leads: to a lesson, a state, or both. */
async function openFragment(moved) {
  const { lesson: number, state, complaints } = readFragment(location.hash, LESSONS);
  if (!location.hash) Object.assign(state, OPENING, lesson.data.first && { data: lesson.data.first });
  lesson.number = number;
  lesson.guide.show(number);
  await begin(state, true);
  if (complaints.length) complain(complaints.join(" "));
  if (moved && number) document.getElementById("lesson-title").focus();
}

/** Begin with a network that has learned nothing; with the state as it is if none is given. */
async function begin(wanted, isNew = false) {
  const old = lesson.state;
  const state = { ...(wanted ?? old) };
  const source = sources()[state.data];
  if (state.spread === null || (old && old.data !== state.data && wanted && wanted.spread === old.spread)) state.spread = source.spread ?? 0;
  const before = isNew || !old || old.data !== state.data ? "" : nameOfRun(old, state);
  pauseQuietly();
  take(state);
  const number = ++lesson.beginnings;
  let rows;
  try {
    rows = await rowsOf(state);
  } catch (error) {
    if (number !== lesson.beginnings) return;
    lesson.resume = false;
    if (old) take(old); // the network stays what it was
    complain(error.message);
    return;
  }
  if (number !== lesson.beginnings) return; // while images were unpacked, the reader chose something else
  lesson.rows = rows;
  clearComplaint();
  lesson.notes.textContent = rows.notes.join(" ");
  lesson.controls.reveal({ loss: !rows.classes });
  if (state.data === OWN) lesson.own.choose(state);
  Object.assign(lesson, { history: 0, before, about: null, frame: null });
  cancelAnimationFrame(lesson.drawing);
  lesson.trainer.begin(lesson.state, rows);
}

/** Let the controls and the address be those of a state. */
function take(state) {
  lesson.state = state;
  lesson.fragment = fragmentOf(lesson.number, state);
  history.replaceState(null, "", lesson.fragment);
  const isShape = kindOf(sources()[state.data]) === "shape";
  lesson.controls.show(state);
  lesson.controls.reveal({ rows: isShape, spread: isShape, epochs: state.schedule !== "constant" });
}

const kindOf = (source) => (source.points ? "shape" : source.images ? "images" : "table");

async function rowsOf({ data, rows, spread, target, inputs }) {
  const source = sources()[data];
  const kind = kindOf(source);
  if (kind === "shape") return rowsOfShape(source, rows, spread);
  if (kind === "images") return (source.unpacked ??= await rowsOfImages(source));
  return rowsOfTable(lesson.own.table, inputs, target);
}

/** What an earlier run is called beside a new one: the settings that it had different. */
function nameOfRun(old, state) {
  const names = changedSettings(old, state);
  return names.length ? names.map((name) => `${name.replaceAll("_", " ")} ${writtenSetting(name, old[name])}`).join(", ") : "the same";
}

/** The worker has made the network. */
function begun({ about }) {
  const { rows, state } = lesson;
  lesson.about = about;
  const isPicture = Boolean(rows.picture);
  lesson.picture.box.hidden = isPicture;
  lesson.digit.box.hidden = !isPicture;
  if (!isPicture) lesson.picture.begin(rows, about);
  lesson.wiring.begin(rows, about, state.layers);
  lesson.progress.begin(layerNames(state.layers), lesson.before);
  lesson.leaving.begin(rows);
  if (isPicture) lesson.digit.begin(rows);
  lesson.unit = null;
  askForFrame();
  if (lesson.resume) start();
  lesson.resume = false;
}

const layerNames = (layers) => [...layers.map((_, i) => `layer ${i + 1}`), layers.length ? "output layer" : "the only layer"];

const askForFrame = () => lesson.trainer.send("look", { from: lesson.history });

/** Show a frame once the browser is ready to draw one. */
function draw(frame) {
  lesson.drawing = requestAnimationFrame(() => showFrame(frame));
}

function showFrame(frame) {
  lesson.frame = frame;
  frame.history.splice(0, lesson.history - frame.from); // epochs that another frame has told
  lesson.history += frame.history.length;
  askForFrame(); // the worker makes the next one while this one is drawn
  const last = frame.history.at(-1) ?? lesson.progress.history.at(-1);
  lesson.wiring.update(frame);
  if (frame.surface) lesson.picture.update(frame, lesson.unit);
  lesson.progress.update(frame, lesson.state.layers);
  lesson.play.update(frame, last, !lesson.rows.classes);
  lesson.leaving.remark(frame.changes);
  if (lesson.rows.picture && (!frame.running || frame.step % 4 === 0)) lesson.digit.update();
  if (frame.diverged && lesson.running) diverged();
  if (frame.completed && lesson.running) completed();
  if (lesson.paused && !frame.running) sayWhere(frame);
  describe(frame, last);
}

const DIVERGED = "The training diverged: the steps were so large that the loss became infinite. Choose a smaller learning rate, and start again; the network has the weights of its last whole epoch.";

const COMPLETED = "The schedule of the learning rate is at its end, and so is the training. Go back to the beginning, or choose more epochs.";

/** What the pictures show, for those who can't see them; said when nothing moves. */
function describe(frame, last) {
  if (frame.running) return;
  const result = last ? `after epoch ${frame.epoch}, with a validation loss of ${shortNumber(last.validation_loss, 3)}` : "before its first step";
  lesson.picture.describe(`The network's answers ${result}. ${lesson.rows.classes ? `Classes: ${lesson.rows.classes.join(", ")}.` : ""}`);
}

function start() {
  if (lesson.frame?.completed) return lesson.play.say(COMPLETED);
  if (!lesson.about || lesson.frame?.diverged) return;
  lesson.running = true;
  lesson.play.setRunning(true);
  lesson.play.say("Training.");
  lesson.trainer.send("run", { pace: lesson.play.pace.value });
}

function pauseQuietly() {
  lesson.running = false;
  lesson.play.setRunning(false);
  lesson.trainer.send("pause");
}

function pause() {
  pauseQuietly();
  lesson.paused = true; // the worker's last frame says where
}

function sayWhere({ epoch }) {
  lesson.paused = false;
  lesson.play.say(epoch ? `Paused after epoch ${whole(epoch)}. ${lesson.progress.verdict.textContent}` : "Paused.");
}

function diverged() {
  pauseQuietly();
  lesson.play.say("");
  complain(DIVERGED);
}

/** The schedule of the learning rate has come to its end. */
function completed() {
  pauseQuietly();
  lesson.play.say(COMPLETED);
}

function once(kind) {
  if (lesson.frame?.completed) return lesson.play.say(COMPLETED);
  if (lesson.running) pauseQuietly();
  lesson.trainer.send(kind);
  lesson.play.say(kind === "step" ? "One step." : "One epoch.");
}

/** The reader changed a setting: some take effect with the next step, others begin a new network. */
function changed(settings, wrong) {
  if (wrong) return void complain(wrong);
  const names = Object.keys(settings);
  if (names.some((name) => SETTINGS[name].anew) || !lesson.frame?.step || lesson.frame.diverged || lesson.frame.completed) {
    lesson.resume = lesson.running;
    begin({ ...lesson.state, ...settings });
    return;
  }
  take({ ...lesson.state, ...settings });
  clearComplaint();
  lesson.trainer.send("change", { state: lesson.state });
}

/** Take the settings that a lesson proposes, from the beginning, and start. */
async function tryOut(settings) {
  lesson.resume = true;
  await begin({ ...usualState(), ...settings });
  document.getElementById("stage").scrollIntoView({ block: "start" });
}

/** The reader's table, and what to learn from it. */
function takeTable(table, chosen) {
  sources()[OWN] = { title: `your table: ${table.title}`, columns: table.columns };
  lesson.controls.offer(OWN, sources()[OWN].title);
  if (document.documentElement.dataset.ready === undefined) return; // the address decides what comes first
  lesson.resume = false;
  begin({ ...lesson.state, data: OWN, ...chosen });
}

function chooseUnit(unit) {
  lesson.unit = unit;
  if (lesson.frame?.surface) lesson.picture.update(lesson.frame, unit);
}

/** Ask for a file; the training pauses, so that the files are of one network. */
function leave(name) {
  if (lesson.running) pause();
  lesson.trainer.send("file", { name });
}

function saveFile({ name, content }) {
  lesson.leaving.save(name, content);
}

function recolor() {
  palette.read();
  if (!lesson.frame) return;
  if (!lesson.rows.picture) lesson.picture.begin(lesson.rows, lesson.about);
  if (lesson.frame.surface) lesson.picture.update(lesson.frame, lesson.unit);
  lesson.wiring.update(lesson.frame);
}

function complain(text) {
  lesson.complaint.textContent = text[0].toUpperCase() + text.slice(1);
  lesson.complaint.parentElement.hidden = false;
  lesson.complaint.scrollIntoView({ block: "nearest" }); // on a phone, the page may begin above it
}

function clearComplaint() {
  lesson.complaint.textContent = "";
  lesson.complaint.parentElement.hidden = true;
}

/** Something can't be done as it was wanted: say so, and stay usable. */
function stopped(text) {
  lesson.running = false;
  lesson.play.setRunning(false);
  complain(text);
}

if (typeof document === "undefined") startWorker(self);
else mountLesson();
