/* An answer as it is written: pieces arrive by the event stream, each with its offset and the run it belongs to.
   A gap, a new run or a page drawn in the middle are all settled here; the text is put on the page once a frame. */
(() => {
  const { parley } = window;
  const answers = new Map();  // turn id -> { run, text, asking }
  const SLOW_POLL_MS = 1200;  // what was said before this page's stream was open is missed: it asks while it waits
  let settle = () => {};      // what to do when the page's messages are behind

  /** Marks such as [3] become chips when the answer is done; until then they are not shown, nor is half a mark. */
  const visible = (text) => text.replace(/[ \t]?\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\](?![(:])/g, "").replace(/[ \t]?\[[\d,; ]{0,12}$/, "");

  const element = (id) => document.querySelector(`[data-streaming][data-turn="${id}"]`);

  const open = () => [...document.querySelectorAll("[data-streaming]")].map((item) => Number(item.dataset.turn));

  const known = (id) => {
    if (!answers.has(id)) answers.set(id, { run: 0, text: "", asking: false });
    return answers.get(id);
  };

  const paint = (id) => {
    const answer = known(id);
    if (answer.frame) return;
    answer.frame = requestAnimationFrame(() => {
      answer.frame = null;
      const item = element(id);
      if (!item) return;
      const text = visible(answer.text);
      const tail = item.querySelector("[data-stream-tail]");
      if (tail.textContent === text) return;
      tail.textContent = text;
      item.querySelector(".ply-typing").hidden = Boolean(text);
      item.querySelector(".ply-caret").hidden = !text;
      const note = item.querySelector("[data-stream-note]");
      if (note) note.textContent = text ? "Writing" : "Thinking";
      document.dispatchEvent(new CustomEvent("parley:said"));
    });
  };

  /** The newer run wins; of one run, the longer text. */
  const adopt = (id, run, text) => {
    const answer = known(id);
    if (run > answer.run || (run === answer.run && text.length > answer.text.length)) { answer.run = run; answer.text = text; }
    paint(id);
  };

  /** A piece went missing: ask for the text as it is. */
  const catchUp = async (id) => {
    const answer = known(id);
    if (answer.asking) return;
    answer.asking = true;
    try {
      const response = await parley.send(`/app/conversations/turns/${id}`);
      if (!response.ok) { settle(); return; }
      const now = await response.json();
      if (now.is_live) adopt(id, now.run, now.text); else settle();
    } catch { /* away: the stream's return brings a resync */ } finally { answer.asking = false; }
  };

  const take = (piece) => {
    const answer = known(piece.turn_id);
    if (piece.run < answer.run) return;
    if (piece.run > answer.run) { answer.run = piece.run; answer.text = ""; }
    if (!element(piece.turn_id)) settle();
    if (piece.offset > answer.text.length) { catchUp(piece.turn_id); return; }
    const end = piece.offset + piece.text.length;
    if (end > answer.text.length) answer.text = answer.text.slice(0, piece.offset) + piece.text;
    paint(piece.turn_id);
  };

  const restart = ({ turn_id: id, run }) => {
    const answer = known(id);
    if (run <= answer.run) return;
    answer.run = run;
    answer.text = "";
    paint(id);
  };

  /** Listen for the answers of one conversation; `behind` is called when the page's messages must be fetched. */
  const follow = (conversation, behind) => {
    settle = behind;
    const mine = (fn) => (data) => { if (data.conversation_id === conversation) fn(data); };
    parley.live.on("chat_token", mine(take));
    parley.live.on("chat_restart", mine(restart));
    parley.live.on("chat_done", mine(({ turn_id: id }) => { answers.delete(id); behind(); }));
    parley.live.on(`conversation-${conversation}`, () => behind());
    parley.live.onResync(() => { open().forEach(catchUp); behind(); });
    setInterval(() => open().forEach(catchUp), SLOW_POLL_MS);
    parley.each("[data-streaming]", (item) => adopt(Number(item.dataset.turn), Number(item.dataset.run), item.dataset.raw));
  };

  window.parley.chat.follow = follow;
})();
