/* Search from anywhere: "/" or Ctrl-K opens it, htmx fills it, arrows walk it. Without JavaScript the links lead to the search page. */
(() => {
  const dialog = () => document.getElementById("palette");
  const hits = () => [...dialog().querySelectorAll("a.ply-hit")];
  const typing = (element) => element.matches?.("input, textarea, select, [contenteditable]");

  const open = () => {
    if (!dialog() || dialog().open) return;
    document.querySelectorAll("details.ply-menu[open]").forEach((menu) => { menu.open = false; });
    dialog().showModal();
    const input = dialog().querySelector("input");
    input.select();
    window.htmx.trigger(input, "palette");
  };

  const point = (step) => {
    const all = hits();
    if (!all.length) return;
    const now = all.findIndex((hit) => hit.classList.contains("is-on"));
    const next = (now + step + all.length) % all.length;
    all.forEach((hit, index) => {
      hit.classList.toggle("is-on", index === next);
      hit.setAttribute("aria-selected", String(index === next));
    });
    all[next].scrollIntoView({ block: "nearest" });
    dialog().querySelector("input").setAttribute("aria-activedescendant", all[next].id);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-palette]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); open(); }
    if (event.target === dialog()) dialog().close();
  });
  document.addEventListener("keydown", (event) => {
    const combination = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (combination || (event.key === "/" && !typing(event.target) && !event.ctrlKey && !event.altKey)) {
      if (!dialog()) return;
      event.preventDefault();
      open();
      return;
    }
    if (!dialog()?.open) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); point(event.key === "ArrowDown" ? 1 : -1); }
    if (event.key === "Escape") { event.preventDefault(); dialog().close(); }  // a search field would only clear itself
    if (event.key === "Enter") {
      event.preventDefault();
      const chosen = hits().find((hit) => hit.classList.contains("is-on")) || hits()[0];
      if (chosen) chosen.click(); else event.target.form?.submit();
    }
  });
  /* Arrows should start from the top of each new list of hits. */
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.closest?.("#palette")) { hits().forEach((hit, index) => { hit.id = `hit-${index}`; hit.setAttribute("role", "option"); }); }
  });
})();
