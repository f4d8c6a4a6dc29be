"""What a client may say. The field `type` goes through one fixed table; unknown fields and oversized values are malformed."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

MAX_FRAME: Final = 72 * 1024

Sdp: TypeAlias = Annotated[str, Meta(max_length=64 * 1024)]


class Unreadable(Exception):
    """Not one of our messages: broken JSON, wrong shape, too big."""


class UnknownType(Exception):
    """Well formed, but of a type this server does not know."""


class SessionDescription(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    type: Literal["offer", "answer", "rollback"]
    sdp: Sdp = ""

    def __post_init__(self) -> None:
        if (self.type == "rollback") is bool(self.sdp) or (self.sdp and not self.sdp.startswith("v=0")):
            raise ValueError("not a session description")


class IceCandidate(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=False):
    candidate: Annotated[str, Meta(max_length=1024)]
    sdpMid: Annotated[str, Meta(max_length=64)] | None = None
    sdpMLineIndex: Annotated[int, Meta(ge=0, le=255)] | None = None
    usernameFragment: Annotated[str, Meta(max_length=256)] | None = None


class Message(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag=str.lower):
    pass


class Join(Message, kw_only=True, frozen=True):
    ticket: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    resume: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class Description(Message, frozen=True):
    to: UUID
    description: SessionDescription


class Candidate(Message, frozen=True):
    to: UUID
    candidate: IceCandidate | None


class Media(Message, frozen=True):
    audio: bool
    video: bool


class Ping(Message, frozen=True):
    pass


class Leave(Message, frozen=True):
    pass


Incoming: TypeAlias = Join | Description | Candidate | Media | Ping | Leave

TYPES: Final[Mapping[str, msgspec.json.Decoder[Incoming]]] = {
    "join": msgspec.json.Decoder(Join),
    "description": msgspec.json.Decoder(Description),
    "candidate": msgspec.json.Decoder(Candidate),
    "media": msgspec.json.Decoder(Media),
    "ping": msgspec.json.Decoder(Ping),
    "leave": msgspec.json.Decoder(Leave),
}


class _Typed(msgspec.Struct):
    type: Annotated[str, Meta(max_length=32)]


_TYPED = msgspec.json.Decoder(_Typed)


def parse(frame: str) -> Incoming:
    """The message in a text frame. Unreadable or UnknownType otherwise; neither repeats what was sent."""
    raw = frame.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_FRAME:
        raise Unreadable
    try:
        decoder = TYPES.get(_TYPED.decode(raw).type)
        if decoder is not None:
            return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise Unreadable from None
    raise UnknownType
