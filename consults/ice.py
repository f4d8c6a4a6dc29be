"""ICE servers: what the operator configured and nothing else. TURN credentials by the REST scheme, made for one join."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from django.conf import settings

from consults.protocol.outgoing import IceServer
from telehealth.core import now
from telehealth.vault import integrations

LIFE_SECONDS = 2 * 60 * 60


def ice_servers() -> list[IceServer]:
    """For one participant and one join; empty when the operator configured none: there is no public default."""
    servers = [IceServer(list(settings.STUN_URLS))] if settings.STUN_URLS else []
    if settings.TURN_URLS and settings.TURN_SECRET:
        expires = int(now().timestamp()) + LIFE_SECONDS
        servers.append(turn_server(settings.TURN_URLS, integrations.reveal(settings.TURN_SECRET), expires, secrets.token_hex(8)))
    return servers


def turn_server(urls: Sequence[str], secret: str, expires: int, opaque: str) -> IceServer:
    """draft-uberti-behave-turn-rest: username `expiry:user`, password base64(HMAC-SHA1(secret, username)).

    `opaque` is random, so that a TURN server's log tells nothing about people or visits.
    """
    username = f"{expires}:{opaque}"
    mac = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return IceServer(list(urls), username, base64.b64encode(mac).decode())
