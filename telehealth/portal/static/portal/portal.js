// What every page shares: one announcer for screen readers, one place for what went wrong.

const byId = (id) => document.getElementById(id);

/** Say something politely to a screen reader; nothing changes on the screen. */
export function announce(text) {
  const announcer = byId("announcer");
  if (announcer) announcer.textContent = text;
}

/** Show one sentence in the page's alert region; an empty one clears it. */
export function alarm(text) {
  const region = byId("alerts");
  if (!region) return;
  region.replaceChildren();
  if (!text) return;
  const paragraph = document.createElement("p");
  paragraph.className = "alert";
  paragraph.textContent = text;
  region.append(paragraph);
}

/** The texts of a page come translated from the server: <template data-texts> holding one element per key. */
export function texts(root = document) {
  const found = {};
  for (const holder of root.querySelectorAll("[data-texts] [data-key]")) found[holder.dataset.key] = holder.textContent.trim();
  return found;
}

// What a person did keeps the session alive; what the page asks for by itself does not, and is not marked.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.triggeringEvent?.isTrusted) detail.headers["X-Activity"] = "yes";
});

document.addEventListener("htmx:beforeRequest", () => alarm(""));

// A reply that is no fragment for its target (a whole error page, say) must not land inside the page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status < 400 || xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = false;
  if (xhr.status === 401) window.location.reload();
  else alarm(document.body.dataset.textFailed || "This could not be done.");
});
document.addEventListener("htmx:sendError", () => alarm(document.body.dataset.textOffline || "The server cannot be reached."));

// What a fragment marks with data-focus takes the focus when it arrives; data-say is read out.
document.addEventListener("htmx:afterSettle", (event) => {
  event.target.querySelector?.("[data-focus]")?.focus();
  const said = event.target.querySelector?.("[data-say]");
  if (said) announce(said.dataset.say);
});
