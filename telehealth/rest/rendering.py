"""Writing replies: JSON by orjson, and stored JSON passed through untouched."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


def _other(value: Any) -> Any:
    if isinstance(value, Promise | Decimal):
        return str(value)
    raise TypeError


class JSON(BaseRenderer):
    """Renders with orjson: RFC 3339 times, UUIDs as text, `orjson.Fragment` verbatim."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of the reply; nothing at all for None."""
        return b"" if data is None else orjson.dumps(data, default=_other, option=orjson.OPT_UTC_Z)


class JSONAlways(BaseContentNegotiation):
    """The interface speaks one language; the Accept header changes nothing."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser whose media type is the request's, exactly, or None (415)."""
        sent = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        first = next(iter(renderers))
        return first, first.media_type or ""


class StoredJSON(serializers.Field[Any, Any, Any, Any]):
    """An output field whose value is JSON text as stored (a FHIR body): passed through, never rebuilt."""

    _spectacular_annotation = {"field": {"type": "object", "additionalProperties": True}}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: str | bytes) -> orjson.Fragment:
        """The text itself as a fragment of the reply."""
        return orjson.Fragment(value)
