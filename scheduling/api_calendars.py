"""A provider's feed, and the calendars whose busy times are read, by REST."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from scheduling import selectors, services
from scheduling.models import BusyCalendar, BusyState
from telehealth.accounts.access import Action, Resource
from telehealth.core.outbound import LONGEST_URL
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.shapes import Nothing, Shape


class FeedOut(Shape):
    """A secret address in use. The address itself is not kept."""

    id = serializers.UUIDField()
    practitioner = serializers.UUIDField(source="practitioner_id")
    created_at = serializers.DateTimeField()


class FeedMade(FeedOut):
    """With the address: shown this once."""

    url = serializers.CharField()


class BusyIn(Shape):
    """Where the calendar is: https, or webcal."""

    url = serializers.CharField(max_length=LONGEST_URL)


class BusyOut(Shape):
    """A calendar whose busy times are read: how the last look ended, and the last good one."""

    id = serializers.UUIDField()
    practitioner = serializers.UUIDField(source="practitioner_id")
    host = serializers.SerializerMethodField()
    state = serializers.ChoiceField(BusyState.choices)
    checked_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    spans = serializers.IntegerField()

    def get_host(self, calendar: BusyCalendar) -> str:
        """Of the address the name alone: the rest is a secret."""
        return urlsplit(calendar.url).hostname or ""


class FeedList(Face):
    """The feeds in use; making one's own, which ends the former one. The answer is the only one that shows the address."""

    access = {"get": (Action.SEARCH, Resource.CALENDAR), "post": (Action.ACT, Resource.CALENDAR)}
    shape_in = {"post": Nothing}
    shape_out = {"get": FeedOut, "post": FeedMade}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.feeds_for(self.by), FeedOut)

    def post(self, request: Request) -> Response:
        self.given(Nothing)
        feed, url = services.make_feed(by=self.by)
        return Response({**FeedOut(feed).data, "url": url}, status=201)


class FeedOne(Face):
    """Revoke it."""

    access = (Action.DELETE, Resource.CALENDAR)

    def delete(self, request: Request, pk: UUID) -> Response:
        services.revoke_feed(feed_id=pk, by=self.by)
        return Response(status=204)


class BusyList(CreateFace):
    """The calendars whose busy times are read; naming one more. 400 `address_refused`; 409 `too_many_calendars`."""

    access = {"get": (Action.SEARCH, Resource.CALENDAR), "post": (Action.CREATE, Resource.CALENDAR)}
    shape_in = {"post": BusyIn}
    shape_out = {"get": BusyOut, "post": BusyOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.busy_calendars_for(self.by), BusyOut)

    def create(self, data: dict[str, Any]) -> BusyCalendar:
        return services.add_busy_calendar(**data, by=self.by)

    def find(self, pk: UUID) -> BusyCalendar:
        return selectors.busy_calendars_for(self.by).get(pk=pk)


class BusyOne(Face):
    """Look at it no longer: the time that it closed is open again."""

    access = (Action.DELETE, Resource.CALENDAR)

    def delete(self, request: Request, pk: UUID) -> Response:
        services.remove_busy_calendar(calendar_id=pk, by=self.by)
        return Response(status=204)
