/* Simulations: the edit dialog, and ticking a whole segment at once. Everything works without this file, in more steps. */
(() => {
  const { each } = window.parley;

  /* A dialog opens when htmx has filled it and closes by [data-closes]; the link that filled it is a page on its own. */
  each("dialog[data-opens-filled]", (dialog) => {
    dialog.addEventListener("htmx:afterSwap", () => {
      if (!dialog.open && dialog.firstElementChild) dialog.showModal();
      dialog.querySelector("[autofocus]")?.focus();
    });
    dialog.addEventListener("click", (event) => {
      if (!event.target.closest("[data-closes]")) return;
      event.preventDefault();
      dialog.close();
    });
    dialog.addEventListener("close", () => dialog.replaceChildren());
  });

  each("select[data-submits]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));

  const boxes = (scope) => [...scope.querySelectorAll('input[name="persona_ids"]')];

  const count = (panel) => {
    const all = boxes(panel);
    const said = panel.querySelector("[data-chosen]");
    if (said) said.textContent = `${all.filter((box) => box.checked).length} of ${all.length} chosen`;
  };

  each("[data-segment]", (segment) => {
    const whole = segment.querySelector("[data-segment-all]");
    const show = () => {
      const ticked = boxes(segment).filter((box) => box.checked).length;
      whole.checked = ticked === boxes(segment).length;
      whole.indeterminate = ticked > 0 && !whole.checked;
    };
    segment.addEventListener("change", (event) => {
      if (event.target === whole) boxes(segment).forEach((box) => { box.checked = whole.checked; });
      show();
      count(segment.closest("#panel"));
    });
    show();
  });
})();
