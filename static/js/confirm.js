/* Ask before something is undone for good: [data-confirm] on a form, a button or an htmx element; big ones ask for a name typed. */
(() => {
  /** Resolves to true when the person agrees. */
  const ask = ({ confirm: text, confirmTitle: title, confirmYes: yes, confirmTyped: typed }) => new Promise((resolve) => {
    const dialog = document.getElementById("confirm");
    const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
    const [button, field, input] = [part("yes"), part("typed"), part("input")];
    part("title").textContent = title || "Are you sure?";
    part("text").textContent = text;
    button.textContent = yes || "Yes, go on";
    field.hidden = !typed;
    part("name").textContent = typed || "";
    input.value = "";
    const check = () => { button.disabled = Boolean(typed) && input.value.trim() !== typed; };
    check();
    input.oninput = check;
    const asking = document.activeElement;
    dialog.onclose = () => {
      // Where what asked was drawn again meanwhile, the browser has nothing to give the focus back to.
      if (asking?.id && !asking.isConnected) document.getElementById(asking.id)?.focus();
      resolve(dialog.returnValue === "yes");
    };
    dialog.returnValue = "";
    dialog.showModal();
    (typed ? input : part("no")).focus();
  });

  const agreed = new WeakSet();

  document.addEventListener("submit", async (event) => {
    const asker = [event.submitter, event.target].find((element) => element?.dataset?.confirm);
    if (!asker || event.target.matches("[hx-post], [hx-put], [hx-patch], [hx-delete]")) return;
    if (agreed.delete(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask(asker.dataset))) return;
    agreed.add(event.target);
    if (!event.target.isConnected) {
      // The page drew itself again while the person was reading; a form outside of it is never sent.
      event.target.hidden = true;
      document.body.append(event.target);
    }
    event.target.requestSubmit(event.submitter);
  }, true);

  document.addEventListener("htmx:confirm", async (event) => {
    const asker = event.target.closest("[data-confirm]");
    if (!asker || asker !== event.detail.elt) return;
    event.preventDefault();
    if (await ask(asker.dataset)) event.detail.issueRequest(true);
  });

  window.parley.ask = (text, options = {}) =>
    ask({ confirm: text, confirmTitle: options.title, confirmYes: options.yes, confirmTyped: options.typed });
})();
