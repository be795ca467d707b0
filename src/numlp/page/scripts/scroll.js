// Boxes that scroll sideways say so, where they are narrower than what is in them.

function mountScroll() {
  for (const box of document.querySelectorAll(".scroll")) {
    const hint = h("p", { class: "hint sideways", hidden: true }, "Scroll sideways to see all columns →");
    box.before(hint);
    const table = box.querySelector("table");
    const look = new ResizeObserver(() => (hint.hidden = box.scrollWidth <= box.clientWidth + 1));
    for (const seen of [box, table]) look.observe(seen);
  }
}
