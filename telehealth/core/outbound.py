"""The one way to fetch an address that an operator or a user gave us, so that nobody makes us ask our own network.

A name is looked up once, every address it stands for is judged, and the connection goes to one of those: what a name server
says a moment later changes nothing. Only https on its own port; redirects are judged like the first address; size, time and
kind of the answer are bounded, and a compressed one is refused. Nothing of ours goes along: no cookie, no secret, no referrer.
"""

import http.client
import ipaddress
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

from telehealth.core.errors import Invalid
from telehealth.core.lines import Address, Deadline, Line, Resolve, Slow, look_up

MOST_BYTES = 1_000_000
MOST_SECONDS = 20.0
MOST_REDIRECTS = 3
LONGEST_URL = 2000
HTTPS = 443
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 64 * 1024
AGENT = "telehealth/1"

# Within 2000::/3, the only global unicast space (RFC 4291), what leads elsewhere: IPv4 in disguise, documentation, special purposes.
_V6 = ipaddress.ip_network("2000::/3")
_V6_NOT = [ipaddress.ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_V4_NOT = [
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8",  # a range to refuse
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own server, at a public address
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]


class AddressRefused(Invalid):
    """An address that we do not ask: not https on its own port, with a user in it, or of a network that is not the public one."""

    code = "address_refused"


class NotFetched(Exception):
    """Nothing usable came; `reason` is a code: unreachable, too_slow, too_large, bad_status, bad_type, encoded, redirects."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Fetched:
    """What came. `unchanged`: the other side says that what we have (by `etag`) is still so."""

    body: bytes = b""
    etag: str = ""
    unchanged: bool = False


class Target(NamedTuple):
    """One address taken apart; `trusted` when the operator named this very host and port."""

    scheme: str
    host: str
    port: int
    path: str
    trusted: bool


@dataclass(frozen=True)
class Wish:
    """What is asked for, and within which bounds."""

    accept: Collection[str]
    etag: str = ""
    most_bytes: int = MOST_BYTES


def fetch(
    url: str,
    *,
    accept: Collection[str],
    etag: str = "",
    most_bytes: int = MOST_BYTES,
    seconds: float = MOST_SECONDS,
    resolve: Resolve = look_up,
) -> Fetched:
    """The body at that address, of one of the media types of `accept`. AddressRefused or NotFetched; all of it within `seconds`."""
    until, wish = Deadline(seconds), Wish(accept, etag, most_bytes)
    try:
        for _ in range(MOST_REDIRECTS + 1):
            found = _ask(judged(url), wish, until, resolve)
            if isinstance(found, Fetched):
                return found
            url = urljoin(url, found)
    except (Slow, TimeoutError) as error:
        raise NotFetched("too_slow") from error
    except (OSError, http.client.HTTPException) as error:
        raise NotFetched("unreachable") from error
    raise NotFetched("redirects")


def judged(url: str) -> Target:
    """The address taken apart, or AddressRefused. The name is not looked up yet."""
    if len(url) > LONGEST_URL or not url.isascii() or any(each <= " " or each in '\\"<>^`{|}\x7f' for each in url):
        raise AddressRefused()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused() from error
    if "@" in parts.netloc or not host or "%" in host:
        raise AddressRefused()
    return _allowed(parts, host, port)


def _allowed(parts: SplitResult, host: str, port: int | None) -> Target:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    meant = port if port is not None else (HTTPS if parts.scheme == "https" else http.client.HTTP_PORT)
    if parts.scheme in ("http", "https") and f"{host}:{meant}" in settings.OUTBOUND_TRUSTED:
        return Target(parts.scheme, host, meant, path, True)
    if parts.scheme != "https" or meant != HTTPS:
        raise AddressRefused()
    return Target("https", host, HTTPS, path, False)


def is_public(address: str) -> bool:
    """Whether this IP address is one of the open internet's; whatever is none at all is not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _V4_NOT)
    return ip in _V6 and not ip.scope_id and not any(ip in network for network in _V6_NOT)


def _ask(target: Target, wish: Wish, until: Deadline, resolve: Resolve) -> Fetched | str:
    """What came from there, or where it sends us on."""
    addresses = resolve(target.host, target.port, until.left())
    if not addresses:
        raise NotFetched("unreachable")
    if not target.trusted and not all(is_public(each.ip) for each in addresses):
        raise AddressRefused()
    line = _connected(target, addresses, until)
    try:
        return _answer(_reply(line, target, wish), wish)
    finally:
        line.close()


def _connected(target: Target, addresses: Collection[Address], until: Deadline) -> Line:
    """To the first of them that takes the call."""
    secure = ssl.create_default_context() if target.scheme == "https" else None
    trouble: OSError = ConnectionError("no address")
    for address in addresses:
        try:
            return Line.to(address, until, secure, target.host)
        except TimeoutError:
            raise
        except OSError as error:
            trouble = error
    raise trouble


def _reply(line: Line, target: Target, wish: Wish) -> http.client.HTTPResponse:
    usual = target.port == (HTTPS if target.scheme == "https" else http.client.HTTP_PORT)
    host = f"[{target.host}]" if ":" in target.host else target.host
    said = {
        "Host": host if usual else f"{host}:{target.port}",
        "User-Agent": AGENT,
        "Accept": ", ".join(wish.accept),
        "Accept-Encoding": "identity",
        "Connection": "close",
        **({"If-None-Match": wish.etag} if wish.etag else {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    line.send(f"GET {target.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    reply = http.client.HTTPResponse(line, method="GET")  # type: ignore[arg-type]  # all it asks of a socket is `makefile`
    reply.begin()
    return reply


def _answer(reply: http.client.HTTPResponse, wish: Wish) -> Fetched | str:
    if reply.status in REDIRECTS and (onward := reply.headers.get("Location")):
        return onward
    if reply.status == http.client.NOT_MODIFIED and wish.etag:
        return Fetched(etag=wish.etag, unchanged=True)
    if reply.status != http.client.OK:
        raise NotFetched("bad_status")
    if reply.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NotFetched("encoded")
    if reply.headers.get_content_type() not in wish.accept:
        raise NotFetched("bad_type")
    return Fetched(_body(reply, wish.most_bytes), _etag(reply.headers.get("ETag", "")))


def _body(reply: http.client.HTTPResponse, most: int) -> bytes:
    """Never more than `most` and one piece in memory."""
    held = bytearray()
    while piece := reply.read(CHUNK):
        held += piece
        if len(held) > most:
            raise NotFetched("too_large")
    if reply.length:  # it was cut short
        raise NotFetched("unreachable")
    return bytes(held)


def _etag(said: str) -> str:
    """Sent back as it came, so only when it is fit to be a header of ours."""
    return said if len(said) <= 200 and said.isascii() and said.isprintable() else ""
