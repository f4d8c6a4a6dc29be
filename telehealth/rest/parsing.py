"""Reading request bodies: strict JSON, never more than the face allows."""

import re
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

BODY_LIMIT = 1024 * 1024
# An escaped NUL is legal JSON, but PostgreSQL cannot keep it in any text.
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class TooLarge(APIException):
    """413: the body is larger than this address takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("Too large.")
    default_code = "too_large"


def declared_length(request: HttpRequest | Request) -> int:
    """The Content-Length, 0 when absent or not a number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def read_limited(stream: IO[bytes], limit: int) -> bytes:
    """All bytes of the stream, or TooLarge as soon as there is one more than `limit`."""
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise TooLarge
    return raw


class JSONBody(BaseParser):
    """RFC 8259 JSON in UTF-8; NaN, lone surrogates and NUL are refused. Numbers come as int or float."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, context: Mapping[str, Any] | None = None) -> Any:
        """The parsed value, or a 400 that does not repeat the input."""
        view = (context or {}).get("view")
        raw = read_limited(stream, getattr(view, "body_limit", BODY_LIMIT))
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise ParseError(code="malformed") from error
        if NUL.search(raw):
            raise ParseError(code="malformed")
        return value


class FHIRBody(JSONBody):
    """The same under FHIR's media type."""

    media_type = "application/fhir+json"
