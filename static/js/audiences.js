/* The audience page fills in part by part: a part that did not change, or in which someone is writing, stays as it is. */
(() => {
  const { each } = window.parley;

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const fresh = fragment.firstElementChild;
    if (!target?.dataset?.v || !fresh?.dataset?.v) return;
    const isSame = fresh.dataset.v === target.dataset.v;
    if (isSame || target.querySelector("form[data-editing]")) event.detail.shouldSwap = false;
  });

  /* "12 s so far" goes on counting between two looks at the server. */
  const spoken = (seconds) => (seconds < 60 ? `${seconds}\u00a0s` : `${Math.floor(seconds / 60)}\u00a0min ${seconds % 60}\u00a0s`);
  each("[data-elapsed]", (element) => {
    const start = performance.now() - Number(element.dataset.elapsed) * 1000;
    const timer = setInterval(() => {
      if (!element.isConnected) { clearInterval(timer); return; }
      element.textContent = `${spoken(Math.round((performance.now() - start) / 1000))} so far`;
    }, 1000);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.target.closest?.("form[data-editing]")?.querySelector("[data-cancel]")?.click();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submits]")) event.target.form.requestSubmit();
  });
})();

/* Choosing people to compare, and fields of one's own on a persona's form. */
(() => {
  const { each } = window.parley;
  const MOST = 6;

  each("form[data-compare]", (form) => {
    const boxes = [...document.querySelectorAll(`input[form="${form.id}"]`)];
    const button = form.querySelector("button");
    const said = form.querySelector("[data-chosen]");
    const rest = said.textContent;
    const count = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      button.disabled = chosen < 2;
      boxes.forEach((box) => { box.disabled = chosen >= MOST && !box.checked; });
      said.textContent = chosen ? `${chosen} of ${MOST} chosen${chosen < 2 ? "; tick one more" : ""}` : rest;
      form.classList.toggle("is-on", chosen > 0);
    };
    boxes.forEach((box) => box.addEventListener("change", count));
    addEventListener("pageshow", count);
    count();
  });

  let made = 0;
  const blank = (row) => {
    const copy = row.cloneNode(true);
    made += 1;
    copy.querySelectorAll("input, textarea").forEach((field) => { field.value = ""; field.removeAttribute("aria-invalid"); field.classList.remove("is-invalid"); });
    copy.querySelector("select").selectedIndex = 0;
    copy.querySelectorAll(".ply-error").forEach((error) => error.remove());
    copy.querySelectorAll("[id]").forEach((field) => {
      const id = `${field.id}-more${made}`;
      copy.querySelector(`label[for="${field.id}"]`)?.setAttribute("for", id);
      field.id = id;
    });
    return copy;
  };
  document.addEventListener("click", (event) => {
    const list = event.target.closest("form")?.querySelector("[data-extras]");
    if (!list) return;
    if (event.target.closest("[data-extra-add]")) {
      const row = blank(list.lastElementChild);
      list.append(row);
      row.querySelector("input").focus();
    }
    const remove = event.target.closest("[data-extra-remove]");
    if (remove) {
      const row = remove.closest("[data-extra]");
      if (list.childElementCount > 1) row.remove(); else row.replaceWith(blank(row));
      list.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
})();
