// The live list: the queue's socket says that a visit changed; the row's state, or a new row, is fetched from the server.
// On the page of one visit (data-for) the same news goes to its fragments as the event `visit-state`; `rights-changed`
// says that a consent is over, and whoever shows what consents open asks again. Nothing here asks
// by the clock: a page that asks by itself would keep an abandoned session alive.

import { announce } from "./portal.js";

const FINAL = new Set([4400, 4401, 4403, 4429]);
const PING_EVERY = 20_000;

class WaitingRoom {
  #root;
  #losses = 0;
  #again = false;

  constructor(root) {
    this.#root = root;
    document.addEventListener("htmx:oobErrorNoTarget", () => window.htmx.trigger(root, "refresh"));
    this.#connect();
  }

  #connect() {
    const url = new URL(this.#root.dataset.waitingRoom, window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, "telehealth.v1");
    const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('{"type":"ping"}'), PING_EVERY);
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", ({ data }) => this.#received(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => {
      clearInterval(ping);
      this.#closed(code);
    });
  }

  #opened() {
    this.#losses = 0;
    this.#live(true);
    if (this.#again) this.#catchUp();
    this.#again = true;
  }

  /** Changes may have been missed while the socket was away. */
  #catchUp() {
    if (this.#root.dataset.for) window.htmx.trigger(document.body, "visit-state");
    else window.htmx.trigger(this.#root, "refresh");
  }

  #received(message) {
    if (message.type === "rights") window.htmx.trigger(document.body, "rights-changed");
    if (message.type !== "visit") return;
    const only = this.#root.dataset.for;
    if (only && only !== message.id) return;
    if (only) document.body.dispatchEvent(new CustomEvent("visit-state", { detail: message }));
    else this.#update(message.id);
    if (message.waiting === "ready") announce(this.#root.dataset.textReady);
  }

  #update(visit) {
    const part = this.#root.querySelector(`[data-visit="${CSS.escape(visit)}"]`);
    const row = this.#root.dataset.row?.replace("00000000-0000-0000-0000-000000000000", visit);
    if (part) window.htmx.ajax("GET", part.dataset.href, { target: part, swap: "outerHTML" });
    else window.htmx.ajax("GET", row, { target: this.#root, swap: "none" });
  }

  #closed(code) {
    this.#live(false);
    if (FINAL.has(code)) return;
    this.#losses += 1;
    const longest = Math.min(8000, 500 * 2 ** (this.#losses - 1));
    setTimeout(() => this.#connect(), longest * (0.5 + Math.random() / 2));
  }

  #live(live) {
    const sign = document.querySelector("[data-live]");
    if (!sign) return;
    sign.textContent = live ? sign.dataset.on : sign.dataset.off;
    sign.classList.toggle("good", live);
    sign.classList.toggle("warn", !live);
  }
}

const start = () => {
  for (const root of document.querySelectorAll("[data-waiting-room]:not([data-started])")) {
    root.dataset.started = "yes";
    new WaitingRoom(root);
  }
};
// The modules run before htmx has read the page; its own ready event says when it has.
if (document.readyState === "complete") start();
else window.addEventListener("load", start);
