/* Parley for websites: window.parley.page(), .track(name, properties), .identify(userId, traits), .reset(), .flush().
   <script async src="…/static/js/parley.js" data-key="key_…"></script>; data-pages="off" counts no visit by itself.
   Events wait in localStorage until they are delivered; each has a message id, so sending one twice is harmless. */
((w, d) => {
  const tag = d.currentScript;
  const key = tag && tag.dataset.key;
  if (!key || (w.parley && w.parley.track)) return;
  const url = tag.dataset.url || new URL("/api/v1/cdp/events/batch", tag.src).href;
  const MOST = 500, BATCH = 50, LAST_BATCH = 20, WAIT = 800, LONGEST_WAIT = 60000;
  const early = Array.isArray(w.parley) ? w.parley : [];
  const memory = {};
  let timer, failures = 0, sending = 0;

  const read = (name) => {
    try { return JSON.parse(localStorage.getItem("parley." + name)); } catch { return memory[name]; }
  };
  const write = (name, value) => {
    memory[name] = value;
    try {
      if (value == null) localStorage.removeItem("parley." + name);
      else localStorage.setItem("parley." + name, JSON.stringify(value));
    } catch { /* private mode or full: memory will do */ }
  };
  const makeId = () => (w.crypto && crypto.randomUUID ? crypto.randomUUID() : Date.now().toString(36) + "-" + Math.random().toString(36).slice(2, 14));
  const queue = () => { const found = read("queue"); return Array.isArray(found) ? found : []; };
  const anonymous = () => { let id = read("anonymous"); if (!id) write("anonymous", (id = makeId())); return id; };

  const add = (name, properties, traits) => {
    const user = read("user");
    const event = {
      event_name: name, message_id: makeId(), timestamp: new Date().toISOString(), anonymous_id: anonymous(),
      properties: properties || {},
      context: { url: location.href, title: d.title, referrer: d.referrer, locale: navigator.language, screen: screen.width + "x" + screen.height },
    };
    if (user) event.user_id = user;
    if (traits) event.traits = traits;
    write("queue", queue().concat(event).slice(-MOST));
    plan(WAIT);
  };

  const plan = (ms) => { if (!timer) timer = setTimeout(() => { timer = 0; flush(); }, ms); };
  const drop = (batch) => {
    const gone = new Set(batch.map((event) => event.message_id));
    write("queue", queue().filter((event) => !gone.has(event.message_id)));
  };

  const post = (batch, keepalive) => fetch(url, {
    method: "POST", credentials: "omit", keepalive, mode: "cors",
    headers: { Authorization: "Bearer " + key, "Content-Type": "application/json" },
    body: JSON.stringify({ events: batch.map((event) => Object.assign({ sent_at: new Date().toISOString() }, event)) }),
  });

  /* What can never be taken is dropped; what may be taken later waits, each time twice as long. */
  const flush = async (leaving) => {
    const batch = queue().slice(0, leaving ? LAST_BATCH : BATCH);
    if (!batch.length || sending > (leaving ? 1 : 0)) return;
    sending = leaving ? 2 : 1;
    let later = 0;
    try {
      const answer = await post(batch, Boolean(leaving));
      if (answer.ok || [400, 413, 422].includes(answer.status)) { drop(batch); failures = 0; }
      else later = 1e3 * answer.headers.get("Retry-After") || 1;
    } catch { later = 1; }
    sending = 0;
    if (later) later = Math.max(later, Math.min(LONGEST_WAIT, WAIT * 2 ** ++failures) * (0.5 + Math.random() / 2));
    if (queue().length) plan(later || WAIT);
  };

  const api = {
    page: (properties) => add("page", Object.assign({ path: location.pathname, title: d.title }, properties)),
    track: (name, properties) => add(String(name), properties),
    identify: (user, traits) => { if (user != null) write("user", String(user)); add("identify", {}, traits); },
    reset: () => { write("user", null); write("anonymous", null); },
    flush: () => flush(),
    push: (call) => api[call[0]](...call.slice(1)),
  };
  w.parley = api;
  early.forEach(api.push);
  if (tag.dataset.pages !== "off") api.page();
  addEventListener("pagehide", () => flush(true));
  addEventListener("online", () => flush());
  d.addEventListener("visibilitychange", () => { if (d.hidden) flush(true); });
})(window, document);
