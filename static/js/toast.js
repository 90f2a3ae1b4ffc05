/* Short words at the edge of the page: from the server (HX-Trigger), from modules (parley.toast), and for requests that failed. */
(() => {
  const STAY_MS = { ok: 5000, warn: 9000, bad: 14_000 };
  const AWAY = "Parley cannot be reached. Nothing you typed is lost: check the connection and try again.";

  /** Show a sentence; kind is ok, warn or bad. The same sentence is not stacked twice. */
  const toast = (text, kind = "ok") => {
    const region = document.getElementById("toasts");
    const template = document.getElementById("toast-template");
    if (!region || !template || !text) return;
    [...region.children].filter((old) => old.querySelector("p")?.textContent === text).forEach((old) => old.remove());
    const box = template.content.firstElementChild.cloneNode(true);
    box.classList.add(`ply-toast--${kind}`);
    if (kind === "bad") box.setAttribute("role", "alert");
    box.querySelector("p").textContent = text;
    region.append(box);
    leaveLater(box, STAY_MS[kind] || STAY_MS.ok);
  };

  /** Take it away after a while, but not while someone is reading or tabbing into it. */
  const leaveLater = (box, ms) => {
    setTimeout(() => (box.matches(":hover, :focus-within") ? leaveLater(box, 2000) : box.remove()), ms);
  };

  /** What a failed answer says: the API's error JSON, else a sentence by status. */
  const sentence = (status, body) => {
    try {
      const data = JSON.parse(body);
      const said = data.message || data.error?.message || data.error;
      if (typeof said === "string") return said;
    } catch { /* an HTML page says nothing short */ }
    if (status === 403) return "You may not do that in this workspace.";
    if (status === 404) return "That is not here any more. It may have been deleted.";
    if (status === 413) return "That is too large to send.";
    if (status === 429) return "Too many requests in a short time. Wait a moment, then try again.";
    return "Something went wrong on our side. Nothing was changed; please try again.";
  };

  const failed = ({ xhr }) => {
    if (xhr.status === 401) { location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`); return; }
    if ((xhr.getResponseHeader("HX-Trigger") || "").includes('"toast"')) return;
    toast(sentence(xhr.status, xhr.responseText), "bad");
  };

  document.addEventListener("toast", (event) => {
    const said = event.detail || {};
    toast(said.message || said.text || said.value, said.kind);
  });
  document.addEventListener("htmx:responseError", (event) => failed(event.detail));
  document.addEventListener("htmx:sendError", () => toast(AWAY, "bad"));
  document.addEventListener("htmx:timeout", () => toast(AWAY, "bad"));
  document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest(".ply-toast")?.remove());
  window.parley.each("[data-flash]", (box) => leaveLater(box, STAY_MS.warn));
  window.parley.toast = toast;
})();
