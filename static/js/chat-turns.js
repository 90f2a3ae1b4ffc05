/* The messages on the page, brought in step with the server's without touching those that did not change:
   what a person is reading, has focused or a screen reader has said stays as it is. */
(() => {
  const list = () => document.getElementById("turns");
  const position = (item) => (item.dataset.position ? Number(item.dataset.position) : null);

  /** A new element joins the page: htmx and the modules that watch for elements hear of it. */
  const welcome = (element) => {
    window.htmx?.process(element);
    element.dispatchEvent(new Event("htmx:afterSettle", { bubbles: true }));
  };

  /** Where a message belongs among those shown. */
  const place = (item) => {
    const next = [...list().children].find((other) => position(other) !== null && position(other) > position(item));
    if (next) next.before(item); else list().append(item);
    welcome(item);
  };

  const mergeTurns = (fresh) => {
    const incoming = [...fresh.children].filter((item) => position(item) !== null);
    const first = incoming.length ? position(incoming[0]) : 0;
    const ids = new Set(incoming.map((item) => item.id));
    [...list().children].forEach((old) => {
      if (position(old) !== null && position(old) >= first && !ids.has(old.id)) old.remove();
    });
    incoming.forEach((item) => {
      const old = document.getElementById(item.id);
      if (old && old.dataset.stamp === item.dataset.stamp) return;
      const hadFocus = old?.contains(document.activeElement);
      old?.remove();
      place(item);
      if (hadFocus) document.getElementById("say")?.focus();
    });
    const shown = [...list().children].some((item) => position(item) !== null && position(item) < first);
    const more = fresh.querySelector("#earlier");
    if (!shown && more && !document.getElementById("earlier")) { list().prepend(more); welcome(more); }
  };

  const replace = (fresh, id) => {
    const [old, next] = [document.getElementById(id), fresh.querySelector(`#${id}`)];
    if (!old || !next || old.outerHTML === next.outerHTML || old.querySelector("details[open]")) return;
    old.replaceWith(next);
    welcome(next);
  };

  /** Take in the server's answer (templates/chat/_refresh.html). The drawer is left alone while someone reads another answer's facts. */
  const merge = (html, { keepEvidence = false } = {}) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("chat-refresh");
    if (!fresh) return false;
    mergeTurns(fresh.querySelector("#turns"));
    if (list().children.length) document.querySelector("[data-empty]")?.remove();
    ["openers", "chat-note", "chat-actions", ...(keepEvidence ? [] : ["evidence-body"])].forEach((id) => replace(fresh, id));
    return fresh;
  };

  window.parley.chat = { merge };
})();
