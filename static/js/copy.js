/* [data-copy="selector"] copies that element's text; an empty value copies the button's data-copy-text. */
(() => {
  const write = async (text) => {
    if (navigator.clipboard && window.isSecureContext) { await navigator.clipboard.writeText(text); return; }
    const area = document.createElement("textarea");  // plain http on a local network has no clipboard API
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
    try {
      await write(source ? source.innerText.trim() : button.dataset.copyText || "");
      window.parley.toast("Copied.", "ok");
    } catch {
      window.parley.toast("The browser did not allow copying. Select the text and copy it by hand.", "warn");
    }
  });
})();
