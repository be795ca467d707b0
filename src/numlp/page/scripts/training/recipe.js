// The recipe: numlp's own settings, whole and in their usual form.

const UNKNOWN_HERE = ["ensemble", "folds", "augmentation", "adversarial", "class_weight", "patience", "time_budget"];

/** A recipe with all settings, for data of a task: {classes: names or null}. */
function wholeRecipe(given, data) {
  const recipe = { ...ABOUT.defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  for (const name of Object.keys(given)) {
    if (!ABOUT.settings.includes(name)) throw new Error(`there is no setting “${name}”`);
  }
  for (const name of UNKNOWN_HERE) {
    if (recipe[name] && recipe[name] !== 1) throw new Error(`a page can't train with ${name.replaceAll("_", " ")}`);
  }
  recipe.loss = canonical("loss", recipe.loss ?? (data.classes ? "softmax_cross_entropy" : "squared_error"));
  for (const kind of ["optimizer", "schedule"]) recipe[kind] = canonical(kind, recipe[kind]);
  if (recipe.input_features) {
    if (data.columns) throw new Error("input features need images, not the columns of a table");
    recipe.input_features = canonical("input_features", recipe.input_features);
  }
  const activations = [recipe.activation].flat().map((text) => canonical("activation", text));
  recipe.activation = Array.isArray(recipe.activation) ? activations : activations[0];
  recipe.learning_rate = given.learning_rate ?? usualRate(recipe.optimizer);
  const { task } = LOSSES[resolved("loss", recipe.loss).name](resolved("loss", recipe.loss).settings);
  if ((task === "regression") !== !data.classes) {
    throw new Error(`loss ${recipe.loss} is for ${task === "regression" ? "real targets" : "classes"}, and the target holds ${data.classes ? "classes" : "numbers"}`);
  }
  if (recipe.normalization === "batch" && recipe.batch_size === 1) {
    throw new Error("batch size must be 2 or more with batch normalization: one row has no variance");
  }
  for (const name of ["learning_rate", "batch_size", "epochs"]) {
    if (!(recipe[name] > 0 && Number.isFinite(recipe[name]))) throw new Error(`${name.replaceAll("_", " ")} must be above 0, not ${recipe[name]}`);
  }
  return recipe;
}

const usualRate = (text) => ABOUT.usualRates[resolved("optimizer", text).name];
