"""The staff's queue: ids, states and times of visits as they change."""

from typing import Any

from consults.consumers.door import Door
from consults.mailboxes import names
from consults.protocol.codes import Close, Error
from consults.protocol.incoming import Incoming, Ping
from consults.protocol.outgoing import Pong, trouble
from telehealth.accounts.access import Action, Resource, Role, granted
from telehealth.records.selectors import practitioner_of


class QueueSocket(Door):
    kind = "waiting_room"
    room = ""

    async def welcome(self) -> None:
        if self.actor.id is None:
            await self.turn_away("not_signed_in", Close.NOT_JOINED)
        elif not granted(self.actor, Action.SEARCH, Resource.WAITING_ROOM):
            await self.turn_away("no_scope", Close.NOT_PERMITTED)
        else:
            self.room = await self.ask(self._room)
            await self.channel_layer.group_add(self.room, self.channel_name)
            self.start_ticking()

    def _room(self) -> str:
        if self.actor.role != Role.PROVIDER:
            return names.QUEUE
        practitioner = practitioner_of(self.actor.id)
        return f"{names.QUEUE}.{practitioner.pk if practitioner else self.actor.id}"

    async def heard(self, message: Incoming) -> None:
        await self.say_message(Pong() if isinstance(message, Ping) else trouble(Error.UNKNOWN_TYPE))

    async def queue_visit(self, event: dict[str, Any]) -> None:
        """From the channel layer: a visit changed."""
        news = {key: event[key] for key in ("id", "waiting", "status", "at")}
        await self.say_message({"type": "visit", **news})

    async def door_tick(self, event: dict[str, Any]) -> None:
        if not await self.still_signed_in():
            await self.turn_away("signed_out", Close.NOT_JOINED)
        else:
            await self.tell_what_is_over()

    async def gone(self) -> None:
        if self.room:
            await self.channel_layer.group_discard(self.room, self.channel_name)
