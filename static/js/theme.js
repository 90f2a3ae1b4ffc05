/* Theme: light, dark or the system's. Runs before the first paint, so nothing flashes; remembers in the cookie the server reads. */
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const choice = () => root.dataset.themeChoice || "system";

  const apply = () => {
    const wanted = choice() === "system" ? (system.matches ? "dark" : "light") : choice();
    if (root.dataset.bsTheme === wanted) return;
    root.dataset.bsTheme = wanted;
    document.dispatchEvent(new CustomEvent("parley:theme", { detail: wanted }));
  };

  const choose = (name) => {
    root.dataset.themeChoice = name;
    document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    apply();
    mark();
  };

  const mark = () => {
    document.querySelectorAll("[data-theme-set]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === choice())));
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
      button.setAttribute("aria-label", `Switch to the ${next} theme`);
      button.title = `Switch to the ${next} theme`;
    });
  };

  apply();
  system.addEventListener("change", () => { apply(); mark(); });
  document.addEventListener("DOMContentLoaded", mark);
  document.addEventListener("click", (event) => {
    const set = event.target.closest("[data-theme-set]");
    if (set) choose(set.dataset.themeSet);
    else if (event.target.closest("[data-theme-toggle]")) choose(root.dataset.bsTheme === "dark" ? "light" : "dark");
  });
})();
