// Schedules, as in training/schedules.py: the factor of the learning rate for a step out of `steps`, after the warm-up.

const SCHEDULES = {
  constant: () => () => 1,
  step: ({ every, by }) => (step, steps, perEpoch) => power(by, Math.floor(step / (perEpoch * every))),
  exponential: ({ by }) => (step, steps, perEpoch) => power(by, step / perEpoch),
  cosine: ({ final }) => (step, steps) => final + ((1 - final) * (1 + cos((Math.PI * step) / steps))) / 2,
  one_cycle: ({ rise, start, final, shape }) => (step, steps) => {
    if (steps < 3) return 1;
    const top = Math.max(rise * steps - 1, 0.5);
    const rising = step <= top;
    const way = rising ? step / top : (steps - 1 - step) / Math.max(steps - 1 - top, 0.5);
    const low = rising ? start : final;
    return low + (1 - low) * (shape === "cosine" ? (1 - cos(Math.PI * way)) / 2 : way);
  },
  reduce_on_plateau: ({ by, patience, threshold, figure }) => (step, steps, perEpoch, history) => {
    let [factor, best, bad] = [1, Infinity, 0];
    const sign = figure.endsWith("loss") ? 1 : -1;
    for (const { [figure]: value } of history) {
      if (!Number.isFinite(best) || sign * value < best - threshold * Math.abs(best)) [best, bad] = [sign * value, 0];
      else bad++;
      if (bad > patience) [factor, bad] = [factor * by, 0];
    }
    return factor;
  },
};

/** A function of (step, epochs, steps per epoch, history). */
function makeSchedule(text) {
  const { name, settings } = resolved("schedule", text);
  const factor = SCHEDULES[name](settings);
  return (step, epochs, perEpoch, history) => {
    const rising = nearest(settings.warmup * perEpoch);
    if (step < rising) return (step + 1) / rising;
    return factor(step - rising, epochs * perEpoch - rising, perEpoch, history);
  };
}
