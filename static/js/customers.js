/* Pages of people: selects that submit, rows one can add and remove. */
(() => {
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submits]")) event.target.form.requestSubmit();
  });

  let made = 0;
  const blank = (row) => {
    const copy = row.cloneNode(true);
    made += 1;
    copy.querySelectorAll("input, textarea").forEach((field) => {
      field.value = "";
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
      field.classList.remove("is-invalid");
    });
    copy.querySelectorAll("select").forEach((field) => { field.selectedIndex = 0; });
    copy.querySelectorAll(".ply-error").forEach((error) => error.remove());
    copy.querySelectorAll("[id]").forEach((field) => {
      const id = `${field.id}-more${made}`;
      copy.querySelector(`label[for="${field.id}"]`)?.setAttribute("for", id);
      field.id = id;
    });
    return copy;
  };

  document.addEventListener("click", (event) => {
    const list = event.target.closest("form")?.querySelector("[data-rows]");
    if (!list) return;
    if (event.target.closest("[data-row-add]")) {
      const row = blank(list.lastElementChild);
      list.append(row);
      row.querySelector("input").focus();
    }
    const remove = event.target.closest("[data-row-remove]");
    if (remove) {
      const row = remove.closest("[data-row]");
      if (list.childElementCount > 1) row.remove(); else row.replaceWith(blank(row));
      list.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
})();
