// The call on a page: <section data-call="/ws/visits/…/"> with its stage, its buttons and its words. One mesh of peers.

import { alarm, announce, texts } from "./portal.js";
import { Peer } from "./peer.js";
import { Signalling } from "./signalling.js";

const CONSTRAINTS = { audio: true, video: { width: { ideal: 640 }, height: { ideal: 480 } } };
const ENDED = { 4401: "signed-out", 4403: "not-permitted", 4409: "elsewhere", 4410: "over" };

export class Call {
  #root;
  #words;
  #signalling = null;
  #local = new MediaStream();
  #ice = { servers: [], policy: "all" };
  #peers = new Map(); // member -> { peer, tile, polite }

  constructor(root) {
    this.#root = root;
    this.#words = texts(root);
    this.#button("join").addEventListener("click", () => this.#join());
    this.#button("leave").addEventListener("click", () => this.#leave());
    this.#button("audio").addEventListener("click", () => this.#toggle("audio"));
    this.#button("video").addEventListener("click", () => this.#toggle("video"));
    this.#button("join").hidden = false; // not before somebody listens to it
  }

  get connections() {
    return [...this.#peers.values()].map(({ peer }) => peer.connection);
  }

  #button(name) {
    return this.#root.querySelector(`[data-act="${name}"]`);
  }

