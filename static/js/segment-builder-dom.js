/* h() says what a part of the page should be, patch() makes it so by changing what is there: focus, the caret and a click
   under way survive. Texts are texts; nothing is read as HTML. */
(() => {
  const NAMED = new Set(["key", "on", "value", "checked"]);
  const handlers = new WeakMap();

  const h = (tag, props, ...children) => ({ tag, props: props || {}, children: children.flat(Infinity).filter((one) => one || one === 0) });
  const icon = (name) => ({ tag: "#icon", props: { key: `icon-${name}`, name }, children: [] });

  const cloneIcon = (name) => {
    const template = document.querySelector(`template[data-icon="${name}"]`);
    const drawn = template.content.firstElementChild.cloneNode(true);
    drawn.dataset.key = `icon-${name}`;
    return drawn;
  };

  const make = (node) => {
    if (typeof node !== "object") return document.createTextNode(String(node));
    if (node.tag === "#icon") return cloneIcon(node.props.name);
    const element = document.createElement(node.tag);
    if (node.props.key) element.dataset.key = node.props.key;
    update(element, node);
    return element;
  };

  const listen = (element, wanted = {}) => {
    const known = handlers.get(element) || {};
    Object.keys(wanted).forEach((type) => {
      if (!(type in known)) element.addEventListener(type, (event) => handlers.get(element)[type]?.(event));
    });
    handlers.set(element, { ...Object.fromEntries(Object.keys(known).map((type) => [type, null])), ...wanted });
  };

  const update = (element, { props, children }) => {
    const wanted = Object.entries(props).filter(([name, value]) => !NAMED.has(name) && value !== false && value !== null && value !== undefined);
    const names = new Set(wanted.map(([name]) => name));
    [...element.attributes].forEach(({ name }) => {
      if (!names.has(name) && name !== "data-key" && !(name === "open" && element.tagName === "DETAILS")) element.removeAttribute(name);
    });
    wanted.forEach(([name, value]) => {
      const text = value === true ? "" : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    });
    if (props.on || handlers.has(element)) listen(element, props.on);
    patch(element, children);
    /* What someone is typing stays as they typed it; the tree already has it. */
    if ("value" in props && element.value !== String(props.value) && (element !== document.activeElement || props.force)) element.value = props.value;
    if ("checked" in props) element.checked = props.checked;
  };

  const fits = (there, node) => {
    if (typeof node !== "object") return there.nodeType === Node.TEXT_NODE;
    if (there.nodeType !== Node.ELEMENT_NODE || (there.dataset.key || "") !== String(node.props.key || "")) return false;
    return node.tag === "#icon" || there.localName === node.tag;
  };

  /** Make the children of `parent` what `nodes` say. */
  const patch = (parent, nodes) => {
    const old = [...parent.childNodes];
    const kept = nodes.map((node) => {
      const place = old.findIndex((there) => there && fits(there, node));
      if (place < 0) return make(node);
      const there = old[place];
      old[place] = null;
      if (typeof node !== "object") { if (there.data !== String(node)) there.data = String(node); }
      else if (node.tag !== "#icon") update(there, node);
      return there;
    });
    old.forEach((there) => there?.remove());
    kept.forEach((child, place) => { if (parent.childNodes[place] !== child) parent.insertBefore(child, parent.childNodes[place] || null); });
  };

  Object.assign(window.parley.segments, { dom: { h, icon, patch } });
})();
