// The page's only tooltip; screen readers announce its text.

const tooltip = {
  box: null,

  show(x, y, lines) {
    if (!this.box) {
      this.box = h("div", { class: "tooltip", role: "status" });
      document.body.append(this.box);
    }
    this.box.replaceChildren(...lines.map((line) => h("div", {}, line)));
    this.box.hidden = false;
    const { width, height } = this.box.getBoundingClientRect();
    const left = Math.min(Math.max(8, x + 14), document.documentElement.clientWidth - width - 8);
    const top = y - height - 12 < 8 ? y + 18 : y - height - 12;
    this.box.style.left = `${Math.max(8, left)}px`;
    this.box.style.top = `${top}px`;
  },

  hide() {
    if (this.box) this.box.hidden = true;
  },

  /** Show lines while the pointer is on an element or the element has the focus. */
  attach(element, lines) {
    element.addEventListener("pointermove", (event) => this.show(event.clientX, event.clientY, lines()));
    element.addEventListener("pointerleave", () => this.hide());
    element.addEventListener("blur", () => this.hide());
    element.addEventListener("focus", () => {
      if (!element.matches(":focus-visible")) return;
      const box = element.getBoundingClientRect();
      this.show(box.left + box.width / 2, box.top, lines());
    });
  },
};

addEventListener("keydown", (event) => event.key === "Escape" && tooltip.hide());
addEventListener("scroll", () => tooltip.hide(), { passive: true });
