// Light or dark: follows the system until the reader chooses.

function mountTheme(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const stored = () => {
    try {
      return localStorage.getItem("numlp-theme");
    } catch {
      return null; // storage is blocked: the choice lasts until the page is closed
    }
  };
  const apply = (theme) => {
    root.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `switch to ${theme === "dark" ? "light" : "dark"} colors`);
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
      // storage is blocked: the choice is not remembered
    }
  });
}
