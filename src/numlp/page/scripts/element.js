// Elements from a tag, attributes, listeners and children. Text stays text: nothing is ever parsed as HTML.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** One tab stop for all buttons of a box: arrow keys, Home and End move between them, with `columns()` in a row. */
function rove(box, columns) {
  const buttons = () => [...box.querySelectorAll("button")];
  buttons().forEach((button, i) => (button.tabIndex = i ? -1 : 0));
  box.addEventListener("keydown", (event) => {
    const all = buttons();
    const i = all.indexOf(event.target);
    const targets = {
      ArrowRight: i + 1,
      ArrowLeft: i - 1,
      ArrowDown: i + columns(),
      ArrowUp: i - columns(),
      Home: 0,
      End: all.length - 1,
    };
    const target = all[targets[event.key]];
    if (i < 0 || !target) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  });
}
