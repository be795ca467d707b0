// Stages: the parts of a step, each a heading, maps and sums beside its equation and its source.

/** A part of the page: its contents on the left, why it is so on the right. */
function stagePanel(title, key, said) {
  const text = h("p", { class: "told" });
  const content = h("div", { class: "numbers" });
  const why = document.querySelector(`template[data-why="${key}"]`);
  const beside = h("div", { class: "beside-it" }, ...(why ? [why.content.cloneNode(true)] : []));
  const narrow = matchMedia("(max-width: 52rem)").matches;
  beside.querySelectorAll("details").forEach((details) => (details.open = !narrow));
  const box = h("section", { class: "stage" }, h("h3", {}, title), said ? h("p", { class: "hint" }, said) : null, h("div", { class: "halves" }, content, beside));
  content.append(text);
  return { box, content, text };
}

/** One row's numbers of a matrix. */
const rowOf = (matrix, row, width) => matrix.subarray(row * width, (row + 1) * width);

/** A stage with one map: the numbers of a row at a layer's units. */
function mapStage(view, { title, key, space, values, width, tell, said, sums = () => null, shape = null }) {
  const panel = stagePanel(title, key, said);
  const map = unitMap({ title, count: width, shape, pick: (i) => view.pick(space, i), nameOf: (i) => view.nameOf(space, i) });
  const under = h("div", {});
  panel.content.append(map.box, under);
  const update = () => {
    const { now, before } = view.step;
    const chosen = view.chosen[space];
    const own = rowOf(values(now), view.row, width);
    map.update(own, chosen, view.compares ? rowOf(values(before), view.row, width) : null);
    panel.text.replaceChildren(...tell(own[chosen], chosen, now, view.compares ? before : null));
    const made = sums(chosen, now);
    under.replaceChildren(...(made ? [made] : []));
  };
  return { box: panel.box, update };
}

/** “name = value”, with the value before if there is any. */
function valueText(name, value, before) {
  const parts = [`${name} = `, h("strong", {}, exactText(value))];
  return before === undefined || before === value ? parts : [...parts, ` (before: ${exactText(before)})`];
}

/** What the first layer with weights gets. */
function saidOfInputs({ step, cells }) {
  if (step.network.encoding) return "What the first layer gets of the row's columns.";
  if (cells) return "How much brightness rises in each direction, in each cell of the scaled image: one block of cells for each direction.";
  return "The row as the first layer gets it: scaled.";
}

function inputStage(view, stage, width, shape) {
  return mapStage(view, {
    title: "Inputs",
    key: "input",
    space: 0,
    width,
    shape,
    said: saidOfInputs(view),
    values: ({ stages }) => stages[stage].input,
    tell: (value, i, now, before) => valueText(view.nameOf(0, i), value, before ? rowOf(before.stages[stage].input, view.row, width)[i] : undefined),
    sums: (i) => view.inputEditor(i),
  });
}

/** What a stage of the forward pass is called. */
function stageTitle(view, { kind, name }, space) {
  const where = space === view.spaces.length - 1 ? "Outputs" : `Layer ${space}`;
  if (kind === "linear") return `${where}: weighted sums`;
  if (kind === "activate") return `${where}: activation, ${name.replaceAll("_", " ")}`;
  return `${where}: ${kind === "batch_norm" ? "batch" : "layer"} normalization`;
}

function linearStage(view, stage, space) {
  const { width, input } = view.step.now.stages[stage];
  const fanIn = view.spaces[space - 1];
  const valueAt = ({ stages }, j) => rowOf(stages[stage].output, view.row, width)[j];
  return mapStage(view, {
    title: stageTitle(view, view.step.now.stages[stage], space),
    key: "linear",
    space,
    width,
    values: ({ stages }) => stages[stage].output,
    tell: (value, j, now, before) => valueText(`z of ${view.nameOf(space, j)}`, value, before ? valueAt(before, j) : undefined),
    sums(j, { stages }) {
      const { weight, bias } = view.paramsOf(stage);
      const x = rowOf(stages[stage].input, view.row, fanIn);
      const terms = x.map((value, i) => value * weight[i * width + j]);
      const { shown, others, rest } = largestTerms(terms);
      const lines = shown.map((i) => [
        view.nameOf(space - 1, i),
        exactText(x[i]),
        numberField(`weight from ${view.nameOf(space - 1, i)} to ${view.nameOf(space, j)}`, weight[i * width + j], (value) => view.setWeight(stage, i * width + j, value)),
        exactText(terms[i]),
      ]);
      if (others) lines.push([`${whole(others)} more`, "", "", exactText(rest)]);
      if (bias) lines.push(["bias", "", "", exactText(bias[j])]);
      return sumTable(`The sum of ${view.nameOf(space, j)}`, ["input", "x", "w", "x · w"], [...lines, ["=", "", "", exactText(rowOf(stages[stage].output, view.row, width)[j])]]);
    },
  });
}

