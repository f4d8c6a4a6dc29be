// The visit's WebSocket as docs/signalling.md tells it: joins, resumes after a loss, hands messages on in order.

const SUBPROTOCOL = "telehealth.v1";
const FINAL = new Set([1000, 4400, 4401, 4403, 4409, 4410, 4429]);
const PING_EVERY = 20_000;
const PAUSE = { first: 500, most: 8000 };

export class Signalling extends EventTarget {
  #url;
  #socket = null;
  #seen = null; // the last seq: what `resume` asks for
  #losses = 0;
  #joined = false;
  #unsent = []; // what peers must still hear, kept over a lost connection
  #timers = { ping: 0, retry: 0 };
  #over = false;

  constructor(path) {
    super();
    const url = new URL(path, window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#url = url;
    window.addEventListener("online", () => this.#again(0));
  }

  connect() {
    this.#over = false;
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened(socket));
    socket.addEventListener("message", (event) => socket === this.#socket && this.#received(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#closed(event.code));
  }

  /** Relay to a member: now, or after the connection is back. */
  send(message) {
    if (this.#joined && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
    else this.#unsent.push(message);
  }

  leave() {
    this.#over = true;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "leave" }));
    else this.#finish(1000);
  }

  #opened(socket) {
    const join = { type: "join" };
    if (this.#seen !== null) join.resume = this.#seen;
    socket.send(JSON.stringify(join));
    clearInterval(this.#timers.ping);
    this.#timers.ping = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
    }, PING_EVERY);
  }

  #received(message) {
    this.#losses = 0;
    if (Number.isInteger(message.seq)) this.#seen = message.seq;
    if (message.type === "pong") return;
    if (message.type === "waiting") this.#joined = false;
    if (message.type === "joined") this.#flush(message.resumed);
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  /** Resumed: the peers are as they were and get what waited. Anew: what waited was for connections that are gone. */
  #flush(resumed) {
    const kept = resumed ? this.#unsent : [];
    this.#unsent = [];
    this.#joined = true;
    for (const message of kept) this.send(message);
  }

  #closed(code) {
    this.#joined = false;
    clearInterval(this.#timers.ping);
    if (this.#over || FINAL.has(code)) {
      this.#finish(code);
      return;
    }
    this.dispatchEvent(new CustomEvent("lost", { detail: { code } }));
    this.#losses += 1;
    const longest = Math.min(PAUSE.most, PAUSE.first * 2 ** (this.#losses - 1));
    this.#again(longest * (0.5 + Math.random() / 2));
  }

  #again(pause) {
    if (this.#over || this.#socket?.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.#timers.retry);
    this.#timers.retry = setTimeout(() => this.connect(), pause);
  }

  #finish(code) {
    this.#over = true;
    clearTimeout(this.#timers.retry);
    this.dispatchEvent(new CustomEvent("ended", { detail: { code } }));
  }
}
