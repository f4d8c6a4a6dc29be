"""Faces: the views of the REST interface. A face parses, calls one service or selector, and renders."""

from typing import Any, ClassVar, Final, Protocol, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.ledger import ANONYMOUS, Actor
from telehealth.rest import idempotency
from telehealth.rest.errors import SecondFactorRequired, VersionChanged, VersionRequired
from telehealth.rest.paging import PARAMETERS, page_of
from telehealth.rest.parsing import BODY_LIMIT, JSONBody, TooLarge, declared_length, read_limited
from telehealth.rest.permissions import DeclaredOnly
from telehealth.rest.rendering import JSON, JSONAlways
from telehealth.rest.shapes import Nothing, Shape

M = TypeVar("M", bound=Model)
Access = tuple[str, str]  # an action and a resource of the access table
METHODS = ("get", "post", "put", "patch", "delete")
OPEN: Final = ("open", "door")
"""The access of the few faces that serve strangers: no sign-in, no gate."""


class Gate(Protocol):
    """Raises Refused when the actor's role has no scope at all for the action on the resource."""

    def __call__(self, by: Actor, action: str, resource: str) -> None: ...


def gate() -> Gate:
    """The role gate that `REST_GATE` names; without one nothing is served."""
    path = getattr(settings, "REST_GATE", "")
    if not path:
        raise ImproperlyConfigured("REST_GATE names no role gate")
    return cast(Gate, import_string(path))


