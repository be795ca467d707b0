// Recipe: a state in numlp's own words, and the rows of a data set as the engine takes them.

const OPEN_END = 1e6; // epochs; the reader says when to stop

/** The recipe of a state, for classes or values. */
function recipeOf(state, hasClasses) {
  const { name, settings } = DESCENTS[state.optimizer];
  const decayed = state.decay ? { ...settings, weight_decay: state.decay } : settings;
  const parts = Object.entries(decayed).map(([key, value]) => `${key} = ${value}`);
  return {
    layers: state.layers,
    activation: state.activation,
    initializer: state.initializer === "usual" ? null : state.initializer,
    normalization: state.normalization,
    loss: hasClasses ? null : state.loss,
    optimizer: parts.length ? `${name}(${parts.join(", ")})` : name,
    learning_rate: state.learning_rate,
    schedule: state.schedule,
    batch_size: state.batch_size,
    dropout: state.dropout,
    noise: state.noise,
    input_noise: state.input_noise,
    l1: state.l1,
    l2: state.l2,
    seed: state.seed,
    epochs: state.schedule === "constant" ? OPEN_END : state.epochs,
  };
}

/** The engine's data, of rows from data/ and their division. */
function dataOf({ x, y, columns, classes, target, picture }, { training, validation }) {
  const width = columns.length;
  const part = (numbers) => ({ x: rowsAt(x, width, numbers), y: y.constructor.from(numbers, (i) => y[i]) });
  return {
    name: picture ? "data.npz" : "data.csv",
    ...part(training),
    features: width,
    columns: picture ? null : columns,
    shape: picture ? [picture.height, picture.width] : null,
    classes,
    target,
    validation: part(validation),
  };
}
