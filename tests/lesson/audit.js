// What is wrong with a page for those who can't see it well: controls and pictures without a name, and pale texts.
() => {
  const shown = (element) => element.checkVisibility();
  const name = (element) =>
    element.getAttribute("aria-label") ||
    element.textContent.trim() ||
    [...(element.labels ?? [])].map((label) => label.textContent.trim()).join("");

  // Relative luminance and contrast: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\d.]+/g).map((part) => linear(Number(part) / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = (element) => {
    const [less, more] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
  };
  const written = ({ childNodes }) => [...childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());

  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const controls = all("button, select, input, a, [role=img], canvas:not([aria-hidden]):not(button *)");
  return {
    nameless: controls.filter((element) => !name(element)).map((element) => element.outerHTML),
    pale: all("body *").filter((element) => written(element) && contrast(element) < 4.5).map((element) => element.outerHTML.slice(0, 90)),
  };
}
