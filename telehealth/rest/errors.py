"""Facts of the REST engine itself, and the one table from kinds of error to HTTP statuses."""

from http import HTTPStatus

from telehealth.core.errors import Conflict, DomainError, Invalid, Missing, Unavailable, Unproven

STATUS: dict[type[DomainError], int] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Missing: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Unproven: HTTPStatus.FORBIDDEN,
}
# A few facts have an HTTP status of their own, finer than their kind's.
STATUS_OF_CODE: dict[str, int] = {
    "too_many_attempts": HTTPStatus.TOO_MANY_REQUESTS,
    "version_changed": HTTPStatus.PRECONDITION_FAILED,
    "version_required": HTTPStatus.PRECONDITION_REQUIRED,
}


class VersionChanged(Conflict):
    """Somebody else changed the thing since it was read."""

    code = "version_changed"


class VersionRequired(Invalid):
    """The change needs an If-Match header with the version that was read."""

    code = "version_required"


class CursorInvalid(Invalid):
    """The cursor is not one that this list gave out."""

    code = "cursor_invalid"


class IdempotencyKeyInvalid(Invalid):
    """The key is not 1 to 255 printable ASCII characters."""

    code = "idempotency_key_invalid"


class IdempotencyKeyReused(Conflict):
    """The key belongs to another request of the same person."""

    code = "idempotency_key_reused"


class IdempotencyKeyInFlight(Conflict):
    """The first request with this key is still being worked on."""

    code = "idempotency_key_in_flight"


class SecondFactorRequired(Unproven):
    """Nothing is shown before two factors."""

    code = "second_factor_required"


def status_of(error: DomainError) -> int:
    """The HTTP status of one of our own errors: by its code, else by the nearest kind."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.BAD_REQUEST
