/* window.parley: what the other modules share. CSRF on every request, and "run this for each such element, now and later". */
(() => {
  const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content || "";

  /** fetch with the CSRF header and the session; refuses nothing, throws what fetch throws. */
  const send = (url, options = {}) =>
    fetch(url, { credentials: "same-origin", ...options, headers: { "X-CSRFToken": csrf(), Accept: "application/json", ...options.headers } });

  /** Call fn once for every element that matches, including those htmx brings in later. */
  const each = (selector, fn) => {
    const done = new WeakSet();
    const run = (scope) => {
      const found = [...scope.querySelectorAll(selector)];
      if (scope.matches?.(selector)) found.unshift(scope);
      found.forEach((element) => { if (!done.has(element)) { done.add(element); fn(element); } });
    };
    const start = () => run(document);
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
    document.addEventListener("htmx:afterSettle", (event) => run(event.target));
    document.addEventListener("htmx:oobAfterSwap", (event) => run(event.target));
  };

  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = csrf(); });

  window.parley = { csrf, send, each };
})();
