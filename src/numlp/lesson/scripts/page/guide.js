// Guide: the list of lessons, and the text of the one that is open.

class Guide {
  /** @param tryOut called with the settings that a lesson proposes */
  constructor(tryOut) {
    this.tryOut = tryOut;
    this.links = LESSONS.map(({ title }, i) => h("a", { href: `#lesson=${i + 1}` }, title));
    this.free = h("a", { href: "#" }, "No lesson: play freely");
    const items = [...this.links, this.free].map((link) => h("li", {}, link));
    this.list = h("ol", { class: "lessons" }, ...items);
    this.title = h("h2", { tabindex: -1, id: "lesson-title" });
    this.text = h("div", { class: "lesson-text" });
    this.box = h("div", { class: "lesson" }, this.title, this.text);
  }

  /** Open a lesson, from 1, or none; the address leads to its own settings. */
  show(number) {
    [...this.links, this.free].forEach((link, i) => {
      const open = i + 1 === number || (!number && link === this.free);
      if (open) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    const lesson = LESSONS[number - 1];
    this.title.textContent = lesson ? `${number}. ${lesson.title}` : "Play freely";
    if (!lesson) {
      this.text.replaceChildren(h("p", {}, "Choose data and a network below, and start. Nothing here can break: “Back to the beginning” undoes it all. The lessons above begin with a single unit."));
      return;
    }
    const tries = lesson.tries.map(({ text, state }) => h("li", {}, h("span", {}, text), " ", h("button", { type: "button", onclick: () => this.tryOut({ ...lesson.state, ...state }) }, "Try it")));
    const links = [
      number > 1 ? h("a", { href: `#lesson=${number - 1}` }, "← previous lesson") : null,
      number < LESSONS.length ? h("a", { href: `#lesson=${number + 1}` }, "next lesson →") : null,
    ];
    this.text.replaceChildren(...lesson.text.map((text) => h("p", {}, text)), h("ul", { class: "tries" }, ...tries), h("p", { class: "steps" }, ...links.filter(Boolean)));
  }
}
