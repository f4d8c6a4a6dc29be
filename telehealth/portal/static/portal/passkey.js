// Passkeys: a form with data-passkey asks for options, has the authenticator answer, and carries the answer to the server.

import { alarm } from "./portal.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

/** The answer as JSON (WebAuthn level 3, toJSON), for browsers that cannot do it themselves too. */
function told(credential) {
  const { response } = credential;
  const fields = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const said = Object.fromEntries(fields.filter((name) => response[name]).map((name) => [name, text(response[name])]));
  if (response.getTransports) said.transports = response.getTransports();
  const { id, type } = credential;
  return { id, rawId: text(credential.rawId), type, response: said, clientExtensionResults: credential.getClientExtensionResults() };
}

async function optionsFor(form) {
  const asked = new FormData();
  asked.set("purpose", form.dataset.passkey);
  asked.set("about", form.dataset.about || "");
  asked.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]")?.value || "");
  const reply = await fetch(form.dataset.options, { method: "POST", body: asked, credentials: "same-origin" });
  if (!reply.ok) throw new Error(String(reply.status));
  const options = await reply.json();
  options.challenge = bytes(options.challenge);
  return options;
}

async function ceremony(form) {
  const options = await optionsFor(form);
  if (form.dataset.passkey !== "register") {
    return navigator.credentials.get({ publicKey: { ...options, allowCredentials: known(options.allowCredentials) } });
  }
  const user = { ...options.user, id: bytes(options.user.id) };
  return navigator.credentials.create({ publicKey: { ...options, user, excludeCredentials: known(options.excludeCredentials) } });
}

// In the capturing phase, before htmx sees a form that has no answer yet.
document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target.closest("form[data-passkey]");
    const answer = form?.elements.namedItem("answer");
    if (!form || answer.value) return;
    event.preventDefault();
    event.stopPropagation();
    alarm("");
    try {
      answer.value = JSON.stringify(told(await ceremony(form)));
    } catch {
      alarm(form.dataset.textFailed);
      return;
    }
    form.requestSubmit();
  },
  true,
);

/** Who cannot use passkeys is not offered any; an answer that was refused is not sent again. */
function offer(root) {
  for (const answer of root.querySelectorAll("form[data-passkey] [name=answer]")) answer.value = "";
  if (!window.PublicKeyCredential) return;
  for (const form of root.querySelectorAll("form[data-passkey][hidden]")) form.hidden = false;
}
offer(document);
document.addEventListener("htmx:afterSettle", (event) => offer(event.target));
