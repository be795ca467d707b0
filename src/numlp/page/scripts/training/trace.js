// Trace: one step of training with everything in between, on a twin of the network, which itself stays as it is. The twin
// leaves dropout and noise out.

/**
 * @param network the network to start from
 * @param recipe a whole recipe, of which the step takes the optimizer, the rate and the penalties
 * @param x n rows of inputs as the network takes them, a Float32Array
 * @param targets (n, targets), a Float32Array
 * @return {n, stages, logits, predictions, losses, loss, delta, params, grads, after}; a stage has its layer's kind and label, `input` and
 *   `output`, (n, …), and the gradients at both, `deltaIn` (null where nothing asks for it) and `delta`; the losses are
 *   those of the rows, all gradients those of their mean
 */
function traced(network, recipe, x, targets, n, optimizer = null) {
  const quiet = { ...recipe, initializer: "zeros", dropout: 0, input_dropout: 0, noise: 0, input_noise: 0 };
  const twin = new Network(network.layerSize, quiet, network.encoding, network.shape);
  twin.params.set(network.params);
  twin.beginEpoch(0, 0);
  twin.resize(n);
  let values = x.slice();
  const stages = twin.layers.map((layer) => {
    const input = values.slice();
    values = layer.forward(values);
    const { kind, label, name, width } = layer;
    const derivative = kind === "activate" ? layer.derivative.slice(0, n * width) : null;
    return { kind, label, name, width, input, output: values.slice(0, n * width), derivative };
  });
  const outputs = network.layerSize.at(-1);
  const [losses, delta, scratch] = [n, n * outputs, n * outputs].map((count) => new Float32Array(count));
  const logits = values.slice(0, n * outputs);
  twin.loss.measure(values, targets, losses, delta, scratch, n, outputs);
  for (let k = 0; k < n * outputs; k++) delta[k] /= n;
  const atLogits = delta.slice();
  let passed = delta;
  for (let i = stages.length - 1; i >= twin.first; i--) {
    stages[i].delta = passed.slice(0, n * stages[i].width);
    if (i > twin.first) passed = twin.layers[i].backward(passed);
    else twin.layers[i].parameterGradients(passed);
    stages[i].deltaIn = i > twin.first ? passed.slice(0, stages[i].input.length) : null;
  }
  const params = network.params.slice();
  const grads = twin.grads.slice();
  const loss = total(losses) / n;
  const stepper = optimizer?.copy() ?? new Optimizer(recipe.optimizer, params.length);
  descend(twin, recipe, stepper, recipe.learning_rate);
  const linked = logits.slice();
  twin.loss.link(linked, n, outputs);
  return { n, stages, logits, predictions: linked, losses, loss, delta: atLogits, params, grads, after: twin.params.slice() };
}

/** Change a network's parameters by its gradients: penalties, clipping, the optimizer's step, constraints. */
function descend(network, recipe, optimizer, rate) {
  const { params, grads } = network;
  const weights = params.subarray(0, network.nWeights);
  if (recipe.l1 || recipe.l2) addPenalty(weights, grads, recipe.l1, recipe.l2);
  if (recipe.clip_norm) clipNorm(grads, recipe.clip_norm);
  if (recipe.clip_value) clipValue(grads, recipe.clip_value);
  optimizer.update(weights, params, grads, rate);
  if (recipe.max_norm) limitNorms(network.layers.filter(({ kind }) => kind === "linear"), recipe.max_norm);
}
