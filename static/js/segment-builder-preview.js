/* The live preview: who is in, whom one may reach, some of them. Asked 150 ms after the last edit; an answer that comes after
   a newer question is thrown away. */
(() => {
  const { dom, view } = window.parley.segments;
  const { h, icon } = dom;
  const WAIT_MS = 150;
  const share = (part, whole) => `${whole ? ((part / whole) * 100).toFixed(1) : "0.0"}\u00a0%`;
  const ICONS = { email: "mail", sms: "message-circle", whatsapp: "message-circle-plus", ads: "speakerphone", analytics: "chart-bar" };

  class Preview {
    constructor(panel, heard) {
      this.panel = panel;
      this.url = panel.dataset.url;
      this.heard = heard;
      this.asked = 0;
      this.seed = 0;
    }

    part(name) { return this.panel.querySelector(`[data-part="${name}"]`); }

    /** Ask about the tree soon. */
    ask(tree) {
      clearTimeout(this.timer);
      this.tree = tree;
      this.panel.setAttribute("aria-busy", "true");
      this.timer = setTimeout(() => this.send(), WAIT_MS);
    }

    /** Not asked while something is not said yet. */
    wait() {
      clearTimeout(this.timer);
      this.stop?.abort();
      this.asked += 1;
      this.panel.removeAttribute("aria-busy");
      this.refuse({ path: "conditions" });
    }

    others() { this.seed += 1; this.ask(this.tree); }

    async send() {
      const number = (this.asked += 1);
      this.stop?.abort();
      this.stop = new AbortController();
      let answer, body;
      try {
        answer = await window.parley.send(this.url, { method: "POST", signal: this.stop.signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ conditions: this.tree, segment_id: Number(this.panel.dataset.segment) || undefined, seed: this.seed }) });
        body = await answer.json();
      } catch (error) {
        if (error.name === "AbortError" || number !== this.asked) return;
        body = { message: "The count could not be fetched. What you wrote is still here; it is asked for again with the next change." };
      }
      if (number !== this.asked) return;
      this.panel.removeAttribute("aria-busy");
      if (answer?.ok) this.show(body); else this.refuse(body);
      this.heard(answer?.ok ? body : null, answer?.ok ? null : body, this.tree);
    }

    refuse({ message, path }) {
      this.panel.classList.add("is-old");
      this.part("state").className = "ms-auto ply-status ply-status--warn";
      this.part("state").textContent = "not counted";
      this.part("note").textContent = path ? "Finish the marked condition, then the count goes on." : message || "Something went wrong; nothing is lost.";
    }

    show(found) {
      this.panel.classList.remove("is-old");
      this.part("state").className = "ms-auto ply-status ply-status--live";
      this.part("state").textContent = `${found.took_ms}\u00a0ms`;
      this.part("count").textContent = view.number(found.count);
      this.part("noun").textContent = found.count === 1 ? "person" : "people";
      this.part("share").textContent = `${share(found.count, found.total)} of ${view.number(found.total)}`;
      this.part("note").textContent = found.waiting ? "Newer events are being counted; the figure follows." : "";
      const bar = this.part("bar");
      bar.max = Math.max(1, found.total);
      bar.value = found.count;
      document.querySelectorAll("[data-count-copy]").forEach((copy) => { copy.textContent = `${view.number(found.count)} ${found.count === 1 ? "person" : "people"}`; });
      document.querySelectorAll("[data-share-copy]").forEach((copy) => { copy.textContent = `${share(found.count, found.total)} of ${view.number(found.total)}`; });
      this.say(`${view.number(found.count)} ${found.count === 1 ? "person" : "people"}, ${share(found.count, found.total)} of ${view.number(found.total)}`);
      this.reach(found);
      dom.patch(this.part("people"), found.sample.map((one) => this.person(one)));
      this.part("nobody").hidden = found.sample.length > 0;
    }

    /* Read out once a person pauses, not with every key. */
    say(text) {
      clearTimeout(this.saying);
      this.saying = setTimeout(() => { this.part("live").textContent = text; }, 600);
    }

    reach({ reach, count, unreached }) {
      dom.patch(this.part("reach"), reach.map((one) => h("li", { key: one.channel, class: "ply-reason" },
        h("b", {}, icon(ICONS[one.channel] || "point"), ` ${one.label}`),
        h("span", { class: "n" }, `${view.number(one.count)} `, h("span", { class: "ply-3 fw-normal" }, share(one.count, count))),
        h("progress", { class: "ply-bar", value: one.count, max: Math.max(1, count), "aria-label": `${one.label}: ${view.number(one.count)} of ${view.number(count)}` }))));
      this.part("unreached").textContent = `${view.number(unreached)} ${unreached === 1 ? "person has" : "people have"} agreed to no channel (${share(unreached, count)}).`;
    }

    person(one) {
      return h("li", { key: `p${one.id}` },
        h("span", { class: `ply-mono ply-mono--${(one.id % 5) + 1}`, "aria-hidden": "true" }, one.initials),
        h("div", { class: "overflow-hidden" }, h("a", { class: "ply-strong", href: `/app/profiles/${one.id}` }, one.name), h("div", { class: "ply-sm ply-2 text-truncate" }, one.detail), h("div", { class: "ply-xs ply-3" }, one.reach)));
    }
  }

  Object.assign(window.parley.segments, { Preview });
})();
