// Leaving: what was trained here leaves the page as files that numlp reads.

class Leaving {
  /** @param ask called with the name of the file that the reader wants */
  constructor(ask) {
    this.names = { recipe: "recipe.toml", model: "model.safetensors", data: "data.csv" };
    this.buttons = Object.fromEntries(Object.entries(this.names).map(([name, file]) => [name, h("button", { type: "button", onclick: () => ask(name) }, `Save ${file}`)]));
    this.note = h("p", { class: "hint", "aria-live": "polite" });
    this.commands = h("pre", { class: "commands", tabindex: 0, "aria-label": "commands to run beside these files" });
    this.box = h("div", {}, h("div", { class: "controls" }, ...Object.values(this.buttons)), this.note, this.commands);
  }

  /** Show the names of the files and the commands for a data set. */
  begin({ target, picture }) {
    this.names.data = picture ? "data.npz" : "data.csv";
    this.buttons.data.textContent = `Save ${this.names.data}`;
    const evaluate = `numlp evaluate model.safetensors ${this.names.data}`;
    this.commands.textContent = [
      "numlp train --recipe recipe.toml --output run    # trains again: the same bits as here",
      "numlp verify run                                 # checks the run's files",
      "numlp report run                                 # a page on what it learned",
      picture ? evaluate : `${evaluate} --target ${quotedForShell(target)}`,
    ].join("\n");
  }

  /** Hand a file to the browser. */
  save(name, content) {
    const type = name === "model" ? "application/octet-stream" : "text/plain";
    const address = URL.createObjectURL(new Blob([content], { type }));
    const link = h("a", { href: address, download: this.names[name] });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  /** Say whether a recipe can repeat what was done by hand. */
  remark(changes) {
    const names = changes.map((name) => name.replaceAll("_", " ")).join(" and the ");
    write(this.note, names && `You changed the ${names} while it trained, and a recipe knows one value of each. Go back to the beginning and train again for files that numlp repeats to the bit.`);
  }
}

const quotedForShell = (text) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
