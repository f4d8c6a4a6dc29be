"""One side of the call: signalling over the visit's WebSocket, media by aiortc, as docs/signalling.md tells it."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from telehealth.rehearsal.visit.media import Camera, Microphone, Seen
from telehealth.rehearsal.visit.web import Failed

SUBPROTOCOL = Subprotocol("telehealth.v1")
PATIENCE = 30.0
COLOURS, PITCHES = {"provider": 60, "patient": 200}, {"provider": 440, "patient": 660}


class Side:
    """A participant's device. `enter` joins; from then on it answers whatever the server relays, until `leave`."""

    def __init__(self, part: str, url: str, visit: str) -> None:
        self.part = part
        self.address = urlsplit(url)._replace(scheme="wss" if url.startswith("https") else "ws").geturl()
        self.address += f"/ws/visits/{visit}/"
        self.joined: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting = asyncio.Event()
        self.seen = Seen(COLOURS["patient" if part == "provider" else "provider"])
        self.peer: RTCPeerConnection | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.socket: ClientConnection | None = None

    async def enter(self, *, ticket: str = "", cookies: str = "", origin: str = "") -> None:
        """Connect and join: an app with its ticket, a browser with its cookies and origin."""
        own = {"Cookie": cookies} if cookies else {}
        self.socket = await connect(
            self.address, subprotocols=[SUBPROTOCOL], additional_headers=own, origin=Origin(origin) if origin else None, proxy=None
        )
        await self._say({"type": "join", **({"ticket": ticket} if ticket else {})})
        self.tasks.append(asyncio.create_task(self._listen(self.socket)))

    async def is_waiting(self) -> None:
        """Until the server says that one waits."""
        await self._await(self.waiting.wait(), "nobody told the patient to wait")

    async def is_joined(self) -> dict[str, Any]:
        """The `joined` message, which carries the ICE servers."""
        joined: dict[str, Any] = await self._await(asyncio.shield(self.joined), f"the {self.part} was not let in")
        return joined

    async def has_seen(self) -> None:
        """Until enough of the other side has been decoded."""
        try:
            await self._await(self.seen.done.wait(), "")
        except Failed as failure:
            state = self.peer.connectionState if self.peer else "no peer"
            got = f"{self.seen.frames} frames and {self.seen.seconds:.1f} s of sound"
            raise Failed(str(failure) or f"the {self.part} decoded only {got} ({state})") from None

    def fingerprints(self) -> tuple[set[str], set[str]]:
        """The DTLS fingerprints as this side sent them and as it got the other's."""
        if self.peer is None:
            return set(), set()
        return _fingerprints(self.peer.localDescription), _fingerprints(self.peer.remoteDescription)

    async def leave(self) -> int | None:
        """Say good-bye; the close code."""
        if self.socket is None:
            return None
        await self._say({"type": "leave"})
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE)
        return self.socket.close_code

    async def close(self) -> None:
        """Let everything go, whatever happened."""
        if self.peer is not None:
            await self.peer.close()
        if self.socket is not None:
            await self.socket.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.joined.cancel()

    async def _await(self, awaitable: Any, otherwise: str) -> Any:
        waiting, listening = asyncio.ensure_future(awaitable), self.tasks[0]
        done, _ = await asyncio.wait({waiting, listening}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if waiting in done:
            return waiting.result()
        waiting.cancel()
        if listening in done:
            listening.result()
            raise Failed(f"the {self.part}'s socket closed with {self.socket.close_code if self.socket else None}")
        raise Failed(otherwise)

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                await self._hear(json.loads(frame))
        except ConnectionClosed:
            return

    async def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "waiting":
                self.waiting.set()
            case "joined":
                await self._begin(message)
            case "peer-joined":
                await self._offer_to(message)
            case "description":
                await self._described(message["from"], message["description"])
            case "candidate" if self.peer is not None and message["candidate"]:
                await self.peer.addIceCandidate(_candidate(message["candidate"]))
            case "error":
                raise Failed(f"the server told the {self.part}: {message['code']}")

    async def _begin(self, joined: dict[str, Any]) -> None:
        # Always the servers that the clinic configured, be it none: without a list aiortc would ask a public one.
        servers = [RTCIceServer(**server) for server in joined["ice_servers"]]
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.peer.on("track", lambda track: self.tasks.append(asyncio.create_task(self.seen.watch(track))))
        self.peer.addTrack(Camera(COLOURS[self.part]))
        self.peer.addTrack(Microphone(PITCHES[self.part]))
        self.joined.set_result(joined)
        for member in joined["members"]:
            await self._offer_to(member)

    async def _offer_to(self, member: dict[str, Any]) -> None:
        # `polite` is the other's part towards us: towards a polite one we make the first offer.
        if member["polite"] and self.peer is not None:
            await self.peer.setLocalDescription(await self.peer.createOffer())
            await self._tell(member["member"])

    async def _described(self, sender: str, description: dict[str, str]) -> None:
        if self.peer is None:
            raise Failed("a description came before the call began")
        await self.peer.setRemoteDescription(RTCSessionDescription(description["sdp"], description["type"]))
        if description["type"] == "offer":
            await self.peer.setLocalDescription(await self.peer.createAnswer())
            await self._tell(sender)

    async def _tell(self, to: str) -> None:
        # aiortc has gathered every candidate by now: they are in the description, and nothing trickles after it.
        assert self.peer is not None  # noqa: S101 - called with a peer only
        local = self.peer.localDescription
        await self._say({"type": "description", "to": to, "description": {"type": local.type, "sdp": local.sdp}})
        await self._say({"type": "candidate", "to": to, "candidate": None})

    async def _say(self, message: dict[str, Any]) -> None:
        assert self.socket is not None  # noqa: S101 - said on an open socket only
        await self.socket.send(json.dumps(message))


def _candidate(told: dict[str, Any]) -> Any:
    candidate = candidate_from_sdp(told["candidate"].removeprefix("candidate:"))
    candidate.sdpMid, candidate.sdpMLineIndex = told.get("sdpMid"), told.get("sdpMLineIndex")
    return candidate


def _fingerprints(description: RTCSessionDescription | None) -> set[str]:
    lines = description.sdp.splitlines() if description else []
    return {line.lower() for line in lines if line.startswith("a=fingerprint:sha-256")}