function activateStage(view, stage, space) {
  const { width, name } = view.step.now.stages[stage];
  return mapStage(view, {
    title: stageTitle(view, view.step.now.stages[stage], space),
    key: `activate ${name}`,
    space,
    width,
    values: ({ stages }) => stages[stage].output,
    tell: (value, j, now, before) => [
      ...valueText(`a of ${view.nameOf(space, j)} = f(${exactText(rowOf(now.stages[stage].input, view.row, width)[j])})`, value, before ? rowOf(before.stages[stage].output, view.row, width)[j] : undefined),
      `; the slope there is ${exactText(rowOf(now.stages[stage].derivative, view.row, width)[j])}`,
    ],
  });
}

function normStage(view, stage, space) {
  const { width, kind } = view.step.now.stages[stage];
  return mapStage(view, {
    title: stageTitle(view, view.step.now.stages[stage], space),
    key: kind,
    space,
    width,
    said: kind === "batch_norm" && view.step.size === 1 ? "One row alone has no variance: choose three to see this layer at work." : null,
    values: ({ stages }) => stages[stage].output,
    tell: (value, j, now, before) =>
      valueText(`${view.nameOf(space, j)}: ${exactText(rowOf(now.stages[stage].input, view.row, width)[j])} becomes y`, value, before ? rowOf(before.stages[stage].output, view.row, width)[j] : undefined),
  });
}

function lossStage(view) {
  const { step } = view;
  const panel = stagePanel("Loss", "loss", step.size > 1 ? "The gradients are those of the mean loss, and so divided by the number of rows." : null);
  const under = h("div", {});
  panel.content.append(under);
  const update = () => {
    const { now, before } = step;
    const m = step.outputs;
    const [z, p, g] = [now.logits, now.predictions, now.delta].map((values) => rowOf(values, view.row, m));
    const targets = step.targetsOf();
    const width = targets.length / step.size;
    const order = Array.from(z, (_, k) => k);
    const shown = order.length > 20 ? order.sort((a, b) => Math.abs(g[b]) - Math.abs(g[a])).slice(0, 20) : order;
    const lines = shown.map((k) => [view.nameOf(view.spaces.length - 1, k), ...[z[k], p[k], targets[view.row * width + (k % width)], g[k]].map(exactText)]);
    const prediction = step.network.task === "regression" ? "prediction" : "probability";
    under.replaceChildren(sumTable("Outputs", ["output", "z", prediction, "target", "gradient"], lines));
    panel.text.replaceChildren(...valueText(step.size > 1 ? "mean loss" : "loss", now.loss, view.compares ? before.loss : undefined));
  };
  return { box: panel.box, update };
}

function backStage(view, stage, space) {
  const { kind, width } = view.step.now.stages[stage];
  const known = { activate: "activation", batch_norm: "batch normalization", layer_norm: "layer normalization" };
  return mapStage(view, {
    title: `Back through layer ${space}'s ${known[kind]}`,
    key: kind === "activate" ? "activate back" : `${kind} back`,
    space,
    width,
    values: ({ stages }) => stages[stage].deltaIn,
    tell: (value, j, now, earlier) => {
      const { delta, derivative } = now.stages[stage];
      const text = kind === "activate" ? ` = ${exactText(rowOf(delta, view.row, width)[j])} · ${exactText(rowOf(derivative, view.row, width)[j])}` : "";
      return valueText(`gradient of ${view.nameOf(space, j)}${text}`, value, earlier ? rowOf(earlier.stages[stage].deltaIn, view.row, width)[j] : undefined);
    },
  });
}

