"""The OpenAPI 3 description, made from what the faces declare and from nothing else."""

import re
from functools import cache
from typing import Any

from django.utils.translation import gettext_noop as _
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from telehealth.rest.description import PROBLEM_REFERENCE
from telehealth.rest.faces import OPEN, CreateFace, Face, shape_for
from telehealth.rest.idempotency import HEADER
from telehealth.rest.paging import DEFAULT_LIMIT, MAX_LIMIT
from telehealth.rest.problems import MEDIA_TYPE
from telehealth.rest.rendering import JSON, JSONAlways


class FaceSchema(AutoSchema):
    """Describes a face by its shapes, its access and the engine's own rules. For DEFAULT_SCHEMA_CLASS."""

    def get_operation_id(self) -> str:
        """The method and the path: unique without anybody's care."""
        words = re.findall(r"[A-Za-z0-9]+", self.path.removeprefix("/api/v1"))
        return "_".join([self.method.lower(), *words])

    def get_auth(self) -> list[dict[str, Any]]:
        """A session or a bearer token; nothing for an open door."""
        return [] if self._access() == OPEN else [{"session": []}, {"oauth": ["patient"]}]

    def get_tags(self) -> list[str]:
        """The first word of the path."""
        return [self.path.removeprefix("/api/v1").strip("/").split("/")[0]]

    def get_description(self) -> str:  # type: ignore[override]  # spectacular dropped the arguments
        """What the face's docstring says."""
        return (type(self.view).__doc__ or "").strip()

    def get_request_serializer(self) -> Any:
        """The declared input shape."""
        shape = shape_for(self._face("shape_in"), self.method.lower())
        return None if shape is None or self.method == "GET" else shape

    def get_response_serializers(self) -> Any:
        """The declared output shape, under 201 for a creation and 200 for the rest."""
        shape = shape_for(self._face("shape_out"), self.method.lower())
        view = self.view
        status = view.created_status if isinstance(view, CreateFace) and self.method == "POST" else 200
        return {str(status): shape or {"type": "object"}}

    def get_override_parameters(self) -> list[Any]:
        """The declared query, which spectacular reads field by field."""
        shape = self._face("shape_query")
        return [shape] if shape is not None and self.method == "GET" else []

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with problems, the key header, paging and the access pair."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None or not isinstance(self.view, Face):
            return operation
        operation["responses"]["default"] = {
            "description": _("Refused or failed"),
            "content": {MEDIA_TYPE: {"schema": PROBLEM_REFERENCE}},
        }
        if access := self._access():
            operation["x-access"] = [str(part) for part in access]
        if isinstance(self.view, CreateFace) and self.method == "POST":
            operation.setdefault("parameters", []).append(_parameter(HEADER, "header", {"type": "string"}))
        if self.method == "GET" and self._pages():
            _wrap_in_page(operation)
        return operation

    def _face(self, name: str) -> Any:
        return getattr(self.view, name, None)

    def _access(self) -> tuple[str, str] | None:
        return self.view.access_of(self.method.lower()) if isinstance(self.view, Face) else OPEN

    def _pages(self) -> bool:
        return bool(self._face("paged")) or isinstance(self.view, CreateFace)

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # paging is wrapped by `_wrap_in_page`


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": place, "name": name, "schema": schema}


def _wrap_in_page(operation: dict[str, Any]) -> None:
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    parameters = operation.setdefault("parameters", [])
    parameters += [_parameter("limit", "query", limit), _parameter("cursor", "query", {"type": "string"})]
    for media in operation["responses"].get("200", {}).get("content", {}).values():
        media["schema"] = {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": {"type": "array", "items": media["schema"]},
                "next": {"type": "string", "nullable": True},
            },
        }


@cache
def description() -> dict[str, Any]:
    """The whole description, made once per process: the addresses do not change while it runs."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


class Schema(APIView):
    """GET /api/schema/: open without signing in, for it holds nothing that the source code does not."""

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [JSON]
    content_negotiation_class = JSONAlways
    http_method_names = ["get", "head"]
    schema = None

    def get(self, request: Request) -> Response:
        """The description as JSON."""
        return Response(description(), content_type="application/vnd.oai.openapi+json")
