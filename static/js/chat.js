/* The conversation page: sending, stopping, editing, scrolling along, and the evidence drawer. */
(() => {
  const { parley } = window;
  const page = document.querySelector("[data-chat]");
  if (!page) return;
  const conversation = Number(page.dataset.chat);
  const form = document.querySelector("[data-composer]");
  const say = document.getElementById("say");
  const scroller = page.querySelector("[data-scroll]");
  const jump = page.querySelector("[data-jump]");
  const drawer = document.getElementById("evidence");
  const touch = matchMedia("(pointer: coarse)");
  let readsOther = false;  // the drawer shows an answer someone picked: leave it there
  let sending = false;

  /* Scrolling: stay at the end while the reader is there. */
  const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
  let pinned = true;
  const toEnd = () => { scroller.scrollTop = scroller.scrollHeight; };
  const keepUp = () => { if (pinned) toEnd(); jump.hidden = pinned || atEnd(); };
  scroller.addEventListener("scroll", () => { pinned = atEnd(); jump.hidden = pinned; }, { passive: true });
  jump.addEventListener("click", () => { pinned = true; toEnd(); jump.hidden = true; });
  document.addEventListener("parley:said", keepUp);
  new ResizeObserver(keepUp).observe(scroller);

  /* Bringing the page in step. */
  const isAnswering = () => Boolean(document.querySelector("#turns [data-streaming]"));
  const showState = () => {
    const button = form?.querySelector("[data-send]");
    if (button) button.disabled = sending || isAnswering();
    const openers = document.getElementById("openers");
    if (openers) openers.hidden = isAnswering() || !openers.children.length;
    keepUp();
  };

  const takeIn = (html) => {
    const fresh = parley.chat.merge(html, { keepEvidence: readsOther });
    if (!fresh) return;
    if (fresh.dataset.title) document.title = document.title.replace(/^New conversation/, fresh.dataset.title);
    window.htmx?.trigger("#convs", "chat-changed");
    showState();
  };

  let asked = 0;
  let asking = false;
  /** Fetch the messages; calls that come while one is under way become one more. */
  const refresh = async () => {
    asked += 1;
    if (asking) return;
    asking = true;
    try {
      for (let seen = 0; seen < asked;) {
        seen = asked;
        const response = await parley.send(`/app/conversations/${conversation}/turns`, { headers: { Accept: "text/html", "HX-Request": "true" } });
        if (response.status === 404) { location.assign("/app/conversations"); return; }
        if (response.ok) takeIn(await response.text());
      }
    } catch { /* away: the stream's return brings a resync */ } finally { asking = false; asked = 0; }
  };

  /** POST a form's data; true when it was taken, else a toast says why. */
  const post = async (url, data) => {
    try {
      const response = await parley.send(url, { method: "POST", body: data, headers: { Accept: "text/html", "HX-Request": "true" } });
      const html = await response.text();
      if (response.status === 401) { location.reload(); return null; }
      if (!response.ok) {
        const said = JSON.parse(response.headers.get("HX-Trigger") || "{}").toast;
        parley.toast(said?.message || "That did not work. Nothing was changed; please try again.", said?.kind || "bad");
        refresh();
        return null;
      }
      takeIn(html);
      return html;
    } catch {
      parley.toast("Parley cannot be reached. What you wrote is still here: send it again in a moment.", "bad");
      return null;
    }
  };

  /* Sending. The nonce makes a repeated send harmless; a new one comes with each answer taken. */
  const fresh = (html) => new DOMParser().parseFromString(html, "text/html").getElementById("nonce")?.value;
  const send = async (text) => {
    if (sending || !text.trim()) return;
    if (isAnswering()) { parley.toast("An answer is on its way. Wait for it or stop it, then send.", "warn"); return; }
    sending = true;
    showState();
    const data = new FormData(form);
    data.set("message", text);
    pinned = true;
    readsOther = false;
    const html = await post(form.action, data);
    sending = false;
    if (html) {
      form.querySelector("#nonce").value = fresh(html) || "";
      if (say.value === text || data.get("edit_turn_id")) say.value = "";
      form.querySelector(".ply-error")?.remove();
      edit("", "");
    }
    showState();
    say.dispatchEvent(new Event("input", { bubbles: true }));
    if (!touch.matches) say.focus();
  };

  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter?.matches("[data-opener]") ? event.submitter.value : say.value);
  });
  say?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
    event.preventDefault();
    send(say.value);
  });

  /* Editing happens in the composer, so that nothing arriving can take it away. */
  const edit = (id, text) => {
    form.elements.edit_turn_id.value = id;
    form.querySelector("[data-editing]").hidden = !id;
    if (!id) return;
    say.value = text;
    say.dispatchEvent(new Event("input", { bubbles: true }));
    say.focus();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-edit]");
    const cancel = event.target.closest("[data-edit-cancel]");
    if (!form || !(button || cancel)) return;
    event.preventDefault();
    if (button) edit(button.dataset.edit, button.dataset.editText); else { edit("", ""); say.value = ""; }
  });

  /* Stop, answer again. */
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-turn-action]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target.dataset.turnAction === "regenerate") { pinned = true; readsOther = false; }
    post(event.target.action, new FormData(event.target));
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], details.ply-menu[open]")) return;
    if (drawer.classList.contains("is-open")) { open(false); return; }
    document.querySelector('#turns [data-turn-action="stop"]')?.requestSubmit();
  }, true);

  /* The evidence drawer: beside the stream when there is room, a sheet from below when not. */
  const toggles = () => document.querySelectorAll("[data-evidence-toggle]");
  const open = (to) => {
    drawer.classList.toggle("is-open", to);
    toggles().forEach((button) => button.hasAttribute("aria-expanded") && button.setAttribute("aria-expanded", String(to)));
    if (to) drawer.querySelector("[data-evidence-toggle]")?.focus();
    else if (drawer.contains(document.activeElement)) toggles()[0]?.focus();
  };
  const point = (n) => {
    drawer.querySelectorAll("[data-fact]").forEach((item) => item.classList.toggle("is-on", item.dataset.fact === n));
    const fact = drawer.querySelector(`[data-fact="${n}"]`);
    fact?.scrollIntoView({ block: "nearest" });
  };
  const showFacts = async (answer, n) => {
    readsOther = true;
    if (document.getElementById("evidence-body").dataset.answer !== answer) {
      const response = await parley.send(`/app/conversations/turns/${answer}/evidence`, { headers: { Accept: "text/html" } });
      if (!response.ok) return;
      document.getElementById("evidence-body").outerHTML = await response.text();
    }
    open(true);
    if (n) point(n);
  };
  document.addEventListener("click", (event) => {
    const cite = event.target.closest("[data-cite]");
    const shown = event.target.closest("[data-show-evidence]");
    if (event.target.closest("[data-evidence-toggle]")) { open(!drawer.classList.contains("is-open")); return; }
    if (!cite && !shown) return;
    event.preventDefault();
    document.querySelectorAll("[data-cite][aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    cite?.setAttribute("aria-current", "true");
    showFacts(cite ? cite.dataset.answer : shown.dataset.showEvidence, cite?.dataset.cite);
  });

  parley.chat.follow(conversation, refresh);
  if (!location.hash || location.hash === "#latest") toEnd();
  showState();
})();
