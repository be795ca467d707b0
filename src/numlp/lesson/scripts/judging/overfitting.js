// Overfitting: a verdict on the two loss curves, by the rule and in the words of report/overfitting.py.

const [LEAST_EPOCHS, RISE, WOBBLE, LATE] = [3, 0.1, 0.05, 10];

/** {kind, epoch, text} for the losses of all epochs on training and on validation rows. */
function overfitting(train, validation) {
  const verdict = (kind, epoch, text) => ({ kind, epoch, text });
  if (![...train, ...validation].every(Number.isFinite))
    return verdict("not validated", 0, "Some losses are NaN or infinite, so they say nothing about overfitting.");
  const n = train.length;
  const best = validation.indexOf(minOf(validation));
  if (n < LEAST_EPOCHS)
    return verdict("too short", best + 1, `After ${n} epoch${n === 1 ? "" : "s"} it is too early to tell whether the run overfits.`);
  const late = Math.max(1, Math.floor(n / LATE));
  const lowest = validation[best];
  const meanOfLast = (values) => values.slice(-late).reduce((sum, value) => sum + value, 0) / late;
  const rise = meanOfLast(validation) - lowest;
  const learned = meanOfLast(train) < train[best];
  const relative = lowest ? rise / Math.abs(lowest) : Infinity;
  if (best === n - 1)
    return verdict("still falling", n, `The validation loss was lowest after the last epoch, ${n}: no overfitting, and more epochs may help.`);
  const most = maxOf(validation);
  const wobble = rise <= WOBBLE * (most - lowest);
  const share = (digits) => `${(100 * relative).toFixed(digits)} % above`;
  const finite = Number.isFinite(relative);
  if (learned && !wobble && relative > RISE)
    return verdict("overfits", best + 1, `The run overfits: the validation loss was lowest after epoch ${best + 1} and ends ${finite ? share(0) : "above"} that, while the training loss kept falling.`);
  const when = `the validation loss was lowest after epoch ${best + 1} of ${n}`;
  let text = `${when[0].toUpperCase()}${when.slice(1)}. It rose again, but so did the training loss: that isn't overfitting, but more likely too high a learning rate.`;
  if (relative <= RISE) text = `No overfitting to speak of: ${when} and ends ${share(1)} that.`;
  else if (wobble)
    text = `No overfitting to speak of: ${when}. It ends ${finite ? share(0) : "above"} its lowest value, but that is little beside the range from ${threeDigits(lowest)} to ${threeDigits(most)} that it went through.`;
  return verdict("levelled off", best + 1, text);
}

/** Three significant digits, as Python's format .3g writes them. */
function threeDigits(value) {
  if (value === 0) return "0";
  const power = Number(value.toExponential(2).split("e")[1]);
  if (power < -4 || power >= 3) {
    const [digits, exponent] = value.toExponential(2).split("e");
    return `${Number(digits)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }
  return String(Number(value.toPrecision(3)));
}
