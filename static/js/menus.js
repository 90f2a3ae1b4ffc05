/* Menus (details.ply-menu), the phone's sidebar, and which navigation groups are folded. */
(() => {
  const openMenus = () => document.querySelectorAll("details.ply-menu[open]");
  const items = (menu) => [...menu.querySelectorAll("a[href], button:not([disabled])")];

  const closeMenus = (except, focus) => openMenus().forEach((menu) => {
    if (menu === except) return;
    menu.open = false;
    if (focus) menu.querySelector("summary").focus();
  });

  document.addEventListener("click", (event) => {
    const inside = event.target.closest("details.ply-menu");
    closeMenus(inside);
    if (inside?.open && event.target.closest(".ply-menu__item") && !event.target.closest("[data-theme-set]")) inside.open = false;
  });
  document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.ply-menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { closeMenus(null, true); side(false); return; }
    const menu = event.target.closest?.("details.ply-menu[open]");
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("input, textarea")) return;
    event.preventDefault();
    const all = items(menu);
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    all.at(next % all.length)?.focus();
  });

  // On a narrow screen tabs scroll sideways: the open one is to be seen.
  document.querySelectorAll(".ply-tabs [aria-current]").forEach((tab) => {
    const strip = tab.closest("ul");
    strip.scrollLeft = tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
  });

  const side = (to) => {
    const panel = document.getElementById("side");
    if (!panel) return;
    const open = to ?? !panel.classList.contains("is-open");
    if (open === panel.classList.contains("is-open")) return;
    panel.classList.toggle("is-open", open);
    const buttons = document.querySelectorAll("[data-side-toggle]");
    buttons.forEach((button) => button.setAttribute("aria-expanded", String(open)));
    (open ? panel.querySelector("a") : buttons[0])?.focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-side-toggle]")) side();
    else if (!event.target.closest("#side")) document.getElementById("side")?.classList.contains("is-open") && side(false);
  });

  /* The server folds them on the next page, so nothing moves after it is drawn. */
  const remember = () => {
    const folded = [...document.querySelectorAll("details[data-nav-group]:not([open])")].map((group) => group.dataset.navGroup);
    document.cookie = `nav=${encodeURIComponent(folded.join("."))}; path=/; max-age=31536000; samesite=lax`;
  };
  window.parley.each("details[data-nav-group]", (group) => group.addEventListener("toggle", remember));
})();
