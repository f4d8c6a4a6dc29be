"""REST: who am I; a fresh second factor."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts import factors, selectors, services, sessions
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.errors import CodeWrong
from telehealth.accounts.models import AccessToken
from telehealth.rest.faces import Face
from telehealth.rest.shapes import Shape


class MeOut(Shape):
    id = serializers.UUIDField()
    role = serializers.CharField()
    patient = serializers.UUIDField(allow_null=True)
    practitioner = serializers.UUIDField(allow_null=True)


class StepUpIn(Shape):
    code = serializers.CharField(max_length=16, trim_whitespace=True)


class StepUpOut(Shape):
    fresh_until = serializers.DateTimeField()


class Me(Face):
    """The account that asks: its id, its role, and the patient or practitioner that it is."""

    access = (Action.READ, Resource.ACCOUNT)
    shape_out = MeOut

    def get(self, request: Request) -> Response:
        return Response(MeOut(selectors.me(self.by)).data)


class StepUp(Face):
    """One code of the authenticator makes this session, or this app's token, fresh for five minutes."""

    access = (Action.ACT, Resource.SESSION)
    shape_in = StepUpIn
    shape_out = StepUpOut

    def post(self, request: Request) -> Response:
        given: dict[str, Any] = self.given(StepUpIn)
        try:
            at = services.prove(by=self.by, code=given["code"])
        except CodeWrong as wrong:
            if wrong.facts.get("locks"):
                services.lock_account(account_id=self.by.account, by=self.by)
            raise
        if isinstance(request.auth, AccessToken):
            services.step_up_app(by=self.by, token=request.auth, at=at)
        else:
            sessions.stamp_factor(request, at)
        return Response(StepUpOut({"fresh_until": at + factors.FRESH}).data)
