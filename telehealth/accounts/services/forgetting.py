"""What goes with a record that is destroyed."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F, Q

from audit.ledger import Act, Actor, record
from telehealth.accounts.models import AccessToken, Grant, IDToken, Invitation, Mailbox, RefreshToken, Session, User
from telehealth.accounts.services.people import forget_factors
from telehealth.vault import destroying


def forget_account(*, account_id: UUID | None, patient_id: UUID, using: str, by: Actor) -> None:
    """The person's account loses address, password, factors, apps and sessions; its row stays, for history names it.
    Every invitation to the record goes."""
    with transaction.atomic(using=using):
        Invitation.objects.using(using).filter(Q(patient=patient_id) | Q(account=account_id, account__isnull=False)).delete()
        if account_id is None:
            return
        for model in (Grant, RefreshToken, AccessToken, IDToken):
            model.objects.using(using).filter(user_id=account_id).delete()
        forget_factors(account_id, using)
        Mailbox.objects.using(using).filter(user_id=account_id).delete()
        Session.objects.using(using).filter(account=account_id).delete()  # where they were is theirs too
        destroying.erase(User, "id", account_id, using)
        User.objects.using(using).filter(pk=account_id).update(is_active=False, password=make_password(None), epoch=F("epoch") + 1)
        record(by, Act.ACCOUNT_FORGOTTEN, User(pk=account_id), using=using)
