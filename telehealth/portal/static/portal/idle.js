// Two minutes before a session is idle it says so; "Stay signed in" is a POST. A session that falls idle in a visit is
// locked: the page stays as it is under a cover, its socket, note and end button alive. What this asks keeps nobody signed in.

import "./passkey.js"; // takes the lock's passkey form in hand before it comes here with its answer

const ADDRESS = "/session/";
const WARN = 120; // seconds
const MOST = 2 ** 31 - 1; // milliseconds that a timer can wait

const byId = (id) => document.getElementById(id);

class Watch {
  #warning = byId("idle-warning");
  #lock = byId("idle-lock");
  #clock = this.#warning.querySelector("[role=timer]");
  #timer = 0;
  #until = 0;
  #locked = false;

  constructor() {
    this.#warning.addEventListener("cancel", (event) => this.#stay(event));
    this.#warning.querySelector("[data-stay]").addEventListener("submit", (event) => this.#stay(event));
    this.#lock.addEventListener("cancel", (event) => event.preventDefault());
    this.#lock.addEventListener("close", () => this.#locked && this.#lock.showModal()); // a second Escape is not asked about
    for (const form of this.#lock.querySelectorAll("[data-unlock]")) form.addEventListener("submit", (event) => this.#unlock(event));
    this.#lock.querySelector("[data-end-call]").addEventListener("click", () => this.#leave());
    document.addEventListener("session-locked", () => this.look());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    window.addEventListener("focus", () => this.look());
    this.look();
  }

  /** How long is left, by the server: another tab may have been used. */
  async look() {
    clearTimeout(this.#timer);
    let reply;
    try {
      reply = await fetch(ADDRESS, { headers: { Accept: "application/json" }, cache: "no-store" });
    } catch {
      this.#again(10);
      return;
    }
    await this.#heard(reply);
  }

  async #heard(reply) {
    if (reply.status === 401) return this.#gone();
    if (!reply.ok) return this.#again(10);
    const { locked, idle_in: left } = await reply.json();
    this.#until = Date.now() + left * 1000;
    this.#cover(locked);
    if (locked) return this.#again(15);
    if (left > WARN) {
      this.#warning.close();
      return this.#again(left - WARN);
    }
    if (!this.#warning.open) this.#warning.showModal();
    return this.#count();
  }

  #again(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), Math.min(seconds * 1000 + 250, MOST));
  }

  #count() {
    const left = Math.ceil((this.#until - Date.now()) / 1000);
    const told = `${Math.floor(Math.max(left, 0) / 60)}:${String(Math.max(left, 0) % 60).padStart(2, "0")}`;
    this.#clock.textContent = this.#clock.dataset.text.replace("%s", told);
    clearTimeout(this.#timer);
    if (left < 0 || left % 15 === 0) this.#again(left < 0 ? 1 : 0.75);
    else this.#timer = setTimeout(() => this.#count(), 1000);
  }

  async #stay(event) {
    event.preventDefault();
    const form = this.#warning.querySelector("[data-stay]");
    const reply = await fetch(ADDRESS, { method: "POST", body: new FormData(form) }).catch(() => null);
    if (reply) await this.#heard(reply);
  }

  #cover(locked) {
    this.#locked = locked;
    if (!locked) {
      this.#lock.close();
      return;
    }
    this.#warning.close();
    const leave = document.querySelector('[data-act="leave"]');
    this.#lock.querySelector("[data-end-call]").hidden = !leave || leave.hidden;
    if (!this.#lock.open) this.#lock.showModal();
  }

  async #unlock(event) {
    event.preventDefault();
    const form = event.target;
    const said = this.#lock.querySelector("[data-said]");
    const reply = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Overlay": "1" }, redirect: "manual" }).catch(() => null);
    if (!reply) return;
    for (const field of form.querySelectorAll("input:not([name=csrfmiddlewaretoken])")) field.value = "";
    const json = reply.headers.get("Content-Type")?.includes("json");
    said.textContent = (json && (await reply.json()).sentence) || "";
    this.look();
  }

  #leave() {
    document.querySelector('[data-act="leave"]')?.click();
    this.#lock.querySelector("[data-end-call]").hidden = true;
  }

  /** Nothing of anybody stays on the screen. */
  #gone() {
    document.body.hidden = true;
    const here = window.location.pathname + window.location.search;
    window.location.assign(`/sign-in/?next=${encodeURIComponent(here)}`);
  }
}

new Watch();
