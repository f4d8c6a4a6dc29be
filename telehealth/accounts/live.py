"""Whether what was given out still counts, and how those who hold a socket open learn that it does not.

One truth, the database: an account's switch and epoch, and the row of the session. HTTP asks it with every request,
sockets when they are told to (`tell`, after the commit) and every few seconds besides, should the telling be lost.
"""

from datetime import datetime, timedelta
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import constant_time_compare

from audit.ledger import Actor
from telehealth.accounts.models import AccessToken, RefreshToken, Session, User
from telehealth.core import now

SESSION = "session_id"  # in the browser session's data: the row that stands for it
SEEN_STEP = timedelta(seconds=30)  # how often being seen is written down
CHECK = "door.check"  # what the layer says to sockets: ours, never a client's


def session_in(kept: SessionBase) -> Session | None:
    """The open session that a browser's cookie leads to, with its account; one statement. None once anything of it ended."""
    known = kept.get(SESSION)
    if not known:
        return None
    found = Session.objects.select_related("account").filter(pk=known, ended_at=None, account__is_active=True).first()
    if found is None or not found.account.is_here or kept.get(SESSION_KEY) != str(found.account_id):
        return None
    return found if _same_proof(kept.get(HASH_SESSION_KEY, ""), found.account) else None


def _same_proof(held: str, account: User) -> bool:
    good = [account.get_session_auth_hash(), *account.get_session_auth_fallback_hash()]
    return any(constant_time_compare(held, each) for each in good)


def stands(by: Actor, epoch: int) -> bool:
    """Whether what this actor's socket was opened with still counts: the account as it was, the session not ended and,
    for an app, not all of its tokens taken away. That its access token has expired meanwhile ends nothing."""
    if by.id is None:
        return False
    if not by.session:
        return User.objects.filter(_here(), pk=by.id, epoch=epoch).exists()
    mine = Q(account=by.id, account__epoch=epoch, ended_at=None) & _here("account__")
    return with_tokens().filter(mine, pk=UUID(by.session)).exists()


def _here(path: str = "") -> Q:
    """`User.is_here`, asked of the database."""
    in_time = Q(**{f"{path}role_until": None}) | Q(**{f"{path}role_until__gt": now()})
    return Q(**{f"{path}is_active": True}) & in_time


def with_tokens() -> "QuerySet[Session]":
    """Sessions that hold something: browsers', and those of apps with a token left."""
    access = AccessToken.objects.filter(session=OuterRef("pk"))
    refresh = RefreshToken.objects.filter(session=OuterRef("pk"), revoked=None)
    return Session.objects.filter(Q(kind=Session.Kind.BROWSER) | Exists(access) | Exists(refresh))


def note_seen(session: Session, at: datetime) -> None:
    """Write down that it is in use, twice a minute at most."""
    if at - session.seen_at > SEEN_STEP:
        Session.objects.filter(pk=session.pk, ended_at=None).update(seen_at=at)


def group_of(account_id: UUID) -> str:
    """The layer's group of all sockets of one account."""
    return f"account.{account_id.hex}"


def tell(account_id: UUID) -> None:
    """Once this is committed, every socket of the account looks whether it still stands."""
    transaction.on_commit(lambda: _tell(account_id), robust=True)


def _tell(account_id: UUID) -> None:
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(group_of(account_id), {"type": CHECK})
