/* The builder of a segment's condition: state, keys, the JSON tab. Without it the form's JSON field does the same work. */
(() => {
  const { model, kinds, view, Preview } = window.parley.segments;
  const { each, send } = window.parley;

  /** What the tenant has, to choose from; properties and values are asked for when a field wants them. */
  const vocabularyOf = (data) => {
    const types = (list) => Object.fromEntries(list.map(({ name, type }) => [name, type]));
    const traits = types(data.traits), computed = types(data.computed), properties = {};
    return {
      ...data, properties,
      event: data.events.includes("purchase") ? "purchase" : data.events[0] || "purchase",
      trait: "email", computedTrait: data.computed[0]?.name || "total_purchases",
      otherEvent: (event) => data.events.find((one) => one !== event) || event,
      traitType: (name) => traits[name], computedType: (name) => computed[name] || "number",
      propertyType: (event, name) => properties[event]?.[name],
    };
  };

  class Builder {
    constructor(form) {
      this.form = form;
      this.root = form.querySelector("[data-builder]");
      this.area = form.elements.namedItem("conditions");
      const data = JSON.parse(form.dataset.vocabulary);
      const tree = model.tidy(this.parsed());
      this.history = new model.History(tree);
      this.state = { tree, counts: new Map(), error: null, vocabulary: vocabularyOf(data) };
      this.lists = new Map();
      [["events", data.events], ["traits", data.traits.map((one) => one.name)], ["computed", data.computed.map((one) => one.name)]].forEach(([name, values]) => this.fillList(name, values));
      this.preview = new Preview(form.querySelector("[data-preview]"), (found, error, asked) => this.counted(found, error, asked));
      this.bind();
      const given = form.dataset.errorPath;
      if (given) this.state.error = { ...model.readPath(given), message: form.dataset.errorMessage };
      if (given) { this.render(); this.preview.wait(); } else this.count();
    }

    parsed() { try { return JSON.parse(this.area.value); } catch { return null; } }

    /* Lists for autocompletion: an element each, made when first needed. */
    listId(name) { return `list-${name.replace(/[^\w]/g, (sign) => `-${sign.codePointAt(0)}`)}`; }
    fillList(name, values) {
      const list = this.lists.get(name) || document.body.appendChild(document.createElement("datalist"));
      list.id = this.listId(name);
      this.lists.set(name, list);
      list.replaceChildren(...values.map((value) => { const option = document.createElement("option"); option.value = value; return option; }));
    }
    async wants(name) {
      if (this.lists.has(name)) return;
      this.fillList(name, []);
      const [kind, first, second = ""] = name.split(":");
      const asked = kind === "property" ? { event: first } : kind === "value" ? { event: first, property: second } : { trait: first };
      const answer = await send(`${this.form.dataset.words}?${new URLSearchParams(asked)}`).catch(() => null);
      if (!answer?.ok) { this.lists.get(name).remove(); this.lists.delete(name); return; }
      const found = await answer.json();
      this.fillList(name, found.words.map((one) => one.name));
      if (kind === "property") { this.state.vocabulary.properties[first] = Object.fromEntries(found.words.map((one) => [one.name, one.type])); this.render(); }
    }

    /* What a person does to the tree. */
    act = {
      list: (name) => this.listId(name),
      wants: (name) => this.wants(name),
      word: (path, word, value, focus) => {
        const tree = model.change(this.state.tree, path, (node) => word.set(node, value));
        this.set(tree, ["text", "number", "date"].includes(word.as) ? `${path.join(".")}/${word.key}` : "");
        if (focus) view.focus(this.root, path, focus);
      },
      mode: (path, operator) => this.set(model.change(this.state.tree, path, (node) => ({ ...node, operator }))),
      add: (path, isGroup) => {
        const parent = model.at(this.state.tree, path), place = parent.conditions.length, fresh = kinds.fresh(this.state.vocabulary);
        const node = isGroup ? model.group(parent.operator === "or" ? "and" : "or", [fresh]) : fresh;
        this.edit({ tree: model.insert(this.state.tree, path, place, node), path: isGroup ? [...path, place, 0] : [...path, place] }, "kind");
      },
      move: (path, step) => { const moved = model.move(this.state.tree, path, step); if (moved) this.edit(moved, "menu"); },
      remove: (path) => this.edit(model.remove(this.state.tree, path), "remove"),
      edit: (change) => this.edit(change, "menu"),
    };

    edit({ tree, path }, focus) { this.set(tree); view.focus(this.root, path, focus); }

    set(tree, name = "") {
      this.history.push(tree, name);
      this.changed();
    }

    changed() {
      this.state.tree = this.history.now;
      this.state.error = null;
      this.area.value = JSON.stringify(this.state.tree, null, 2);
      this.area.dispatchEvent(new Event("input", { bubbles: true }));  // the form knows that it is not saved
      this.count();
    }

    /** Draw, and ask who it is as soon as everything is said. */
    count() {
      const gap = kinds.gap(this.state.tree, this.state.vocabulary);
      if (gap) this.state.error = { path: gap, isGap: true };
      this.render();
      if (gap) this.preview.wait(); else this.preview.ask(this.state.tree);
    }

    render() {
      view.draw(this.root, this.state, this.act);
      this.button("undo").disabled = !this.history.back.length;
      this.button("redo").disabled = !this.history.forth.length;
    }

    button(name) { return this.form.querySelector(`[data-do="${name}"]`); }

    step(back) {
      document.activeElement?.matches(".ply-word") && document.activeElement.blur();
      if (back ? this.history.undo() : this.history.redo()) this.changed();
    }

    counted(found, error, asked) {
      if (found) {
        Object.entries(found.nodes).forEach(([path, count]) => {
          const node = model.at(asked, path ? path.split(".").map(Number) : []);
          if (node) this.state.counts.set(JSON.stringify(node), count);
        });
        this.form.querySelector("[data-sentence]").textContent = found.sentence;
      }
      this.state.error = error?.path ? { ...model.readPath(error.path), message: error.message } : null;
      const said = this.form.querySelector("[data-json-error]");
      said.hidden = !error?.path;
      said.querySelector("span").textContent = error?.path ? `${error.path}: ${error.message}` : "";
      this.render();
    }

    bind() {
      this.button("undo").addEventListener("click", () => this.step(true));
      this.button("redo").addEventListener("click", () => this.step(false));
      this.form.querySelector("[data-do=others]").addEventListener("click", () => this.preview.others());
      this.form.addEventListener("keydown", (event) => this.key(event));
      this.area.addEventListener("input", (event) => { if (event.isTrusted) this.typed(); });
      this.tabs();
    }

    key(event) {
      if (event.key === "Enter" && event.target.matches("input.ply-word")) event.preventDefault();  // done with a word, not with the form
      if (!(event.ctrlKey || event.metaKey) || !event.target.closest("[data-sentences]")) return;
      const letter = event.key.toLowerCase();
      if (letter !== "z" && letter !== "y") return;
      event.preventDefault();
      const place = event.target.dataset.word;
      this.step(letter === "z" && !event.shiftKey);
      const again = place && this.root.querySelector(`[data-word="${CSS.escape(place)}"]`);
      (again || this.root.querySelector("[data-word]"))?.focus();
    }

    /* JSON: what is valid is applied while it is written. */
    typed() {
      const said = this.form.querySelector("[data-json-error]");
      try {
        const tree = JSON.parse(this.area.value);
        if (!tree || typeof tree !== "object" || Array.isArray(tree)) throw new SyntaxError("a condition is an object in { }");
        said.hidden = true;
        this.history.push(model.tidy(tree), "json");
        this.state.tree = this.history.now;
        this.state.error = null;
        this.count();
      } catch (error) {
        said.hidden = false;
        said.querySelector("span").textContent = `This is not JSON yet: ${error.message}.`;
      }
    }

    tabs() {
      const tabs = [...this.form.querySelectorAll("[role=tab]")];
      const show = (tab) => tabs.forEach((one) => {
        const on = one === tab;
        one.setAttribute("aria-selected", String(on));
        one.classList.toggle("active", on);
        one.tabIndex = on ? 0 : -1;
        document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
      });
      tabs.forEach((tab, n) => {
        tab.addEventListener("click", () => show(tab));
        tab.addEventListener("keydown", (event) => {
          if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
          const next = tabs[(n + 1) % tabs.length];
          show(next);
          next.focus();
        });
      });
      show(tabs[0]);
    }
  }

  each("form[data-segment-builder]", (form) => new Builder(form));
})();
