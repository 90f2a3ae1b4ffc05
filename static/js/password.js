/* How good a new password would be, while it is typed: a bar, a word and advice beside [data-strength-of="field id"]. */
(() => {
  const { each, send } = window.parley;
  const WAIT_MS = 300;
  const ABOUT = ["email", "username", "name", "workspace"];

  const ask = async (field, signal) => {
    const about = ABOUT.map((name) => field.form?.elements.namedItem(name)?.value || "").filter(Boolean);
    const body = JSON.stringify({ password: field.value, about: about.map((text) => text.slice(0, 254)) });
    const answer = await send("/password/strength", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
    return answer.ok ? answer.json() : null;
  };

  const show = (meter, found) => {
    const bar = meter.querySelector("progress");
    meter.className = `ply-meter ply-meter--${found?.score ?? 0}`;
    bar.hidden = !found;
    bar.value = found ? Math.max(found.score, 0.4) : 0;
    meter.querySelector("p").textContent = found ? [`${found.word}.`, found.advice].filter(Boolean).join(" ") : "";
  };

  each("[data-strength-of]", (meter) => {
    const field = document.getElementById(meter.dataset.strengthOf);
    let timer = 0, asked = null;
    const weigh = async () => {
      asked = new AbortController();
      try { show(meter, await ask(field, asked.signal)); }
      catch (error) { if (error.name !== "AbortError") show(meter, null); }  // the server judges when the form is sent
    };
    field?.addEventListener("input", () => {
      clearTimeout(timer);
      asked?.abort();
      if (field.value) timer = setTimeout(weigh, WAIT_MS); else show(meter, null);
    });
  });
})();
