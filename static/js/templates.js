/* Templates: a name goes in where the cursor is, words for who has none stand in the text itself. */
(() => {
  const area = () => document.getElementById("field-content");
  const tell = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));
  const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  const insert = (name) => {
    const field = area();
    field.setRangeText(`{${name}}`, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    tell(field);
  };

  /* Braces that stand for themselves ({{ and }}) are passed over, as the grammar does. */
  const withFallback = (text, name, words) => {
    const use = new RegExp(`\\{\\{|\\}\\}|\\{\\s*${quoted(name)}\\s*(?:\\|[^{}]*)?\\}`, "g");
    return text.replace(use, (found) => (found === "{{" || found === "}}" ? found : words ? `{${name}|${words}}` : `{${name}}`));
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (button) insert(button.dataset.insert);
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("[data-fallback]")) {
      area().value = withFallback(area().value, field.dataset.fallback, field.value.replace(/[{}]/g, ""));
      tell(area());
    } else if (field.matches("[data-template-editor] input[name=channel]")) {
      document.querySelectorAll("[data-only-channel]").forEach((part) => { part.hidden = part.dataset.onlyChannel !== field.value; });
    }
  });

  /* Return in a small field looks at the text; only Save saves. */
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("#field-who, [data-fallback]")) {
      event.preventDefault();
      event.target.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  /* Somebody else is looked for: whoever was picked is let go. */
  document.addEventListener("input", (event) => {
    if (event.target.id === "field-who") document.querySelector("#template-check input[name=reads_as]")?.remove();
  }, true);
})();
