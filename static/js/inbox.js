/* The inbox: stays at the newest message, tells when a talk is seen, counts what is typed, keeps a draft when the talk is drawn again. */
(() => {
  const { each, live } = window.parley;
  const talk = document.querySelector("[data-talk]");
  const scroller = talk?.querySelector("[data-scroll]");

  /* Scrolling: stay at the end while the reader is there. */
  if (scroller) {
    let pinned = true;
    const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
    const keepUp = () => { if (pinned) scroller.scrollTop = scroller.scrollHeight; };
    scroller.addEventListener("scroll", () => { pinned = atEnd(); }, { passive: true });
    document.addEventListener("htmx:afterSettle", keepUp);
    document.addEventListener("htmx:oobAfterSwap", keepUp);
    new ResizeObserver(keepUp).observe(scroller);
    keepUp();
  }

  /* Who listens hears what is new, and not the whole talk each time it is drawn again. */
  const heard = document.getElementById("heard");
  if (heard) {
    const lines = () => [...document.querySelectorAll("#entries .ply-msg")];
    const known = new Set(lines().map((line) => line.id));
    const words = (line) => `${line.querySelector("h3").textContent}: ${line.querySelector(".ply-msg__text")?.textContent ?? "a file"}`;
    const tell = () => {
      const fresh = lines().filter((line) => !known.has(line.id));
      fresh.forEach((line) => known.add(line.id));
      if (fresh.length) heard.textContent = fresh.map(words).join(". ");
    };
    document.addEventListener("htmx:afterSettle", tell);
    document.addEventListener("htmx:oobAfterSwap", tell);
  }

  /* A STOP or a new text changes whether one may answer; what is being typed is left alone. */
  if (talk) {
    const look = () => {
      const say = document.getElementById("say");
      if (document.activeElement?.matches("#composer [data-keep]")) return;
      if (!say || !say.value.trim()) window.htmx?.trigger("#composer", "talk-changed");
    };
    live.on(`thread-${talk.dataset.talk}`, look);
    live.onResync(look);
  }

  /* Somebody sees the talk: not when it is only fetched, nor in a tab that waits in the background. */
  each("[data-seen]", (form) => {
    const tell = () => {
      if (document.hidden || !form.isConnected) return;
      document.removeEventListener("visibilitychange", tell);
      window.htmx.ajax("POST", form.getAttribute("action"), { source: form, target: "#talks", swap: "outerHTML" });
    };
    document.addEventListener("visibilitychange", tell);
    tell();
  });

  /* How long the answer is: an SMS travels in parts. */
  const GSM = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\[~\]|€]*$/;
  const parts = (text) => {
    const plain = GSM.test(text);
    const units = plain ? text.length + (text.match(/[\f^{}\\[~\]|€]/g) || []).length : text.length;
    const [one, more] = plain ? [160, 153] : [70, 67];
    return units <= one ? 1 : Math.ceil(units / more);
  };
  each("[data-reply]", (form) => {
    const say = form.querySelector("textarea");
    const note = form.querySelector("[data-count]");
    const count = () => {
      const length = [...say.value.trim()].length;
      const words = `${length.toLocaleString()} ${length === 1 ? "character" : "characters"}`;
      const sms = note.dataset.channel === "sms" && length ? `, ${parts(say.value.trim())} SMS` : "";
      note.textContent = words + sms;
    };
    say.addEventListener("input", count);
    say.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (say.value.trim()) form.requestSubmit();
    });
    count();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.matches?.("[data-reply]") && event.detail.successful) document.getElementById("say")?.focus();
  });

  /* The count in the navigation follows the list. */
  document.addEventListener("htmx:afterSettle", () => {
    const waiting = document.getElementById("talks")?.dataset.waiting;
    const link = document.querySelector('.ply-nav a[href="/app/inbox"]');
    if (waiting === undefined || !link) return;
    link.querySelector(".ply-count")?.remove();
    if (!Number(waiting)) return;
    const badge = document.createElement("span");
    const words = document.createElement("span");
    badge.className = "ply-count ply-count--wait";
    words.className = "visually-hidden";
    words.textContent = " unread";
    badge.append(waiting, words);
    link.append(badge);
  });

  /* Up and down walk through the list of talks. */
  document.addEventListener("keydown", (event) => {
    const here = document.activeElement?.closest?.("#talks .ply-conv");
    if (!here || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    const next = event.key === "ArrowDown" ? here.nextElementSibling : here.previousElementSibling;
    if (next) { event.preventDefault(); next.querySelector("a").focus(); }
  });
})();
