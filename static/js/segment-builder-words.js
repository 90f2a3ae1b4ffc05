/* The words a condition's sentence is made of: operators with their values, windows, counts, filters. Each word says what it
   shows and how the node reads once it is changed: {as, key, label, value, set(node, value)}. A plain text is just said. */
(() => {
  const OPERATORS = [
    ["Any", { equals: "is", not_equals: "is not", in: "is one of", not_in: "is none of", is_set: "is known", is_not_set: "is not known" }],
    ["Text", { contains: "contains", starts_with: "begins with", ends_with: "ends with" }],
    ["Number", { greater_than: "is more than", greater_or_equal: "is at least", less_than: "is less than", less_or_equal: "is at most", between: "is between" }],
    ["Date", { before: "is before", after: "is after", "between:dates": "is between the dates", within_last_days: "is within the last", anniversary_within_days: "has its day of the year within" }],
    ["List", { includes: "includes", includes_any: "includes one of", includes_all: "includes all of" }],
    ["Yes or no", { is_true: "is true", is_false: "is false" }],
  ];
  const FOR = { text: ["Any", "Text"], number: ["Any", "Number"], date: ["Any", "Date"], list: ["List"], bool: ["Yes or no", "Any"] };
  const SILENT = new Set(["is_set", "is_not_set", "is_true", "is_false"]);
  const MANY = new Set(["in", "not_in", "includes_any", "includes_all"]);
  const DAYS = { within_last_days: 30, anniversary_within_days: 14 };
  const COMPARED = ["equals", "greater_than", "greater_or_equal", "less_than", "less_or_equal", "between"];
  const words = Object.assign({}, ...OPERATORS.map(([, each]) => each));

  const today = (back = 0) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  const looksNumeric = (text) => /^-?\d+([.,]\d+)?$/.test(String(text).trim());
  const asNumber = (text) => { const found = Number(String(text).trim().replace(",", ".")); return String(text).trim() !== "" && Number.isFinite(found) ? found : String(text); };
  /** "5" is the number 5 unless the trait holds texts, or a person said it is a text. */
  const asScalar = (text, before, type) => {
    const isText = type === "text" || type === "date" || (typeof before === "string" && looksNumeric(before));
    return !isText && looksNumeric(text) ? asNumber(text) : text;
  };

  /** Words that belong together, drawn as one piece. */
  const part = (key, ...words) => ({ as: "part", key, words: words.flat(Infinity).filter((one) => one) });

  const without = (node, ...names) => Object.fromEntries(Object.entries(node).filter(([name]) => !names.includes(name)));
  const put = (name) => (node, value) => ({ ...node, [name]: value });

  /** The operator as the list of words has it: "between" two dates is a word of its own. */
  const operatorOf = (node) => (node.operator === "between" && typeof node.value?.[0] === "string" && Number.isNaN(Number(node.value[0])) ? "between:dates" : node.operator);

  const fit = (operator, value) => {
    const one = Array.isArray(value) ? value[0] : value;
    if (MANY.has(operator)) return Array.isArray(value) ? value : [one ?? ""];
    if (operator in DAYS) return Number.isInteger(one) && one > 0 ? one : DAYS[operator];
    if (operator === "between:dates") return [today(30), today()];
    if (operator === "before" || operator === "after") return /^\d{4}-\d{2}-\d{2}/.test(one) ? one : today();
    if (operator === "between") return [typeof one === "number" ? one : 1, typeof one === "number" ? one + 9 : 10];
    if (COMPARED.includes(operator) && operator !== "equals") return typeof asNumber(one ?? "") === "number" ? asNumber(one) : 1;
    if (["contains", "starts_with", "ends_with"].includes(operator)) return String(one ?? "");
    return one ?? "";
  };
  const setOperator = (node, name) => {
    const operator = name.split(":")[0];
    return SILENT.has(operator) ? { ...without(node, "value"), operator } : { ...node, operator, value: fit(name, node.value) };
  };

  const choices = (names, now) => {
    const all = Object.fromEntries(names.map((name) => [name, words[name]]));
    return now in words && !(now in all) ? { ...all, [now]: words[now] } : all;
  };
  const operatorsFor = (type, now) => {
    if (!FOR[type]) return OPERATORS;
    const kept = OPERATORS.filter(([name]) => FOR[type].includes(name));
    if (kept.some(([, each]) => now in each)) return kept;
    return now in words ? [...kept, ["Now", { [now]: words[now] }]] : kept;
  };

  const scalar = (key, label, value, list, type, set) => {
    const typed = { as: "text", key, label, list, value, set: (node, text) => set(node, asScalar(text, value, type)) };
    if (type === "text" || type === "date" || !(typeof value === "number" || looksNumeric(value))) return [typed];
    const as = { as: "select", key: `${key}-as`, label: `${label}, read as`, cls: "seg-as", value: typeof value === "number" ? "number" : "text", options: { number: "number", text: "text" }, set: (node, to) => set(node, to === "number" ? asNumber(value) : String(value)) };
    return type === "number" ? [typed] : [typed, as];
  };

  const manyWords = (node, list, type) => {
    const values = Array.isArray(node.value) ? node.value : [node.value];
    const each = values.map((value, n) => [
      n ? (n === values.length - 1 ? (node.operator === "includes_all" ? "and" : "or") : ",") : "",
      part(`value-${n}-part`, scalar(`value-${n}`, `Value ${n + 1}`, value, list, type, (now, to) => ({ ...now, value: now.value.toSpliced(n, 1, to) })),
      values.length > 1 && { as: "button", key: `value-${n}-x`, icon: "x", label: `Remove value ${n + 1}`, set: (now) => ({ ...now, value: now.value.toSpliced(n, 1) }), focus: `value-${Math.max(0, n - 1)}` }),
    ]);
    return [...each, { as: "button", key: "value-add", icon: "plus", label: "Another value", set: (now) => ({ ...now, value: [...now.value, ""] }), focus: `value-${values.length}` }];
  };

  /** The value or values an operator asks for. */
  const valueWords = (node, list, type) => {
    const name = operatorOf(node);
    const pair = (n, as, label) => ({ as, key: `value-${n}`, label, value: node.value?.[n] ?? "", set: (now, to) => ({ ...now, value: [0, 1].map((m) => (m === n ? (as === "number" ? asNumber(to) : to) : now.value?.[m] ?? "")) }) });
    if (SILENT.has(name)) return [];
    if (MANY.has(name)) return manyWords(node, list, type);
    if (name === "between") return [pair(0, "number", "From"), "and", pair(1, "number", "To")];
    if (name === "between:dates") return [pair(0, "date", "From"), "and", pair(1, "date", "To")];
    if (name === "before" || name === "after") return [{ as: "date", key: "value", label: "Date", value: node.value, set: put("value") }];
    if (name in DAYS) return [{ as: "number", key: "value", label: "Days", min: 1, value: node.value, set: (now, to) => ({ ...now, value: asNumber(to) }) }, node.value === 1 ? "day" : "days"];
    if (name !== "equals" && name !== "not_equals" && COMPARED.includes(name)) return [{ as: "number", key: "value", label: "Number", step: "any", value: node.value, set: (now, to) => ({ ...now, value: asNumber(to) }) }];
    if (typeof node.value === "boolean") return [{ as: "select", key: "value", label: "Value", value: String(node.value), options: { true: "true", false: "false" }, set: (now, to) => ({ ...now, value: to === "true" }) }];
    return scalar("value", "Value", node.value ?? "", list, ["contains", "starts_with", "ends_with"].includes(name) ? "text" : type, put("value"));
  };

  /** `operator` and `value`, as a trait and a property have them. */
  const comparison = (node, list, type) => [
    { as: "select", key: "operator", label: "Comparison", value: operatorOf(node), groups: operatorsFor(type, operatorOf(node)), set: setOperator },
    valueWords(node, list, type),
  ];
  const compared = (node, names, key = "operator") => [
    { as: "select", key, label: "Comparison", value: operatorOf(node), options: choices(names, operatorOf(node)), set: setOperator },
    valueWords(node, null, "number"),
  ];

  /** The same words for something inside the node: its keys and its changes are those of the part. */
  const within = (parts, prefix, lift) => parts.flat(Infinity).map((word) => (word?.as === "part"
    ? { ...word, key: `${prefix}-${word.key}`, words: within(word.words, prefix, lift) }
    : word && typeof word === "object"
    ? { ...word, key: `${prefix}-${word.key}`, focus: word.focus && `${prefix}-${word.focus}`, set: (node, value) => lift(node, (part) => word.set(part, value)) }
    : word));

  const WINDOWS = { ever: "ever", last: "in the last", ago: "between", dates: "between the dates" };
  const windowKind = (value) => (typeof value === "string" && value.startsWith("last_") ? "last" : value?.from_days_ago !== undefined || value?.to_days_ago !== undefined ? "ago" : value && typeof value === "object" ? "dates" : "ever");
  const lastDays = (value) => /^last_(.*)_days$/.exec(value)?.[1] ?? "";
  const FRESH = { ever: () => "ever", last: () => "last_90_days", ago: () => ({ from_days_ago: 180, to_days_ago: 90 }), dates: () => ({ from: today(30), to: today() }) };

  /** Ever, in the last so many days, between days ago, between dates. */
  const windowWords = (node) => {
    const value = node.time_window ?? "ever", kind = windowKind(value);
    const part = (name, as, label) => ({ as, key: `window-${name}`, label, value: value[name] ?? "", min: as === "number" ? 0 : undefined, set: (now, to) => ({ ...now, time_window: { ...now.time_window, [name]: as === "number" ? asNumber(to) : to } }) });
    const rest = {
      ever: [],
      last: [{ as: "number", key: "window-days", label: "Days", min: 1, value: lastDays(value), set: (now, to) => ({ ...now, time_window: `last_${String(to).trim()}_days` }) }, lastDays(value) === "1" ? "day" : "days"],
      ago: [part("from_days_ago", "number", "Days ago, from"), "and", part("to_days_ago", "number", "Days ago, to"), "days ago"],
      dates: [part("from", "date", "From"), "and", part("to", "date", "To")],
    }[kind];
    return [{ as: "select", key: "window", label: "When", value: kind, options: WINDOWS, set: (now, to) => ({ ...now, time_window: FRESH[to]() }) }, rest];
  };

  const COUNTS = { any: "at least once", at_least: "at least", at_most: "at most", exactly: "exactly" };
  const countWords = (node) => {
    const kind = Object.keys(node.count || {})[0] || "any";
    const number = node.count?.[kind];
    const which = { as: "select", key: "count", label: "How often", value: kind, options: COUNTS, set: (now, to) => (to === "any" ? without(now, "count") : { ...now, count: { [to]: number || 2 } }) };
    return kind === "any" ? [which] : [which, { as: "number", key: "count-n", label: "Times", min: 0, value: number, set: (now, to) => ({ ...now, count: { [kind]: asNumber(to) } }) }, number === 1 ? "time" : "times"];
  };

  /** "where category is shoes and …": properties of the event. */
  const whereWords = (node, vocabulary) => {
    const filters = node.where || [];
    const change = (n) => (now, fn) => ({ ...now, where: now.where.map((one, m) => (m === n ? fn(one) : one)) });
    const drop = (n) => (now) => { const left = now.where.toSpliced(n, 1); return left.length ? { ...now, where: left } : without(now, "where"); };
    return filters.map((filter, n) => part(`where-${n}-part`,
      n ? "and" : "where",
      within([{ as: "text", key: "property", label: `Property ${n + 1}`, list: `property:${node.event}`, value: filter.property, set: put("property") },
        comparison(filter, `value:${node.event}:${filter.property}`, vocabulary.propertyType(node.event, filter.property))], `where-${n}`, change(n)),
      { as: "button", key: `where-${n}-x`, icon: "x", label: `Remove: where ${filter.property}`, set: drop(n), focus: n ? `where-${n - 1}-property` : "where-add" }));
  };
  const whereButton = (node) => ({ as: "button", key: "where-add", icon: "plus", text: node.where?.length ? "and" : "where", label: "Add a property of the event", focus: `where-${(node.where || []).length}-property`, set: (now) => ({ ...now, where: [...(now.where || []), { property: "", operator: "equals", value: "" }] }) });

  const TOTALS = { sum: "the total", average: "the average", minimum: "the lowest", maximum: "the highest" };
  const aggregateWords = (node) => {
    if (!node.aggregate) return [];
    const lift = (now, fn) => ({ ...now, aggregate: fn(now.aggregate) });
    return part("total-part", "and", within([
      { as: "select", key: "function", label: "Sum or average", value: node.aggregate.function, options: TOTALS, set: put("function") },
      { as: "text", key: "property", label: "Number added up", list: `property:${node.event}`, value: node.aggregate.property, set: put("property") },
      compared(node.aggregate, COMPARED),
    ], "total", lift), { as: "button", key: "total-x", icon: "x", label: "Remove the total", set: (now) => without(now, "aggregate"), focus: "total-add" });
  };
  const aggregateButton = (node) => !node.aggregate && { as: "button", key: "total-add", icon: "plus", text: "total", label: "Add a total or an average", focus: "total-property", set: (now) => ({ ...now, aggregate: { function: "sum", property: "amount", operator: "greater_or_equal", value: 100 } }) };

  const eventWord = (node, key = "event", label = "Event") => ({ as: "text", key, label, list: "events", value: node.event, set: put("event") });

  Object.assign(window.parley.segments, { words: {
    part, comparison, compared, within, without, put, asNumber, windowWords, countWords, whereWords, whereButton, aggregateWords, aggregateButton, eventWord, setOperator,
    COMPARED, DATES: ["before", "after", "between:dates", "within_last_days"],
  } });
})();
