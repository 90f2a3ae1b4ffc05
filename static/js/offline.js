/* The strip that says live updates or the network are away, and leaves when they are back. */
(() => {
  const PATIENCE_MS = 6000;
  let timer = null;

  const show = (text) => {
    const strip = document.getElementById("offline");
    if (!strip) return;
    strip.querySelector("span").textContent = text;
    strip.hidden = !text;
  };
  const away = () => show("You are offline. What is on the page stays; changes need the connection back.");
  const back = () => { clearTimeout(timer); timer = null; if (navigator.onLine) show(""); };

  addEventListener("offline", away);
  addEventListener("online", back);
  document.addEventListener("parley:live", (event) => {
    if (event.detail === "up") { back(); return; }
    timer ??= setTimeout(() => show("Live updates are interrupted. Trying to reconnect; the page may be a little behind."), PATIENCE_MS);
  });
  if (!navigator.onLine) away();
})();
