/* The tree of a condition: every edit gives a new tree, and the old one can be had back. A path is a list of places: [1, 0]
   is the first condition of the second one. No page is needed here. */
(() => {
  const JOINS = { and: "and", or: "or", not: "nor" };
  const DEEPEST = 12;
  const ONE_EDIT_MS = 1200;  // keys pressed this quickly in one field are one step back

  const isGroup = (node) => Array.isArray(node?.conditions);
  const group = (operator, conditions) => ({ operator, conditions });

  /** The tree as the builder wants it: groups with an operator at the top and below, traits by their newer name. */
  const tidy = (raw) => {
    const node = raw && typeof raw === "object" && !Array.isArray(raw) ? raw : group("and", []);
    const top = tidyNode(node);
    return isGroup(top) ? top : group("and", [top]);
  };
  const tidyNode = (node) => {
    if (isGroup(node)) {
      const operator = String(node.operator || "and").toLowerCase();
      return group(operator in JOINS ? operator : "and", node.conditions.filter((one) => one && typeof one === "object").map(tidyNode));
    }
    if ("attribute" in node && !("type" in node)) {
      const { attribute, ...rest } = node;
      return { type: "trait", trait: attribute, ...rest };
    }
    return node;
  };

  const at = (tree, path) => path.reduce((node, place) => node?.conditions?.[place], tree);
  const parentOf = (path) => path.slice(0, -1);
  const placeOf = (path) => path[path.length - 1];

  /** The tree with `change` applied to the node at `path`. */
  const change = (tree, path, fn) => {
    if (!path.length) return fn(tree);
    const [place, ...rest] = path;
    return { ...tree, conditions: tree.conditions.map((one, n) => (n === place ? change(one, rest, fn) : one)) };
  };
  const splice = (tree, path, place, removed, ...added) =>
    change(tree, path, (parent) => ({ ...parent, conditions: parent.conditions.toSpliced(place, removed, ...added) }));

  const insert = (tree, path, place, node) => splice(tree, path, place, 0, node);

  /** Without the node; a group that would be left empty goes as well. Says which node to look at then. */
  const remove = (tree, path) => {
    if (!path.length) return { tree: group(tree.operator, []), path: [] };
    const parent = parentOf(path);
    if (parent.length && at(tree, parent).conditions.length === 1) return remove(tree, parent);
    const next = splice(tree, parent, placeOf(path), 1);
    const left = at(next, parent).conditions.length;
    return { tree: next, path: left ? [...parent, Math.min(placeOf(path), left - 1)] : parent };
  };

  const duplicate = (tree, path) => {
    const copy = structuredClone(at(tree, path));
    return { tree: insert(tree, parentOf(path), placeOf(path) + 1, copy), path: [...parentOf(path), placeOf(path) + 1] };
  };

  /** Put the node into a group of its own. */
  const wrap = (tree, path) => {
    const operator = at(tree, parentOf(path)).operator === "or" ? "and" : "or";
    return { tree: change(tree, path, (node) => group(operator, [node])), path: [...path, 0] };
  };

  /** Put what a group holds in the group's place. */
  const unwrap = (tree, path) => {
    const held = at(tree, path).conditions;
    return { tree: splice(tree, parentOf(path), placeOf(path), 1, ...held), path: [...parentOf(path), placeOf(path)] };
  };

  const depth = (node) => (isGroup(node) ? 1 + Math.max(0, ...node.conditions.map(depth)) : 1);

  /** One step up (-1) or down (1): past its neighbour, into the group there, or at the edge out of its own group.
      Nothing where there is nowhere to go. */
  const move = (tree, path, step) => {
    const parent = parentOf(path), place = placeOf(path), node = at(tree, path);
    const siblings = at(tree, parent).conditions, target = place + step;
    const neighbour = siblings[target];
    if (neighbour === undefined) return parent.length ? moveOut(tree, path, step) : null;
    if (isGroup(neighbour) && !isGroup(node)) {
      const end = step > 0 ? 0 : neighbour.conditions.length;
      const into = step > 0 ? place : target;
      const without = splice(tree, parent, place, 1);
      return { tree: insert(without, [...parent, into], end, node), path: [...parent, into, end] };
    }
    return { tree: insert(splice(tree, parent, place, 1), parent, target, node), path: [...parent, target] };
  };
  const moveOut = (tree, path, step) => {
    const parent = parentOf(path), grand = parentOf(parent), node = at(tree, path);
    const isLast = at(tree, parent).conditions.length === 1;
    const without = isLast ? splice(tree, grand, placeOf(parent), 1) : splice(tree, parent, placeOf(path), 1);
    const to = placeOf(parent) + (step > 0 && !isLast ? 1 : 0);
    return { tree: insert(without, grand, to, node), path: [...grand, to] };
  };

  /** Steps back and forth. Edits with the same name soon after one another count as one. */
  class History {
    constructor(tree) {
      this.now = tree;
      this.back = [];
      this.forth = [];
      this.last = { name: "", time: 0 };
    }
    push(tree, name = "", time = Date.now()) {
      if (JSON.stringify(tree) === JSON.stringify(this.now)) return;
      const isSame = name && name === this.last.name && time - this.last.time < ONE_EDIT_MS;
      if (!isSame) this.back.push(this.now);
      this.last = { name, time };
      this.now = tree;
      this.forth = [];
    }
    undo() { return this.step(this.back, this.forth); }
    redo() { return this.step(this.forth, this.back); }
    step(from, to) {
      if (!from.length) return false;
      to.push(this.now);
      this.now = from.pop();
      this.last = { name: "", time: 0 };
      return true;
    }
  }

  /** "conditions.conditions[1].where[0].value" as the node it is about and the field of that node. */
  const readPath = (text) => {
    const places = [];
    let rest = String(text || "").replace(/^conditions/, "");
    for (let found; (found = rest.match(/^\.conditions\[(\d+)\]/)); rest = rest.slice(found[0].length)) places.push(Number(found[1]));
    return { path: places, field: rest.replace(/^\./, "") };
  };

  window.parley.segments = { model: { JOINS, DEEPEST, isGroup, group, tidy, at, change, insert, remove, duplicate, wrap, unwrap, move, depth, readPath, History } };
})();
