// Light or dark: as the system has it, until the reader chooses.

function mountTheme(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const stored = () => {
    try {
      return localStorage.getItem("numlp-theme");
    } catch {
      return null; // where a page may store nothing, the choice holds until it is closed
    }
  };
  const apply = (theme) => {
    root.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `switch to ${theme === "dark" ? "light" : "dark"} colours`);
  };
  const chosen = stored();
  apply(chosen === "dark" || chosen === "light" ? chosen : dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => stored() || apply(dark.matches ? "dark" : "light"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    apply(theme);
    try {
      localStorage.setItem("numlp-theme", theme);
    } catch {
      // then it is not remembered
    }
  });
}