  #status(key, { aloud = true } = {}) {
    const text = this.#words[key] ?? key;
    const line = this.#root.querySelector("[data-call-status]");
    if (line.textContent === text) return;
    line.textContent = text;
    this.#root.dataset.state = key;
    if (aloud) announce(text);
  }

  async #join() {
    this.#button("join").hidden = true;
    this.#status("asking");
    await this.#openDevices();
    this.#controls(true);
    this.#status("connecting");
    this.#signalling = new Signalling(this.#root.dataset.call);
    this.#signalling.addEventListener("message", ({ detail }) => this.#received(detail));
    this.#signalling.addEventListener("lost", () => this.#status("reconnecting"));
    this.#signalling.addEventListener("ended", ({ detail }) => this.#ended(detail.code));
    this.#signalling.connect();
  }

  /** Camera and microphone, else the microphone, else listening only: a visit never fails for want of a camera. */
  async #openDevices() {
    for (const wish of [CONSTRAINTS, { audio: true }]) {
      try {
        this.#local = await navigator.mediaDevices.getUserMedia(wish);
        break;
      } catch {
        this.#local = new MediaStream();
      }
    }
    if (!this.#local.getVideoTracks().length) alarm(this.#words["no-camera"]);
    const own = this.#root.querySelector("[data-own]");
    own.srcObject = this.#local;
    own.hidden = !this.#local.getVideoTracks().length;
  }

  #controls(live) {
    for (const name of ["leave", "audio", "video"]) this.#button(name).hidden = !live;
    this.#button("join").hidden = live;
    this.#button("audio").disabled = !this.#local.getAudioTracks().length;
    this.#button("video").disabled = !this.#local.getVideoTracks().length;
    this.#button(live ? "leave" : "join").focus({ preventScroll: true });
  }

  async #received(message) {
    const known = this.#peers.get(message.from);
    switch (message.type) {
      case "waiting": this.#waiting(message); break;
      case "joined": this.#joined(message); break;
      case "peer-joined": this.#meet(message); break;
      case "peer-left": this.#part(message.member); break;
      case "description": await known?.peer.description(message.description).catch(() => this.#status("trouble")); break;
      case "candidate": await known?.peer.candidate(message.candidate); break;
      case "media": if (known) this.#mark(known.tile, message); break;
      case "state": this.#root.dispatchEvent(new CustomEvent("visit-state", { bubbles: true, detail: message })); break;
      case "error": if (!message.retryable) this.#status("trouble"); break;
    }
  }

  #waiting({ waiting, position }) {
    this.#hangUp();
    this.#status(waiting === "held" ? "held" : "waiting");
    const place = this.#root.querySelector("[data-position]");
    if (place) place.textContent = position ? (this.#words.position ?? "").replace("%d", position) : "";
  }

  #joined({ members, ice_servers: servers, ice_transport_policy: policy, resumed }) {
    this.#ice = { servers, policy };
    const place = this.#root.querySelector("[data-position]");
    if (place) place.textContent = "";
    if (resumed) {
      for (const { peer } of this.#peers.values()) peer.resume();
    } else {
      this.#hangUp();
      for (const member of members) this.#meet(member);
    }
    this.#tellMedia();
    this.#overall();
  }

  #meet({ member, role, polite }) {
    this.#part(member);
    const tile = this.#tile(member, role);
    const say = (message) => this.#signalling.send({ ...message, to: member });
    const peer = new Peer({ ice: this.#ice, local: this.#local, polite: !polite, say });
    peer.addEventListener("track", ({ detail }) => this.#show(tile, detail.track));
    peer.addEventListener("state", () => this.#overall());
    this.#peers.set(member, { peer, tile });
    this.#tellMedia();
    this.#overall();
  }

  #part(member) {
    const known = this.#peers.get(member);
    if (!known) return;
    known.peer.close();
    known.tile.remove();
    this.#peers.delete(member);
    this.#overall();
  }

  #hangUp() {
    for (const member of [...this.#peers.keys()]) this.#part(member);
  }

  #tile(member, role) {
    const tile = this.#root.querySelector("template[data-tile]").content.firstElementChild.cloneNode(true);
    tile.dataset.member = member;
    tile.querySelector("[data-role]").textContent = this.#words[`role-${role}`] ?? role;
    this.#root.querySelector("[data-stage]").append(tile);
    return tile;
  }

  #show(tile, track) {
    const video = tile.querySelector("video");
    video.srcObject ??= new MediaStream();
    video.srcObject.addTrack(track);
    video.play().catch(() => this.#status("press-play"));
  }

  #mark(tile, { audio, video }) {
    tile.querySelector("[data-muted]").hidden = audio;
    tile.querySelector("[data-dark]").hidden = video;
  }

  #overall() {
    if (!this.#signalling) return;
    const states = this.connections.map((connection) => connection.connectionState);
    if (!states.length) this.#status("alone");
    else if (states.includes("connected")) this.#status("connected");
    else if (states.some((state) => state === "disconnected" || state === "failed")) this.#status("reconnecting");
    else this.#status("connecting");
  }

  #sends(kind) {
    return this.#local.getTracks().some((track) => track.kind === kind && track.enabled);
  }

  #tellMedia() {
    if (this.#peers.size) this.#signalling.send({ type: "media", audio: this.#sends("audio"), video: this.#sends("video") });
  }

  #toggle(kind) {
    const on = !this.#sends(kind);
    for (const track of this.#local.getTracks()) if (track.kind === kind) track.enabled = on;
    const button = this.#button(kind);
    button.setAttribute("aria-pressed", String(!on));
    button.querySelector("[data-label]").textContent = this.#words[`${kind}-${on ? "off" : "on"}`];
    this.#tellMedia();
  }

  #leave() {
    this.#signalling?.leave();
  }

  #ended(code) {
    this.#hangUp();
    this.#signalling = null;
    for (const track of this.#local.getTracks()) track.stop();
    this.#root.querySelector("[data-own]").hidden = true;
    this.#controls(false);
    this.#button("join").hidden = code === 4410 || code === 4403;
    this.#status(ENDED[code] ?? (code === 1000 ? "left" : "trouble"));
  }
}

const start = (root) => {
  for (const section of root.querySelectorAll("[data-call]:not([data-started])")) {
    section.dataset.started = "yes";
    section.call = new Call(section);
  }
};
start(document);
document.addEventListener("htmx:load", ({ target }) => start(target.parentElement ?? document));
