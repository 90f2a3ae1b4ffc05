/* What a condition can ask: for each kind its first word, how a new one begins, and its sentence. */
(() => {
  const { words: w } = window.parley.segments;
  const { put, within, without, asNumber } = w;

  const number = (key, label, node, extra = {}) => ({ as: "number", key, label, min: 1, value: node[key] ?? "", set: (now, to) => ({ ...now, [key]: asNumber(to) }), ...extra });
  const select = (key, label, value, options, set = put(key)) => ({ as: "select", key, label, value, options, set });
  const named = (list) => Object.fromEntries(list);

  const what = (node, v) => ({ event: node?.event || v.event, ...(node?.where ? { where: node.where } : {}) });
  const kept = ({ count, aggregate }) => ({ ...(count ? { count } : {}), ...(aggregate ? { aggregate } : {}) });
  const timed = (node, fallback) => ({ time_window: node?.time_window ?? fallback });

  const did = (operator) => ({
    fresh: (node, v) => ({ type: "event", ...what(node, v), ...(operator === "not_occurred" || node?.operator === "not_occurred" ? { operator } : {}), ...(node?.type === "event" ? kept(node) : {}), ...timed(node, "last_90_days") }),
    parts: (node, v) => [w.eventWord(node), w.countWords(node), w.windowWords(node), w.whereWords(node, v), w.aggregateWords(node), w.whereButton(node), w.aggregateButton(node)],
  });
  const edge = (type) => ({
    fresh: (node, v) => ({ type, ...what(node, v), ...timed(node, "last_30_days") }),
    parts: (node, v) => [w.eventWord(node), w.windowWords(node), w.whereWords(node, v), w.whereButton(node)],
  });

  const stopped = {
    fresh: (node, v) => ({ type: "stopped", ...what(node, v), active_days: 90, quiet_days: 30 }),
    parts: (node, v) => [w.eventWord(node), w.whereWords(node, v), ": not in the last", number("quiet_days", "Quiet days", node), "days, but in the", number("active_days", "Active days before", node), "days before", w.whereButton(node)],
  };
  const regularly = {
    fresh: (node, v) => ({ type: "regularly", ...what(node, v), at_least: 3, periods: 4, period_days: 30 }),
    parts: (node, v) => [w.eventWord(node), w.whereWords(node, v), "in at least", number("at_least", "Periods with it", node), "of the last", number("periods", "Periods", node, { min: 2 }), "periods of", number("period_days", "Days in a period", node), "days", w.whereButton(node)],
  };

  /* Steps and what must not come between are events of their own: the same words, lifted into the list. */
  const happenings = (node, v, name, said, joint) => (node[name] || []).map((step, n) => {
    const lift = (now, fn) => ({ ...now, [name]: now[name].map((one, m) => (m === n ? fn(one) : one)) });
    const drop = (now) => { const left = now[name].toSpliced(n, 1); return left.length ? { ...now, [name]: left } : without(now, name); };
    const isNeeded = name === "steps" && node.steps.length <= 2;
    return [n ? joint : "", w.part(`${name}-${n}-part`, within([w.eventWord(step, "event", `${said} ${n + 1}`), w.whereWords(step, v), w.whereButton(step)], `${name}-${n}`, lift),
      !isNeeded && { as: "button", key: `${name}-${n}-x`, icon: "x", label: `Remove ${said.toLowerCase()} ${n + 1}: ${step.event}`, set: drop, focus: n ? `${name}-${n - 1}-event` : `${name}-add` })];
  });
  const sequence = {
    fresh: (node, v) => ({ type: "sequence", steps: [{ event: node?.event || v.event }, { event: v.otherEvent(node?.event || v.event) }], within_days: 7, ...timed(node, "last_90_days") }),
    parts: (node, v) => [
      happenings(node, v, "steps", "Step", "and then"),
      node.steps.length < 5 && { as: "button", key: "steps-add", icon: "plus", text: "then", label: "Add a step", focus: `steps-${node.steps.length}-event`, set: (now) => ({ ...now, steps: [...now.steps, { event: v.event }] }) },
      select("gap", "Time between steps", node.within_days === undefined ? "any" : "within", { any: "with any time between", within: "each within" }, (now, to) => (to === "any" ? without(now, "within_days") : { ...now, within_days: 7 })),
      node.within_days !== undefined && [number("within_days", "Days between steps", node, { min: 0 }), "days of the one before"],
      node.without && "with no", happenings(node, v, "without", "Not between", "or"), node.without && "in between",
      (node.without || []).length < 5 && { as: "button", key: "without-add", icon: "plus", text: node.without ? "or" : "with nothing between", label: "Add an event that must not come between", focus: `without-${(node.without || []).length}-event`, set: (now) => ({ ...now, without: [...(now.without || []), { event: v.event }] }) },
      w.windowWords(node),
    ],
  };

  const trait = {
    fresh: (node, v) => ({ type: "trait", trait: v.trait, operator: "is_set" }),
    parts: (node, v) => [{ as: "text", key: "trait", label: "Trait", list: "traits", value: node.trait, set: put("trait") }, w.comparison(node, `trait:${node.trait}`, v.traitType(node.trait))],
  };
  const computed = {
    fresh: (node, v) => ({ type: "computed_trait", trait: v.computedTrait, ...(v.computedType(v.computedTrait) === "number" ? { operator: "greater_than", value: 100 } : { operator: "is_set" }) }),
    parts: (node, v) => {
      const type = v.computedType(node.trait);
      const rest = type === "date" ? w.compared(node, [...w.DATES, "is_set", "is_not_set"]) : type === "text" ? w.comparison(node, null, "text") : w.compared(node, [...w.COMPARED, "not_equals", "is_set", "is_not_set"]);
      return [{ as: "text", key: "trait", label: "Computed trait", list: "computed", value: node.trait, set: put("trait") }, rest];
    },
  };

  const isMany = (node) => ["in", "not_in"].includes(node.operator);
  const lifecycle = {
    fresh: () => ({ type: "lifecycle", operator: "equals", value: "customer" }),
    parts: (node, v) => {
      const operator = node.operator || "equals";
      const options = { equals: "is", not_equals: "is not", in: "is one of", not_in: "is none of" };
      const set = (now, to) => ({ ...now, operator: to, value: isMany({ operator: to }) ? [now.value].flat() : [now.value].flat()[0] });
      const values = isMany(node) ? node.value : [node.value];
      const stages = named(v.lifecycles.map((one) => [one, one]));
      return [select("operator", "Comparison", operator, options, set), values.map((value, n) => [n ? "or" : "", w.part(`value-${n}-part`,
        select(`value-${n}`, "Stage", value, stages, (now, to) => ({ ...now, value: isMany(now) ? now.value.toSpliced(n, 1, to) : to })),
        values.length > 1 && { as: "button", key: `value-${n}-x`, icon: "x", label: `Remove ${value}`, set: (now) => ({ ...now, value: now.value.toSpliced(n, 1) }), focus: "value-0" })]),
      isMany(node) && { as: "button", key: "value-add", icon: "plus", label: "Another stage", focus: `value-${values.length}`, set: (now) => ({ ...now, value: [...now.value, v.lifecycles.find((one) => !now.value.includes(one)) || v.lifecycles[0]] }) }];
    },
  };
  const consent = {
    fresh: () => ({ type: "consent", channel: "sms", operator: "is", state: "granted" }),
    parts: (node, v) => [select("channel", "Channel", node.channel, named(v.channels)), select("operator", "Is or is not", node.operator || "is", { is: "is", is_not: "is not" }), select("state", "State", node.state, { granted: "granted", denied: "denied", unknown: "unknown" })],
  };
  const OWN = { email: "email", phone: "phone", user_id: "user ID", anonymous_id: "anonymous ID" };
  const identifier = {
    fresh: () => ({ type: "identifier", kind: "email", operator: "present" }),
    parts: (node, v) => [select("identifier", "Identifier", node.kind, { ...OWN, ...named(v.external.map((one) => [one, one.replace("external:", "ID in ")])), ...(node.kind in OWN ? {} : { [node.kind]: node.kind }) }, put("kind")), select("operator", "Known or not", node.operator || "present", { present: "is known", absent: "is not known" })],
  };
  const segment = (operator) => ({
    fresh: (node, v) => ({ type: "segment", segment_id: node?.segment_id || v.segments[0]?.[0] || 0, operator }),
    parts: (node, v) => [{ ...select("segment_id", "Segment", String(node.segment_id), v.segments.length || node.segment_id ? named([...v.segments.map(([id, name]) => [`${id}`, name]), ...(v.segments.some(([id]) => id === node.segment_id) ? [] : [[`${node.segment_id}`, node.segment_id ? `segment ${node.segment_id}` : "choose one"]])]) : { 0: "there is no other segment yet" }), set: (now, to) => ({ ...now, segment_id: Number(to) }) }],
  });
  const rank = {
    fresh: (node, v) => ({ type: "rank", computed_trait: v.computedTrait, operator: "top", percent: 10 }),
    parts: (node) => {
      const by = "computed_trait" in node ? "computed_trait" : "trait", unit = "percent" in node ? "percent" : "count";
      const swap = (from, value) => (now, to) => (to === from ? now : { ...without(now, from), [to]: value ?? now[from] });
      return [select("operator", "Top or bottom", node.operator || "top", { top: "top", bottom: "bottom" }), number(unit, "How many", node, { step: unit === "percent" ? "any" : 1 }),
        select("unit", "Unit", unit, { percent: "percent", count: "people" }, swap(unit)), "by",
        select("by", "Kind of number", by, { computed_trait: "computed trait", trait: "trait" }, swap(by)), { as: "text", key: by, label: "Number", list: by === "trait" ? "traits" : "computed", value: node[by], set: put(by) }];
    },
  };
  const random = {
    fresh: () => ({ type: "random", from: 0, to: 10, seed: "holdout" }),
    parts: (node) => ["from", number("from", "From percent", node, { min: 0, step: "any" }), "to", number("to", "To percent", node, { min: 0, step: "any" }), "percent of everyone, by the seed", { as: "text", key: "seed", label: "Seed", value: node.seed ?? "holdout", set: put("seed") }],
  };

  const KINDS = {
    event: did("occurred"), "event!": did("not_occurred"), event_first: edge("event_first"), event_last: edge("event_last"), stopped, regularly, sequence,
    trait, computed_trait: computed, lifecycle, identifier, consent, segment: segment("in"), "segment!": segment("not_in"), rank, random,
  };
  const LABELS = [
    ["What they did", { event: "did", "event!": "did not do", event_first: "did for the first time", event_last: "did for the last time", stopped: "stopped doing", regularly: "regularly did", sequence: "did one after another" }],
    ["What is known", { trait: "trait", computed_trait: "computed trait", lifecycle: "lifecycle stage", identifier: "identifier", consent: "consent to" }],
    ["Among whom", { segment: "is in segment", "segment!": "is not in segment", rank: "is among the", random: "is drawn at random" }],
  ];

  const kindOf = (node) => {
    if (node.type === "event") return node.operator === "not_occurred" ? "event!" : "event";
    if (node.type === "segment") return node.operator === "not_in" ? "segment!" : "segment";
    return node.type;
  };
  /** Another kind of condition, with what can be kept of this one. */
  const turn = (node, kind, vocabulary) => KINDS[kind].fresh(node.steps ? { ...node, event: node.steps[0]?.event } : node, vocabulary);
  /** All words of a condition. One of a kind nobody knows stays as it is, for the JSON tab. */
  const sentence = (node, vocabulary) => {
    const kind = kindOf(node);
    if (!KINDS[kind]) return [`“${kind ?? "nothing"}” is no kind of condition; mend it in the JSON`];
    const first = { as: "select", key: "kind", label: "Kind of condition", value: kind, groups: LABELS, set: (now, to) => turn(now, to, vocabulary) };
    return [first, ...KINDS[kind].parts(node, vocabulary)].flat(Infinity).filter((word) => word);
  };
  /** Where a word is still empty: the path of the first such condition, or of a group without any; nothing when all is said. */
  const gap = (node, vocabulary, path = []) => {
    if (Array.isArray(node.conditions)) {
      if (!node.conditions.length) return path;
      return node.conditions.reduce((found, one, n) => found || gap(one, vocabulary, [...path, n]), null);
    }
    const isEmpty = (word) => ["text", "number", "date"].includes(word.as) && String(word.value ?? "").trim() === "";
    const hasGap = (words) => words.some((word) => (word.as === "part" ? hasGap(word.words) : isEmpty(word)));
    return hasGap(sentence(node, vocabulary)) ? path : null;
  };
  const fresh = (vocabulary) => KINDS.event.fresh(null, vocabulary);

  Object.assign(window.parley.segments, { kinds: { sentence, fresh, gap } });
})();
