"""A participant's socket: a wire between the client, the mailbox and the services. It decides nothing."""

import asyncio
import time
from functools import partial
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

import msgspec
from django.conf import settings

from audit.ledger import ANONYMOUS, current
from consults import ice, selectors, services
from consults.consumers.door import Door
from consults.mailboxes import desk, names
from consults.mailboxes.sealing import Seal
from consults.mailboxes.wire import NoSuchMember, NotAdmitted, Replaced, Seat, Stale
from consults.models import Visit
from consults.protocol import outgoing as out
from consults.protocol.codes import Close, Error
from consults.protocol.incoming import Candidate, Description, Incoming, Join, Leave, Media, Ping
from consults.protocol.politeness import polite, polite_alone
from consults.selectors import Standing
from telehealth.accounts import live
from telehealth.core.errors import DomainError

JOIN_WITHIN: Final = 5.0
IDLE_AFTER: Final = 30 * 60.0
CLOSES = {"ticket_invalid": Close.NOT_JOINED, "visit_ended": Close.ENDED}


class VisitSocket(Door):
    kind = Visit._meta.label
    seat: Seat | None = None
    inside = False
    said: tuple[str, int | None] | None = None
    place: Standing | None = None

    async def welcome(self) -> None:
        self.about = self.visit_id
        self.deadline = asyncio.get_running_loop().call_later(JOIN_WITHIN, self._too_late)

    @property
    def visit_id(self) -> UUID:
        found: UUID = self.scope["url_route"]["kwargs"]["visit_id"]
        return found

    def _too_late(self) -> None:
        self.late = asyncio.ensure_future(self.dispatch({"type": "door.late"}))

    async def door_late(self, event: dict[str, Any]) -> None:
        if self.seat is None:
            await self.turn_away("no_join", Close.NOT_JOINED)

    # Words of the client

    async def heard(self, message: Incoming) -> None:
        if isinstance(message, Ping):
            await self.say_message(out.Pong())
        elif isinstance(message, Join):
            await self._join(message)
        elif self.seat is None:
            await self.turn_away("no_join", Close.NOT_JOINED)
        else:
            await self._act(self.seat, message)

    async def _join(self, message: Join) -> None:
        if self.seat is not None:
            await self.say_message(out.trouble(Error.ALREADY_JOINED))
            return
        if message.ticket is not None:
            redeem = partial(services.redeem_ticket, value=message.ticket, visit_id=self.visit_id)
            self.actor, self.epoch = await self.ask(redeem, by=ANONYMOUS)
            current().become(self.actor)
            await self.listen()
        if self.actor.id is None:
            await self.turn_away("not_signed_in", Close.NOT_JOINED)
            return
        await self._sit(message.resume)

    async def _sit(self, resume: int | None) -> None:
        standing, key = await self.ask(services.take_seat, visit_id=self.visit_id, by=self.actor)
        self.seat = Seat(standing.visit, standing.member, token_hex(16), Seal(key, standing.visit))
        await self.channel_layer.group_add(names.group(self.visit_id), self.channel_name)
        resumed = await self.seat.sit(resume)
        await self.channel_layer.group_send(names.group(self.visit_id), {"type": "visit.look"})
        self.deadline.cancel()
        self.start_ticking()
        await self._settle(resumed=resumed)

    async def _act(self, seat: Seat, message: Incoming) -> None:
        if isinstance(message, Description):
            body = out.RelayedDescription(seat.member, message.description)
            await self._relay(seat, [message.to], body)
        elif isinstance(message, Candidate):
            await self._relay(seat, [message.to], out.RelayedCandidate(seat.member, message.candidate))
        elif isinstance(message, Media):
            others = [member for member, _ in self.place.others] if self.place else []
            await self._relay(seat, others, out.RelayedMedia(seat.member, message.audio, message.video))
        elif isinstance(message, Leave):
            await self._leave(seat)

    async def _relay(self, seat: Seat, to: list[UUID], body: out.Outgoing) -> None:
        raw = msgspec.json.encode(body)
        try:
            for member in to:
                await self._post(seat, member, raw)
        except NotAdmitted:
            await self.say_message(out.trouble(Error.NOT_ADMITTED))
        except NoSuchMember:
            if not isinstance(body, out.RelayedMedia):
                await self.say_message(out.trouble(Error.NO_SUCH_MEMBER))
        except Replaced:
            await self.end(Close.REPLACED)
        else:
            await self.channel_layer.group_send(names.group(self.visit_id), {"type": "visit.look"})

    async def _post(self, seat: Seat, to: UUID, raw: bytes) -> None:
        for _ in range(5):
            try:
                await seat.relay(to, raw)
                return
            except Stale:
                await self.ask(_grant_anew, self.visit_id)
        raise NotAdmitted

    async def _leave(self, seat: Seat) -> None:
        await self._rise(seat)
        await self.end(Close.NORMAL)

    async def _show_out(self, seat: Seat) -> None:
        """There is no reason any more to be here."""
        await self._rise(seat)
        await self.turn_away("not_visible", Close.NOT_PERMITTED)

    async def _rise(self, seat: Seat) -> None:
        if await seat.rise():
            await self.ask(services.depart, visit_id=self.visit_id, members=[seat.member], by=self.actor)

    # Words of the server: these names are the channel layer's, and only this server sends them

    async def visit_look(self, event: dict[str, Any]) -> None:
        if self.seat is not None:
            await self._deliver(self.seat)

    async def visit_changed(self, event: dict[str, Any]) -> None:
        if self.seat is not None:
            await self._settle()

    async def visit_dismiss(self, event: dict[str, Any]) -> None:
        if self.seat is not None and event["member"] == str(self.seat.member):
            await self._deliver(self.seat)
            await self.seat.rise()
            await self.end(Close.NORMAL)

    async def door_tick(self, event: dict[str, Any]) -> None:
        if self.seat is None or self.over:
            return
        try:
            await self.seat.beat()
        except Replaced:
            await self.end(Close.REPLACED)
            return
        if not await self.ask(live.stands, self.actor, self.epoch):
            await self.turn_away("signed_out", Close.NOT_JOINED)
        elif not await self.ask(selectors.still_sees, self.actor, self.visit_id):
            await self._show_out(self.seat)
        elif not self.inside and time.monotonic() - self.spoke_at > IDLE_AFTER:
            await self.end(Close.IDLE)
        else:
            await self.ask(services.part_silent, visit_id=self.visit_id)
            await self._settle()
            await self.tell_what_is_over()

    # Where this participant stands

    async def _settle(self, *, resumed: bool = False) -> None:
        """Hand over what has come, then follow the visit: in, back to waiting, or out."""
        seat = self.seat
        if seat is None or self.over:
            return
        await self._deliver(seat)
        standing = self.place = await self.ask(selectors.standing_of, seat.member)
        if standing.ended:
            await self.end(Close.ENDED)
        elif standing.removed:
            await self.end(Close.NOT_PERMITTED)
        elif not standing.admitted:
            await self._wait(standing, seat)
        elif not self.inside or not standing.connected:
            await self._come_in(seat, resumed)

    async def _wait(self, standing: Standing, seat: Seat) -> None:
        self.inside = False
        if self.said != (standing.waiting, standing.position) and not self.over:
            self.said = (standing.waiting, standing.position)
            await self.say_message(out.Waits(standing.waiting, standing.position, seat.after))

    async def _come_in(self, seat: Seat, resumed: bool) -> None:
        standing, came_back = await self.ask(services.enter, member=seat.member, resumed=resumed, by=self.actor)
        if not standing.admitted:
            return
        self.inside, self.said, self.place = True, None, standing
        you = out.Member(standing.member, standing.role, polite_alone(standing.role))
        members = [out.Member(m, role, polite(role, m, standing.role, standing.member)) for m, role in standing.others]
        policy = settings.ICE_TRANSPORT_POLICY
        await self.say_message(out.Joined(you, members, ice.ice_servers(), policy, seat.after, came_back))

    async def _deliver(self, seat: Seat) -> None:
        if self.over:
            return
        try:
            messages = await seat.read()
        except Replaced:
            await self.end(Close.REPLACED)
            return
        for number, body in messages:
            await self.say_message(out.numbered(body, number))

    async def refused(self, error: DomainError) -> None:
        await self.end(CLOSES.get(error.code, Close.NOT_PERMITTED))

    async def gone(self) -> None:
        if hasattr(self, "deadline"):
            self.deadline.cancel()
        if self.seat is not None:
            await self.channel_layer.group_discard(names.group(self.visit_id), self.channel_name)


def _grant_anew(visit_id: UUID) -> None:
    version, members = selectors.rights_of(visit_id)
    desk.grant(visit_id, version, members)
