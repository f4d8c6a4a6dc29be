"""Sessions begin, and end: one, all others, or everything that an account was ever given."""

from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts import live, selectors
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken, Session, User
from telehealth.accounts.services.apps import revoke_apps
from telehealth.core import now, one


@transaction.atomic
def open_session(*, account_id: UUID, by: Actor, device: str = "", network: str = "", application: Application | None = None) -> Session:
    """The row that stands for a browser's session, or for what an app was given."""
    kind = Session.Kind.APP if application else Session.Kind.BROWSER
    opened = Session.objects.create(account_id=account_id, kind=kind, application=application, device=device, network=network)
    record(by, Act.SESSION_BEGUN, opened, detail={"kind": str(kind)})
    return opened


@transaction.atomic
def end_session(*, session_id: UUID, by: Actor) -> None:
    """Sign out there: a session or app of one's own, Missing for anybody else's. It ends at once, its sockets too."""
    _end(one(selectors.sessions_of(by).select_for_update(of=("self",)), session_id), "ended_elsewhere", by)
    live.tell(by.account)


@transaction.atomic
def end_other_sessions(*, by: Actor) -> int:
    """Sign out everywhere but here; how many there were."""
    here = selectors.session_id(by)
    others = [each for each in selectors.sessions_of(by).select_for_update(of=("self",)) if each.pk != here]
    for each in others:
        _end(each, "ended_elsewhere", by)
    live.tell(by.account)
    return len(others)


@transaction.atomic
def end_app_session(*, session_id: UUID, reason: str, by: Actor) -> None:
    """What an app was given by one consent is over: it said so itself, or a copy of its code or token turned up."""
    session = Session.objects.select_for_update(no_key=True).filter(pk=session_id, ended_at=None).first()
    if session is not None:
        _end(session, reason, by)
        live.tell(session.account_id)


@transaction.atomic
def close_everything(*, account_id: UUID, reason: str, by: Actor) -> User:
    """Everything that this account was given stops counting: browser sessions, codes and tokens of apps, open sockets.

    The next request of each is refused; a socket closes as soon as it is told, within seconds if it is not.
    """
    user = one(User.objects.select_for_update(), account_id)
    user.epoch += 1
    user.save(update_fields=["epoch"])
    for each in Session.objects.select_for_update().filter(account=user, ended_at=None):
        _end(each, reason, by)
    revoke_apps(user_id=user.pk, by=by)
    live.tell(user.pk)
    return user


def _end(session: Session, reason: str, by: Actor) -> None:
    session.ended_at, session.reason = now(), reason
    session.save(update_fields=["ended_at", "reason"])
    for model in (RefreshToken, AccessToken):
        model.objects.filter(session=session).delete()
    if session.application_id is not None:  # a code that waits to be traded would begin it anew
        Grant.objects.filter(user_id=session.account_id, application=session.application_id).delete()
    record(by, Act.SESSION_ENDED, session, reason=reason)
