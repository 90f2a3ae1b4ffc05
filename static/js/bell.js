/* The activity bell: a dot when something happened, the panel loaded when it is opened. */
(() => {
  const bell = () => document.getElementById("bell");
  const panel = () => document.getElementById("bell-panel");
  const label = (text) => bell()?.querySelector("summary").setAttribute("aria-label", text);
  const load = () => window.htmx.trigger(panel(), "refresh");

  const seen = () => { bell().querySelector("summary").classList.remove("has-new"); label("Activity"); };

  window.parley.each("#bell", (menu) => menu.addEventListener("toggle", () => { if (menu.open) { load(); seen(); } }));
  window.parley.live.on("activity", () => {
    if (!bell()) return;
    if (bell().open) { load(); return; }
    bell().querySelector("summary").classList.add("has-new");
    label("Activity, something new");
  });
})();
