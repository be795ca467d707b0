// Explanation: a row, its saliency, its activations in every layer, and the answer.

const MOST_FEATURES = 15;

class Explanation {
  constructor(network, data) {
    this.network = network;
    this.shape = data.shape;
    this.ends = data.ends;
    this.target = data.target;
    this.features = data.columns.map(({ name }) => name);
    this.answer = new Answer(network, data.target);
    this.layers = network.widths.map((_, i) => this.layer(i));
    this.why = h("figcaption", {});
    const input = [];
    if (this.shape) {
      const { width, height } = this.shape;
      this.picture = pictureCanvas(width, height, "the network's input");
      this.heat = pictureCanvas(width, height, "saliency");
      input.push(
        h("figure", {}, this.picture, h("figcaption", {}, "the network's input")),
        h("figure", {}, this.heat, this.why),
      );
    } else {
      this.saliencies = signedBarList(Math.min(MOST_FEATURES, network.inputs), "saliency");
      input.push(h("figure", { class: "wide" }, this.saliencies.list, this.why));
    }
    this.box = h(
      "div",
      { class: "explanation" },
      h("div", { class: "input" }, ...input),
      h("div", { class: "path" }, ...this.layers.map(({ figure }) => figure)),
      this.answer.box,
    );
  }

  layer(i) {
    const canvas = pictureCanvas(1, 1, "");
    const caption = h("figcaption", {});
    this.size(canvas, this.network.widths[i]);
    return { canvas, caption, number: i + 1, figure: h("figure", {}, canvas, caption) };
  }

  /** Make a cell for every unit, about twice as many in a row as in a column. */
  size(canvas, width) {
    canvas.width = Math.min(width, Math.ceil(Math.sqrt(width * 2)));
    canvas.height = Math.ceil(width / canvas.width);
  }

  update(x) {
    const pass = this.network.forward(x);
    const { name, output, sign = 1, worth = 1 } = this.answer.update(x, pass);
    const gradient = this.network.saliency(pass, output).map((value) => sign * value);
    this.showSaliency(x, gradient, name, worth);
    this.layers.forEach((layer, i) => this.showLayer(layer, pass.hidden[i]));
  }

  /** Show an empty picture and a text. */
  rest(x, text) {
    paint(this.picture, inkOf(x, this.ends), this.shape);
    for (const canvas of [this.heat, ...this.layers.map((layer) => layer.canvas)]) {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    }
    this.why.textContent = "where brighter raises the answer";
    for (const { canvas, caption, number } of this.layers) {
      caption.textContent = `layer ${number}`;
      canvas.setAttribute("aria-label", `activations of layer ${number}: none yet`);
    }
    this.answer.rest(text);
  }

  showSaliency(x, gradient, name, worth) {
    if (this.shape) {
      paint(this.picture, inkOf(x, this.ends), this.shape);
      const sums = overChannels(gradient, this.shape);
      paintSigned(this.heat, sums, largestOf(sums));
      this.why.textContent = `red: brighter here raises “${name}”; blue: brighter lowers it`;
      this.heat.setAttribute("aria-label", `saliency: ${this.why.textContent}`);
      return;
    }
    const entries = Array.from(gradient, (value, i) => ({
      // The step stands first: of a long name, the end is cut off.
      name: `+ ${shortNumber(this.network.step(i), 3)} ${this.features[i] ?? `feature ${i + 1}`}`,
      value: value * worth,
    }));
    if (entries.length > MOST_FEATURES) entries.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    this.saliencies.update(entries);
    const changed =
      this.network.task === "regression"
        ? `“${name}” changes, in its own units,`
        : `the logit of “${name}” changes`;
    this.why.textContent = `how much ${changed} for the step before each feature’s name, by the slope here; a step is 1 in the scaled input`;
  }

  showLayer({ canvas, caption, number }, values) {
    const largest = largestOf(values);
    paintSigned(canvas, values, largest);
    const active = values.reduce((sum, value) => sum + (Math.abs(value) > 0.01 * largest ? 1 : 0), 0);
    caption.textContent = `layer ${number}: ${whole(active)} of ${count(values.length, "unit")} active`;
    canvas.setAttribute("aria-label", `activations of ${caption.textContent}`);
  }
}

/** A choice of examples: a list, and buttons for the previous one, the next one, and the next mistake. */
function exampleChoice(examples, choose) {
  const options = examples.rows.map((row, i) =>
    h("option", { value: i }, `${row}: ${examples.truthOf(i)}${examples.isMistake(i) ? " (mistake)" : ""}`),
  );
  const list = h("select", { onchange: () => pick(Number(list.value)) }, ...options);
  const pick = (i) => {
    const wrapped = (i + examples.count) % examples.count;
    list.value = wrapped;
    choose(wrapped);
  };
  const mistake = () => {
    for (let k = 1; k <= examples.count; k++) {
      const i = (Number(list.value) + k) % examples.count;
      if (examples.isMistake(i)) return pick(i);
    }
  };
  const button = (text, act) => h("button", { type: "button", onclick: act }, text);
  const controls = h(
    "div",
    { class: "controls" },
    h("label", {}, `${examples.part} row `, list),
    button("Previous", () => pick(Number(list.value) - 1)),
    button("Next", () => pick(Number(list.value) + 1)),
  );
  if (examples.rows.some((_, i) => examples.isMistake(i))) controls.append(button("Next mistake", mistake));
  const leave = () => (list.selectedIndex = -1);
  return { controls, pick, leave };
}

/** Scroll to a section, and give its list of rows the focus. */
function leadTo(section, controls) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  section.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  controls.querySelector("select").focus({ preventScroll: true });
}

function mountWhy(mount, network, examples, data) {
  const explanation = new Explanation(network, data);
  const choice = exampleChoice(examples, (i) => explanation.update(examples.data[i]));
  mount.append(choice.controls, explanation.box);
  choice.pick(0);
  return {
    explanation,
    explain(i) {
      choice.pick(i);
      leadTo(document.getElementById("why"), choice.controls);
    },
  };
}
