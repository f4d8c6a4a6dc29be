// One connection to one member: perfect negotiation (W3C webrtc-pc, RFC 9429), candidates kept until they can be used.

const WAIT_WHEN_DISCONNECTED = 3000;
const REPEAT_OFFER_AFTER = 6000;

export class Peer extends EventTarget {
  #connection;
  #local;
  #polite;
  #say;
  #makingOffer = false;
  #ignoring = false;
  #early = [];
  #timers = { restart: 0, repeat: 0 };

  /** `ice` is what the server's `joined` carried and nothing else: without servers the list is empty, never a default. */
  constructor({ ice, local, polite, say }) {
    super();
    this.#local = local;
    this.#polite = polite;
    this.#say = say;
    this.#connection = new RTCPeerConnection({ iceServers: ice.servers, iceTransportPolicy: ice.policy });
    this.#listen();
    if (!polite) this.#offerMedia();
  }

  get connection() {
    return this.#connection;
  }

  close() {
    clearTimeout(this.#timers.restart);
    clearTimeout(this.#timers.repeat);
    this.#connection.close();
  }

  /** After the socket came back: what was under way may have been lost with it. */
  resume() {
    if (this.#connection.signalingState === "have-local-offer") this.#tell();
    if (this.#connection.iceConnectionState === "failed") this.#connection.restartIce();
  }

  async description(description) {
    const connection = this.#connection;
    const stable = connection.signalingState === "stable" && !this.#makingOffer;
    this.#ignoring = description.type === "offer" && !stable && !this.#polite;
    if (this.#ignoring) return;
    await connection.setRemoteDescription(description);
    for (const candidate of this.#early.splice(0)) await this.candidate(candidate);
    if (description.type !== "offer") return;
    this.#addLocalTracks();
    await connection.setLocalDescription();
    this.#tell();
  }

  async candidate(candidate) {
    if (!this.#connection.remoteDescription) {
      this.#early.push(candidate);
      return;
    }
    try {
      await this.#connection.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.#ignoring) this.#emit("trouble", { error });
    }
  }

  #listen() {
    const connection = this.#connection;
    connection.addEventListener("negotiationneeded", () => this.#negotiate());
    connection.addEventListener("icecandidate", ({ candidate }) => this.#say({ type: "candidate", candidate: candidate?.toJSON() ?? null }));
    connection.addEventListener("track", ({ track }) => this.#emit("track", { track }));
    connection.addEventListener("connectionstatechange", () => this.#emit("state", { state: connection.connectionState }));
    connection.addEventListener("iceconnectionstatechange", () => this.#heal());
    connection.addEventListener("signalingstatechange", () => this.#watch());
  }

  async #negotiate() {
    try {
      this.#makingOffer = true;
      await this.#connection.setLocalDescription();
      this.#tell();
    } catch (error) {
      this.#emit("trouble", { error });
    } finally {
      this.#makingOffer = false;
    }
  }

  #tell() {
    const { type, sdp } = this.#connection.localDescription;
    this.#say({ type: "description", description: { type, sdp } });
  }

  /** An offer that nobody answers is told once more: its answer may have been lost with somebody's socket. */
  #watch() {
    clearTimeout(this.#timers.repeat);
    if (this.#connection.signalingState !== "have-local-offer") return;
    this.#timers.repeat = setTimeout(() => {
      if (this.#connection.signalingState !== "have-local-offer") return;
      this.#tell();
      this.#watch();
    }, REPEAT_OFFER_AFTER);
  }

  #heal() {
    const state = this.#connection.iceConnectionState;
    clearTimeout(this.#timers.restart);
    if (state === "failed") this.#connection.restartIce();
    if (state !== "disconnected") return;
    this.#timers.restart = setTimeout(() => {
      if (this.#connection.iceConnectionState === "disconnected") this.#connection.restartIce();
    }, WAIT_WHEN_DISCONNECTED);
  }

  #offerMedia() {
    this.#addLocalTracks();
    const kinds = new Set(this.#local.getTracks().map((track) => track.kind));
    for (const kind of ["audio", "video"]) {
      if (!kinds.has(kind)) this.#connection.addTransceiver(kind, { direction: "recvonly" });
    }
  }

  #addLocalTracks() {
    const sent = new Set(this.#connection.getSenders().map((sender) => sender.track));
    for (const track of this.#local.getTracks()) {
      if (!sent.has(track)) this.#connection.addTrack(track, this.#local);
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