class Face(APIView):
    """A view that says what it gives access to: `access = (action, resource)`, or one pair per method.

    A face without it does not start. Errors become problem JSON; bodies are JSON of at most `body_limit` bytes.
    """

    access: ClassVar[Access | dict[str, Access]]
    shape_in: ClassVar[type[Shape] | dict[str, type[Shape]] | None] = None
    shape_out: ClassVar[type[Shape] | dict[str, type[Shape]] | None] = None
    shape_query: ClassVar[type[Shape] | None] = None
    paged: ClassVar[bool] = False
    """For the description: GET answers with a page of `shape_out`."""
    body_limit: ClassVar[int] = BODY_LIMIT
    parser_classes = [JSONBody]
    renderer_classes = [JSON]
    content_negotiation_class = JSONAlways
    permission_classes = [DeclaredOnly]
    http_method_names = [*METHODS, "head"]

    by: Actor = ANONYMOUS

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _check_access(cls)

    @classmethod
    def access_of(cls, method: str) -> Access | None:
        """The pair asked for a method (lower case), None when the face does not serve it."""
        method = "get" if method == "head" else method
        if method not in METHODS or not hasattr(cls, method):
            return None
        return cls.access.get(method) if isinstance(cls.access, dict) else cls.access

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Size, sign-in, second factor, role gate: in that order, before any handler runs."""
        if declared_length(request) > self.body_limit:
            raise TooLarge
        super().initial(request, *args, **kwargs)
        self.by = getattr(request, "by", ANONYMOUS)
        access = self.access_of((request.method or "").lower())
        if access == OPEN:
            return
        if self.by.id is None:
            raise NotAuthenticated
        if access is None:
            raise MethodNotAllowed(request.method or "")
        if self.by.second_factor_at is None:
            raise SecondFactorRequired
        gate()(self.by, *access)
        if self.shape_query is None:
            self.asked(Nothing)

    def get_authenticate_header(self, request: Request) -> str:
        """Always a challenge, so that who is not signed in gets 401."""
        return 'Bearer realm="telehealth"'

    def given(self, shape: type[Shape]) -> dict[str, Any]:
        """The validated body, or 400 with a code per field."""
        return _valid(shape, self.request.data)

    def asked(self, shape: type[Shape]) -> dict[str, Any]:
        """The validated query; a parameter that is unknown, or given twice, is refused."""
        query = self.request.query_params
        single = {name: values[0] if len(values) == 1 else values for name, values in query.lists()}
        return _valid(shape, {name: value for name, value in single.items() if name not in PARAMETERS})

    def raw(self) -> bytes:
        """The body as it came, within the limit and of a type the face takes: for what is parsed as a stream."""
        request = self.request
        if self.get_content_negotiator().select_parser(request, request.parsers or []) is None:
            raise UnsupportedMediaType("")
        return read_limited(cast(Any, request), self.body_limit)

    def page(self, rows: "QuerySet[M]", shape: type[Shape], order: str = "-id") -> Response:
        """One page: `{"results": [...], "next": address or null}`, by `?limit=` (at most 100) and `?cursor=`."""
        found, following = page_of(self.request, rows, order)
        return Response({"results": shape(cast(Any, found), many=True).data, "next": following})

    def etag(self, version: int) -> None:
        """Give the reply the version of what it shows."""
        self.headers["ETag"] = f'"{version}"'

    def expected(self) -> int:
        """The version that the caller says to have read (If-Match); 428 without, 412 when it can be none of ours."""
        sent = self.request.headers.get("If-Match")
        if sent is None:
            raise VersionRequired
        text = sent.strip().removeprefix("W/").strip('"')
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise VersionChanged
        return int(text)


class CreateFace(Face, abstract=True):
    """A face whose POST creates: 201 with what was made, once per `Idempotency-Key`.

    `create` calls the service; `find` gives the same thing again for a repeated request, as the caller may see it now.
    """

    created_status: ClassVar[int] = 201

    def create(self, data: dict[str, Any]) -> Any:
        """Make it, by one service."""
        raise NotImplementedError

    def find(self, pk: UUID) -> Any:
        """What was made, by one selector narrowed to the caller."""
        raise NotImplementedError

    def identity(self, made: Any) -> UUID:
        """The id under which `find` will find it."""
        return cast(UUID, made.pk)

    def show(self, made: Any) -> dict[str, Any]:
        """What the caller is told about it: `shape_out` of the POST."""
        shape = shape_for(self.shape_out, "post")
        if shape is None:
            raise ImproperlyConfigured(f"{type(self).__name__} has no shape_out for POST")
        return shape(made).data

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Parse, create or find again, render."""
        data = self.given(shape_for(self.shape_in, "post") or Nothing)
        return self.once(idempotency.claim_of(request, self.by), data)

    def once(self, claim: idempotency.Claim | None, data: dict[str, Any]) -> Response:
        """Create, or with a key that is known find again."""
        if claim is None:
            return Response(self.show(self.create(data)), status=self.created_status)
        with transaction.atomic():
            known = idempotency.earlier(claim)
            if known is None:
                made = self.create(data)
                idempotency.keep(claim, status=self.created_status, object_id=self.identity(made))
        if known is None:
            return Response(self.show(made), status=self.created_status)
        again = self.show(self.find(known.object_id))
        return Response(again, status=known.status, headers={"Idempotency-Replayed": "true"})


def shape_for(shapes: type[Shape] | dict[str, type[Shape]] | None, method: str) -> type[Shape] | None:
    """The shape a face declares for a method."""
    return shapes.get(method) if isinstance(shapes, dict) else shapes


def _valid(shape: type[Shape], data: Any) -> dict[str, Any]:
    parsed = shape(data={} if data is None else data)
    parsed.is_valid(raise_exception=True)
    return cast(dict[str, Any], parsed.validated_data)


def _check_access(face: type[Face]) -> None:
    served = {method for method in METHODS if hasattr(face, method)}
    access = getattr(face, "access", None)
    told = access if isinstance(access, dict) else dict.fromkeys(served, access)
    wrong = sorted(served.symmetric_difference(told))
    if wrong:
        raise ImproperlyConfigured(f"{face.__qualname__}: access and handlers differ on {', '.join(wrong)}")
    if not all(_is_pair(pair) for pair in told.values()):
        raise ImproperlyConfigured(f"{face.__qualname__} does not say what it gives access to")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) and part for part in pair)
