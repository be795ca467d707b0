// Colors: the page's own, as numbers for canvases; they follow light and dark.

const CLASS_COLORS = [2, 1, 3, 4, 5, 6, 7, 0].map((place) => `series-${place}`);

const palette = {
  /** Read all colors anew, after a change between light and dark. */
  read() {
    const probe = h("span");
    document.body.append(probe);
    const resolved = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    };
    this.classes = CLASS_COLORS.map(resolved);
    for (const name of ["ink", "soft", "line", "surface"]) this[name] = resolved(name);
    probe.remove();
  },

  class(k) {
    return this.classes[k % this.classes.length];
  },
};

const css = ([red, green, blue], alpha = 1) => `rgb(${red} ${green} ${blue} / ${alpha})`;
const mixed = (one, other, share) => one.map((value, k) => value + share * (other[k] - value));

/** A canvas that is sharp on this screen: {context, width, height} in the page's pixels, cleared. */
function drawingOn(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
