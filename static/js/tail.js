/* Events as they arrive: a word on the live stream, or else the clock, asks for the newest lines; known ones stay as they are. */
(() => {
  const { each, live } = window.parley;
  const AFTER_WORD_MS = 450;  // longer than the server keeps silent between two words
  const ANYHOW_MS = 15_000;   // also tells the server that somebody watches
  const MOST_LINES = 200;

  const lines = async (url) => {
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    return [...holder.content.querySelectorAll("li[data-event]")];
  };

  each("[data-tail]", (list) => {
    const state = document.querySelector("[data-tail-state]");
    const button = document.querySelector("[data-tail-pause]");
    const isFirst = "tailFirst" in list.dataset;
    const known = () => new Set([...list.children].map((line) => line.id));
    let waiting = [];
    let isPaused = false;
    let isAsking = false;
    let isAskedAgain = false;
    let timer = null;

    const say = (text, kind) => {
      if (!state) return;
      const mark = document.createElement("span");
      mark.className = `ply-status ply-status--${kind}`;
      mark.textContent = text;
      if (state.textContent !== text) state.replaceChildren(mark);
    };

    /* Newest first by id: one that was committed late finds its place among the others. */
    const put = (line) => {
      const id = Number(line.dataset.event);
      const next = [...list.children].find((other) => Number(other.dataset.event) < id);
      line.classList.add("is-new");
      list.insertBefore(line, next || null);
    };

    const show = (fresh) => {
      if (!fresh.length) return;
      document.querySelector("[data-tail-none]")?.remove();
      fresh.sort((a, b) => a.dataset.event - b.dataset.event).forEach(put);
      while (list.childElementCount > MOST_LINES) list.lastElementChild.remove();
    };

    const ask = async () => {
      if (isAsking) { isAskedAgain = true; return; }
      isAsking = true;
      try {
        const found = await lines(list.dataset.tail);
        if (isFirst) { if (found.length) location.reload(); return; }
        const have = known();
        const held = new Set(waiting.map((line) => line.id));
        const fresh = found.filter((line) => !have.has(line.id) && !held.has(line.id));
        if (isPaused) { waiting.push(...fresh); sayPaused(); } else { show(fresh); say("Live", "live"); }
      } catch {
        say("Not reached, trying again", "warn");
      } finally {
        isAsking = false;
        if (isAskedAgain) { isAskedAgain = false; later(AFTER_WORD_MS); }
      }
    };

    const later = (ms) => { timer ??= setTimeout(() => { timer = null; if (list.isConnected) ask(); }, ms); };
    const sayPaused = () => say(waiting.length ? `Paused, ${waiting.length} new` : "Paused", "idle");

    button?.addEventListener("click", () => {
      isPaused = !isPaused;
      button.setAttribute("aria-pressed", String(isPaused));
      button.querySelector("span").textContent = isPaused ? "Resume" : "Pause";
      if (isPaused) { sayPaused(); return; }
      show(waiting);
      waiting = [];
      say("Live", "live");
      ask();
    });

    live.on("cdp_event", () => later(AFTER_WORD_MS));
    live.onResync(() => later(0));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) later(0); });
    const clock = setInterval(() => { if (!list.isConnected) clearInterval(clock); else if (!document.hidden) later(0); }, ANYHOW_MS);
  });
})();
