/* form[data-passkey="create|get"]: ask the server for a challenge, the device for its answer, then send the form with it. */
(() => {
  const { each, send } = window.parley;

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list = []) => list.map((item) => ({ ...item, id: toBytes(item.id) }));

  /* Browsers before 2025 know neither parseCreationOptionsFromJSON nor toJSON. */
  const create = async (options) => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: toBytes(options.challenge), user: { ...options.user, id: toBytes(options.user.id) }, excludeCredentials: ids(options.excludeCredentials) } });
    return { ...common(made), response: {
      clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject), transports: made.response.getTransports?.() || [] } };
  };
  const get = async (options) => {
    const used = await navigator.credentials.get({ publicKey: {
      ...options, challenge: toBytes(options.challenge), allowCredentials: ids(options.allowCredentials) } });
    const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
    return { ...common(used), response: {
      clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData), signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null } };
  };
  const common = (credential) => ({ id: credential.id, rawId: toText(credential.rawId), type: credential.type });

  const REASONS = {
    InvalidStateError: "This device holds a passkey of your account already.",
    NotAllowedError: "It was cancelled, or it took too long. Nothing has changed.",
    SecurityError: "The browser does not allow passkeys at this address.",
  };

  const askServer = async (form) => {
    const password = form.querySelector('input[type="password"], input[name="password"]')?.value;
    const answer = await send(form.dataset.passkeyOptions, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(password === undefined ? {} : { password }) });
    if (!answer.headers.get("Content-Type")?.includes("json")) { location.reload(); throw new Error("You were signed out."); }
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error.replace(/^password: is/, "The password is"));
    return body;
  };

  const run = async (form) => {
    if (!window.PublicKeyCredential) throw new Error("This browser knows no passkeys.");
    const options = await askServer(form);
    const credential = await (form.dataset.passkey === "create" ? create : get)(options);
    form.elements.credential.value = JSON.stringify(credential);
    form.querySelectorAll('[name="password"], [name="username"]').forEach((field) => { field.disabled = true; });
    form.submit();
  };

  each("form[data-passkey]", (form) => {
    const note = form.querySelector("[data-passkey-error]");
    const button = form.querySelector('button[type="submit"]');
    const label = button.querySelector("span");
    const rest = label.textContent;
    const wait = (on) => { button.disabled = on; label.textContent = on ? "Waiting for your device" : rest; };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      note.hidden = true;
      wait(true);
      try {
        await run(form);
      } catch (error) {
        note.textContent = REASONS[error.name] || error.message;
        note.hidden = false;
        wait(false);
      }
    });
  });
})();
