/* The tree drawn: a group is a paragraph, a condition a sentence of words one can change. `act` is told what a person does. */
(() => {
  const { dom, model, kinds } = window.parley.segments;
  const { h, icon } = dom;
  const MODES = { and: "all", or: "any", not: "none" };
  const number = (value) => value.toLocaleString("en-GB");

  const option = (chosen) => ([value, text]) => h("option", { value, selected: String(value) === String(chosen) }, text);
  const options = ({ options: flat, groups, value }) => (groups
    ? groups.map(([label, each]) => h("optgroup", { label }, Object.entries(each).map(option(value))))
    : Object.entries(flat).map(option(value)));

  /** One word of the sentence at `path`. Every word has a name of its own, so that the eye and the focus find it again. */
  const word = (one, path, act, error) => {
    if (typeof one === "string") return h("span", { class: "seg-said" }, one);
    const key = `${path.join(".")}/${one.key}`;
    if (one.as === "part") return h("span", { key, class: `seg-part${one.words.length > 1 ? " seg-part--held" : ""}` }, one.words.map((inner) => word(inner, path, act, error)));
    const common = { key, "data-word": key, "aria-label": one.label };
    if (one.as === "button") return h("button", { ...common, type: "button", class: `seg-add${one.text ? "" : " seg-add--icon"}`, title: one.label, on: { click: () => act.word(path, one, null, one.focus) } }, icon(one.icon), one.text);
    const invalid = error ? { "aria-invalid": "true", "aria-describedby": `error-${path.join("-")}` } : {};
    if (one.as === "select") return h("select", { ...common, ...invalid, class: `ply-word ${one.cls || ""}`, value: one.value, on: { change: (event) => act.word(path, one, event.target.value) } }, options(one));
    const kind = one.as === "number" ? { type: "text", inputmode: "decimal" } : { type: one.as, spellcheck: "false", autocomplete: "off" };
    const value = one.value ?? "";
    const list = one.list ? { list: act.list(one.list) } : {};
    return h("input", { ...common, ...invalid, ...kind, ...list, class: `ply-word ply-word--${one.as}`, size: Math.min(40, Math.max(one.as === "text" ? 6 : 2, String(value).length)), placeholder: one.as === "text" ? "…" : "", value, on: { input: (event) => act.word(path, one, event.target.value), focus: () => one.list && act.wants(one.list) } });
  };

  const item = (text, name, run, off = false) => h("button", { key: text, type: "button", class: "ply-menu__item", disabled: off, on: { click: run } }, icon(name), text);

  const tools = (node, path, what, act, tree) => {
    const id = path.join(".");
    const tooDeep = path.length + model.depth(node) >= model.DEEPEST;
    return [
      h("details", { key: "menu", class: "ply-menu" },
        h("summary", { class: "btn btn-square btn-sm btn-quiet", "aria-label": `More for: ${what}`, "data-word": `${id}/menu` }, icon("dots")),
        h("div", { class: "ply-menu__panel" },
          item("Move up", "arrow-up", () => act.move(path, -1), !model.move(tree, path, -1)),
          item("Move down", "arrow-down", () => act.move(path, 1), !model.move(tree, path, 1)),
          item("Duplicate", "copy", () => act.edit(model.duplicate(tree, path))),
          model.isGroup(node)
            ? item("Take the group away, keep what is in it", "layout-list", () => act.edit(model.unwrap(tree, path)))
            : item("Put in a group", "layout-list", () => act.edit(model.wrap(tree, path)), tooDeep))),
      h("button", { key: "remove", type: "button", class: "btn btn-square btn-sm btn-quiet", "aria-label": `Remove: ${what}`, "data-word": `${id}/remove`, on: { click: () => act.remove(path) } }, icon("x")),
    ];
  };

  const count = (node, state) => {
    const found = state.counts.get(JSON.stringify(node));
    return h("span", { key: "n", class: "ply-cond__n", title: found === undefined ? false : "People for whom this holds, taken alone" }, found === undefined ? "\u00a0" : number(found));
  };
  const fault = (path, state) => {
    if (!state.error || state.error.path.join(".") !== path.join(".")) return null;
    if (state.error.isGap) return h("p", { key: "error", class: "seg-gap", id: `error-${path.join("-")}` }, "Fill in the empty word, and the count goes on.");
    return h("p", { key: "error", class: "ply-error", id: `error-${path.join("-")}` }, icon("alert-circle"), h("span", {}, state.error.message));
  };

  /** The sentence as one text, for names of buttons. */
  const spoken = (words) => words.map((one) => (typeof one === "string" ? one : one.as === "part" ? spoken(one.words) : one.as === "button" ? "" : one.as === "select" ? label(one) : String(one.value))).filter(Boolean).join(" ").slice(0, 90);
  const label = (one) => Object.assign({}, ...(one.groups ? one.groups.map(([, each]) => each) : [one.options]))[one.value] || "";

  const keys = (path, act) => (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key) || event.target.closest("[data-node]") !== event.currentTarget) return;
    event.preventDefault();
    act.move(path, event.key === "ArrowUp" ? -1 : 1);
  };

  const leaf = (node, path, act, state) => {
    const words = kinds.sentence(node, state.vocabulary);
    const what = spoken(words), error = fault(path, state);
    return h("div", { key: "leaf", class: `ply-cond${error && !state.error.isGap ? " is-bad" : ""}`, role: "group", "aria-label": what, "data-node": path.join("."), on: { keydown: keys(path, act) } },
      h("div", { key: "s", class: "ply-cond__s" }, words.map((one) => word(one, path, act, error && !state.error.isGap))),
      count(node, state), h("div", { key: "tools", class: "seg-tools" }, tools(node, path, what, act, state.tree)), error);
  };

  const adders = (node, path, act) => {
    const id = path.join("."), tooDeep = path.length + 2 >= model.DEEPEST, quiet = path.length ? " btn-quiet" : "";
    const where = path.length ? " to this group" : "";
    return h("div", { key: "add", class: "ply-row seg-adders" },
      h("button", { type: "button", class: `btn btn-sm${quiet}`, "data-word": `${id}/add`, "aria-label": `Add a condition${where}`, on: { click: () => act.add(path, false) } }, icon("plus"), "Condition"),
      !tooDeep && h("button", { type: "button", class: `btn btn-sm${quiet}`, "data-word": `${id}/group`, "aria-label": `Add a group${where}`, on: { click: () => act.add(path, true) } }, icon("copy"), "Group"));
  };

  const group = (node, path, act, state) => {
    const isTop = !path.length, error = node.conditions.length ? fault(path, state) : null;
    const mode = h("select", { key: `${path.join(".")}/mode`, class: `ply-word ply-word--mode${node.operator === "not" ? " ply-word--none" : ""}`, "aria-label": "Match", "data-word": `${path.join(".")}/mode`, value: node.operator, on: { change: (event) => act.mode(path, event.target.value) } }, Object.entries(MODES).map(option(node.operator)));
    return h("fieldset", { key: "group", class: `ply-group${error ? " is-bad" : ""}`, "data-node": path.join("."), on: isTop ? {} : { keydown: keys(path, act) } },
      h("legend", { key: "legend" }, isTop ? "People for whom" : null, mode, isTop ? "of these are true" : "of these"),
      !isTop && h("div", { key: "tools", class: "seg-tools seg-tools--group" }, count(node, state), tools(node, path, `the group with ${MODES[node.operator]} of ${node.conditions.length}`, act, state.tree)),
      error,
      h("ul", { key: "list", class: "ply-conds" }, node.conditions.map((one, n) => {
        const here = [...path, n];
        return h("li", { key: `${n}${model.isGroup(one) ? "g" : "c"}` }, n ? h("span", { key: "join", class: "ply-join" }, model.JOINS[node.operator]) : null,
          model.isGroup(one) ? group(one, here, act, state) : leaf(one, here, act, state));
      })),
      !node.conditions.length && h("p", { key: "none", class: "ply-2" }, "No condition yet. Add one: everybody it holds for is in."),
      adders(node, path, act));
  };

  /** Put the cursor on a word; the menu or the first word of its node when that is gone. */
  const focus = (root, path, name) => {
    const id = path.join(".");
    const find = (key) => root.querySelector(`[data-word="${CSS.escape(`${id}/${key}`)}"]`);
    (find(name || "kind") || find("kind") || find("mode") || find("add") || root.querySelector("[data-word]"))?.focus();
  };

  Object.assign(window.parley.segments, { view: { draw: (root, state, act) => dom.patch(root, [group(state.tree, [], act, state)]), focus, number } });
})();
