"""The base of every shape: what comes in and what goes out."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,40}")


class Shape(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, so that a typing mistake never passes unnoticed."""

    def to_internal_value(self, data: Any) -> Any:
        """Validated values; a 400 with a code per field otherwise."""
        if isinstance(data, Mapping):
            unknown = {_shown(name) for name in data if name not in self.fields or self.fields[name].read_only}
            if unknown:
                raise ValidationError({name: [ErrorDetail("", code="unknown_field")] for name in sorted(unknown)})
        return super().to_internal_value(data)


class Nothing(Shape):
    """The shape of a body that says nothing: `{}` or no body at all."""


def _shown(name: Any) -> str:
    # A field name is the client's text: repeated only when it can be nothing but a name.
    return name if isinstance(name, str) and _PLAIN_NAME.fullmatch(name) else "?"
