/* One event stream a tab, shared by htmx ("sse:name" triggers) and by modules (parley.live.on). It reconnects by itself
   from the last event seen, rests while the tab is hidden (browsers allow six connections a host) and catches up when shown. */
(() => {
  const REST_AFTER_MS = 20_000;
  const FIRST_WAIT_MS = 500;
  const LONGEST_WAIT_MS = 30_000;

  /** Looks like an EventSource to htmx and never closes by itself; the real connection comes and goes behind it. */
  class LiveSource extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
      this.names = new Set();
      this.lastId = "";
      this.failures = 0;
      this.opened = false;
      this.readyState = EventSource.CONNECTING;
      this.connect();
    }

    addEventListener(name, listener, options) {
      super.addEventListener(name, listener, options);
      if (this.names.has(name)) return;
      this.names.add(name);
      if (this.real) this.forward(name);
    }

    forward(name) {
      this.real.addEventListener(name, (event) => {
        if (event.lastEventId) this.lastId = event.lastEventId;
        this.dispatchEvent(new MessageEvent(name, { data: event.data, lastEventId: event.lastEventId }));
      });
    }

    connect() {
      if (this.real || this.readyState === EventSource.CLOSED) return;
      clearTimeout(this.timer);
      const url = new URL(this.url, location.href);
      if (this.lastId) url.searchParams.set("last_event_id", this.lastId);
      this.real = new EventSource(url);
      this.real.onopen = () => this.up();
      this.real.onerror = () => this.down();
      this.names.forEach((name) => this.forward(name));
    }

    up() {
      const again = this.opened;
      this.opened = true;
      this.failures = 0;
      this.readyState = EventSource.OPEN;
      this.onopen?.(new Event("open"));
      announce("up");
      if (again) resync();
    }

    down() {
      this.rest();
      if (this.readyState === EventSource.CLOSED) return;
      announce("down");
      const wait = Math.min(FIRST_WAIT_MS * 2 ** this.failures++, LONGEST_WAIT_MS);
      this.timer = setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
    }

    /** Let the connection go without forgetting who listens. */
    rest() {
      clearTimeout(this.timer);
      this.real?.close();
      this.real = null;
      if (this.readyState !== EventSource.CLOSED) this.readyState = EventSource.CONNECTING;
    }

    close() {
      this.readyState = EventSource.CLOSED;
      this.rest();
    }
  }

  let source = null;
  const waiting = [];
  const resyncers = new Set();
  const announce = (state) => {
    document.documentElement.dataset.live = state;
    document.dispatchEvent(new CustomEvent("parley:live", { detail: state }));
  };

  /** Ask again for everything on the page that follows events: some may have passed unseen. */
  const resync = () => {
    resyncers.forEach((fn) => fn());
    document.querySelectorAll('[hx-trigger*="sse:"]').forEach((element) => {
      const name = element.getAttribute("hx-trigger").match(/sse:[\w.-]+/)?.[0];
      if (name) window.htmx?.trigger(element, name);
    });
  };

  /** fn(data, event) for each event of that name; answers a function that stops it. */
  const on = (name, fn) => {
    const listener = (event) => {
      let data = event.data;
      try { data = JSON.parse(event.data); } catch { /* plain text is fine too */ }
      fn(data, event);
    };
    if (source) source.addEventListener(name, listener); else waiting.push([name, listener]);
    return () => source?.removeEventListener(name, listener);
  };

  const onResync = (fn) => { resyncers.add(fn); return () => resyncers.delete(fn); };

  const open = (url) => {
    if (source && source.url === url && source.readyState !== EventSource.CLOSED) return source;
    source?.close();
    source = new LiveSource(url);
    source.addEventListener("resync", resync);
    waiting.splice(0).forEach(([name, listener]) => source.addEventListener(name, listener));
    return source;
  };

  let nap = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(nap);
    if (document.hidden) nap = setTimeout(() => source?.rest(), REST_AFTER_MS);
    else if (source && !source.real) source.connect();
  });
  addEventListener("pagehide", () => source?.rest());
  addEventListener("pageshow", (event) => { if (event.persisted) source?.connect(); });
  addEventListener("online", () => source?.connect());

  window.htmx.createEventSource = open;
  window.parley.live = { on, onResync, resync };
})();
