"""The published files over HTTP, for witnesses who keep checkpoints elsewhere: C2SP `tlog-tiles` below `/audit/log/`.

A witness shows a static token (RFC 6750). We keep its SHA-256 only, in `AUDIT_WITNESS_TOKENS`; without that setting the
addresses are not there. Hashes and signatures are all that is served; whoever is turned away is on record.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from audit.ledger.actor import ANONYMOUS
from audit.ledger.units import refuse

_N = r"(?:x[0-9]{3}/)*[0-9]{3}"
_W = r"(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_SERVED = re.compile(rf"checkpoint|checkpoints\.log|public-key|tile/(?:[0-9]|[1-5][0-9]|6[0-3])/{_N}(?P<partial>\.p/{_W})?")
_FROM = re.compile(r"bytes=([0-9]{1,18})-")
CHUNK = 64 * 1024


@require_safe
def published(request: HttpRequest, name: str) -> HttpResponseBase:
    """One file of the published log. 404 when no witness is known or there is no such file, 401 for a wrong token."""
    if not settings.AUDIT_WITNESS_TOKENS:
        return HttpResponseNotFound()
    if not known(request.headers.get("Authorization", "")):
        refuse(ANONYMOUS, "witness_unknown", kind="audit.Checkpoint")
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="audit log"'})
    match = _SERVED.fullmatch(name)
    if match is None:
        return HttpResponseNotFound()
    try:
        file = open(Path(settings.AUDIT_CHECKPOINTS) / name, "rb")  # closed by the response
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return HttpResponseNotFound()
    return _reply(request, file, forever=name.startswith("tile/") and not match["partial"])


def known(authorization: str) -> bool:
    """Whether this is the token of a witness. All are compared, each in constant time."""
    scheme, _, token = authorization.partition(" ")
    digest = hashlib.sha256(token.strip().encode()).hexdigest().encode()
    same = [hmac.compare_digest(digest, each.strip().lower().encode()) for each in settings.AUDIT_WITNESS_TOKENS]
    return scheme.lower() == "bearer" and any(same)


def _reply(request: HttpRequest, file: BinaryIO, *, forever: bool) -> HttpResponseBase:
    """The file, or from `Range: bytes=N-` on: a witness fetches only the checkpoints that it has not seen."""
    size = file.seek(0, 2)
    wanted = _FROM.fullmatch(request.headers.get("Range", ""))
    first = int(wanted[1]) if wanted else 0
    if wanted and first >= size:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    file.seek(first)
    reply: HttpResponseBase
    if wanted:
        reply = StreamingHttpResponse(_chunks(file, size - first), status=206)
        reply.headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
    else:
        reply = StreamingHttpResponse(_chunks(file, size))
    reply.headers["Content-Length"] = str(size - first)
    reply.headers["Content-Type"] = "application/octet-stream" if request.path.rpartition("/tile/")[1] else "text/plain; charset=utf-8"
    reply.headers["Accept-Ranges"] = "bytes"
    reply.headers["Cache-Control"] = "private, max-age=31536000, immutable" if forever else "no-store"
    return reply


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    """As long as the file was when the reply began: the log of checkpoints grows meanwhile."""
    with file:
        while length and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
