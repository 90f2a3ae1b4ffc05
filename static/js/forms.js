/* Forms: one submit at a time, nothing typed lost, errors found, examples filled in. */
(() => {
  const { each } = window.parley;
  const GIVE_BACK_MS = 10_000;  // a submit that downloads never leaves the page

  const submitters = (form) => [...form.querySelectorAll('button[type="submit"], button:not([type])')];

  const busy = (form, on) => submitters(form).forEach((button) => {
    button.disabled = on;
    if (on) button.setAttribute("aria-busy", "true"); else button.removeAttribute("aria-busy");
    const label = button.querySelector("span") || button;
    if (on && button.dataset.busy) { button.dataset.rest = label.textContent; label.textContent = button.dataset.busy; }
    else if (!on && button.dataset.rest) { label.textContent = button.dataset.rest; delete button.dataset.rest; }
  });

  const byHtmx = (form) => form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete], [hx-get]");

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || byHtmx(form) || form.method === "dialog") return;
    if (form.dataset.sending) { event.preventDefault(); return; }
    form.dataset.sending = "1";
    dirty.delete(form);
    setTimeout(() => busy(form, true));  // after the browser has read the pressed button's value
    setTimeout(() => release(form), GIVE_BACK_MS);
  });
  const release = (form) => { delete form.dataset.sending; busy(form, false); };
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sending]").forEach(release);
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.matches("form")) { dirty.delete(event.detail.elt); busy(event.detail.elt, true); } });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt.matches("form")) busy(event.detail.elt, false); });

  /* Unsaved changes. */
  const dirty = new Set();
  document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-guard]"); if (form) dirty.add(form); });
  addEventListener("beforeunload", (event) => { if ([...dirty].some((form) => form.isConnected)) event.preventDefault(); });

  /* Errors: the summary is read first, its links lead into the fields. */
  each("[data-error-summary]", (summary) => summary.focus());

  /* A filled example one click away: data-fill='{"field": "value"}'. */
  const fill = (form, values) => Object.entries(values).forEach(([name, value]) => {
    const field = form.elements.namedItem(name);
    if (!field) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    if (!button) return;
    const form = button.form || document.querySelector(button.dataset.fillForm || "form[method=post]");
    fill(form, JSON.parse(button.dataset.fill));
    form.querySelector("input:not([type=hidden]), textarea")?.focus();
  });

  /* Show and hide a password. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reveal]");
    if (!button) return;
    const field = document.getElementById(button.dataset.reveal);
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
    field.focus();
  });

  /* Textareas grow with their text where the browser cannot do it alone. */
  if (!CSS.supports("field-sizing", "content")) {
    each("textarea[data-autosize]", (area) => {
      const grow = () => { area.style.height = "auto"; area.style.height = `${area.scrollHeight + 2}px`; };
      area.addEventListener("input", grow);
      grow();
    });
  }
})();
