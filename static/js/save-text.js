/* [data-save-text="selector"] downloads that element's text, one line each, as the file data-save-name. */
(() => {
  const GIVE_BACK_MS = 10_000;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-save-text]");
    if (!button) return;
    const text = document.querySelector(button.dataset.saveText).innerText.trim();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }));
    link.download = button.dataset.saveName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), GIVE_BACK_MS);
  });
})();