function linearBackStage(view, stage, space, last) {
  const { width, deltaIn } = view.step.now.stages[stage];
  const { step } = view;
  const fanIn = view.spaces[space - 1];
  const title = last ? "Back through the outputs' weights" : `Back through layer ${space}'s weights`;
  const shape = space === 1 ? view.shape : null;
  const panel = stagePanel(title, "linear back");
  const weights = unitMap({ title: `${title}: gradient of the weights into the chosen unit`, count: fanIn, shape, pick: (i) => view.pick(space - 1, i), nameOf: (i) => `weight from ${view.nameOf(space - 1, i)}` });
  const under = h("div", {});
  panel.content.append(weights.box, under);
  const gradientsInto = ({ grads }, j) => {
    const own = view.cut(grads, stage).weight;
    return Float32Array.from({ length: fanIn }, (_, i) => own[i * width + j]);
  };
  const update = () => {
    const { now, before } = step;
    const [i, j] = [view.chosen[space - 1], view.chosen[space]];
    const own = gradientsInto(now, j);
    weights.update(own, i, view.compares ? gradientsInto(before, j) : null);
    panel.text.replaceChildren(...valueText(`gradient of the weight from ${view.nameOf(space - 1, i)} to ${view.nameOf(space, j)}`, own[i], view.compares ? gradientsInto(before, j)[i] : undefined));
    const { input, delta } = now.stages[stage];
    const lines = step.numbers.map((_, r) => [`row ${r + 1}`, exactText(input[r * fanIn + i]), exactText(delta[r * width + j]), exactText(input[r * fanIn + i] * delta[r * width + j])]);
    const made = [sumTable("The gradient of a weight", ["row", "x", "δ", "x · δ"], [...lines, ["=", "", "", exactText(own[i])]])];
    if (now.stages[stage].deltaIn) made.push(passedBack(now.stages[stage], i));
    under.replaceChildren(...made);
  };

  function passedBack({ delta, deltaIn: passed }, i) {
    const { weight } = view.paramsOf(stage);
    const own = rowOf(delta, view.row, width);
    const terms = own.map((value, j) => value * weight[i * width + j]);
    const { shown, others, rest } = largestTerms(terms);
    const lines = shown.map((j) => [view.nameOf(space, j), exactText(own[j]), exactText(weight[i * width + j]), exactText(terms[j])]);
    if (others) lines.push([`${whole(others)} more`, "", "", exactText(rest)]);
    const sum = rowOf(passed, view.row, fanIn)[i];
    return sumTable(`What goes back to ${view.nameOf(space - 1, i)}`, [`to ${view.nameOf(space - 1, i)}`, "δ", "w", "δ · w"], [...lines, ["=", "", "", exactText(sum)]]);
  }

  return { box: panel.box, update };
}

function updateStage(view) {
  const { step } = view;
  const panel = stagePanel("Update", "update");
  const under = h("div", {});
  panel.content.append(under);
  const update = () => {
    const { now } = step;
    const tables = view.linear.map(({ stage, space }, k) => {
      const width = view.spaces[space];
      const j = view.chosen[space];
      const [from, gradient, to] = [now.params, now.grads, now.after].map((flat) => view.cut(flat, stage));
      const column = Array.from({ length: view.spaces[space - 1] }, (_, i) => i * width + j);
      const { shown } = largestTerms(column.map((at) => to.weight[at] - from.weight[at]));
      const lines = shown.map((i) => [view.nameOf(space - 1, i), ...[from.weight[column[i]], gradient.weight[column[i]], to.weight[column[i]] - from.weight[column[i]], to.weight[column[i]]].map(exactText)]);
      if (from.bias) lines.push(["bias", ...[from.bias[j], gradient.bias[j], to.bias[j] - from.bias[j], to.bias[j]].map(exactText)]);
      const name = view.nameOf(space, j);
      return h("figure", {}, h("figcaption", {}, `Weights into ${name}${k < view.linear.length - 1 ? ` of layer ${space}` : ""} that move most`), sumTable(`The update of ${name}`, ["from", "w", "gradient", "change", "new w"], lines));
    });
    under.replaceChildren(...tables);
    panel.text.replaceChildren(`The loss of the same ${step.size > 1 ? "rows" : "row"} after the step: `, h("strong", {}, exactText(now.lossAfter)), `, before ${exactText(now.loss)}.`);
  };
  return { box: panel.box, update };
}
