"""What the server says. Numbered messages (`seq`) come out of the recipient's mailbox and can be resumed; the others cannot."""

from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from consults.protocol.codes import RETRYABLE, Error
from consults.protocol.incoming import IceCandidate, SessionDescription


class Member(msgspec.Struct, frozen=True):
    """One admitted participant as another sees it; `polite` is towards the one who reads this."""

    member: UUID
    role: str
    polite: bool


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    urls: list[str]
    username: str = ""
    credential: str = ""


class Numbered(msgspec.Struct, frozen=True, tag_field="type"):
    pass


class PeerJoined(Numbered, tag="peer-joined", frozen=True):
    member: UUID
    role: str
    polite: bool


class PeerLeft(Numbered, tag="peer-left", frozen=True):
    member: UUID


class RelayedDescription(Numbered, tag="description", rename={"sender": "from"}, frozen=True):
    sender: UUID
    description: SessionDescription


class RelayedCandidate(Numbered, tag="candidate", rename={"sender": "from"}, frozen=True):
    sender: UUID
    candidate: IceCandidate | None


class RelayedMedia(Numbered, tag="media", rename={"sender": "from"}, frozen=True):
    sender: UUID
    audio: bool
    video: bool


class StateChanged(Numbered, tag="state", frozen=True):
    waiting: str
    status: str


Outgoing: TypeAlias = PeerJoined | PeerLeft | RelayedDescription | RelayedCandidate | RelayedMedia | StateChanged


class Waits(msgspec.Struct, frozen=True, tag_field="type", tag="waiting"):
    waiting: str
    position: int | None
    seq: int


class Joined(msgspec.Struct, frozen=True, tag_field="type", tag="joined"):
    you: Member
    members: list[Member]
    ice_servers: list[IceServer]
    ice_transport_policy: str
    seq: int
    resumed: bool


class Trouble(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    code: str
    retryable: bool


class Rights(msgspec.Struct, frozen=True, tag_field="type", tag="rights"):
    """A consent of somebody in care is over: what it showed must go."""


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    pass


def trouble(code: Error) -> Trouble:
    return Trouble(code, code in RETRYABLE)


def numbered(body: bytes, seq: int) -> dict[str, Any]:
    """A mailbox body as the client gets it: the same object with its sequence number."""
    message: dict[str, Any] = msgspec.json.decode(body)
    return {**message, "seq": seq}
