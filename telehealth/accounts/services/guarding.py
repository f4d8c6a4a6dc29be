"""The mark of accounts that act for a minor: it spares everybody else the question who has come of age."""

from uuid import UUID

from django.db import transaction

from telehealth.accounts.models import User


@transaction.atomic
def mark_guardian(*, account_id: UUID) -> None:
    """From its next request on this account's grants of minors count. Nothing changes for one that is marked.

    Goes with the grant, in one transaction: a grant without the mark would show nothing. Never taken back: a mark too
    many costs a statement and shows nothing either.
    """
    for user in User.objects.filter(pk=account_id, guards_minors=False):
        user.guards_minors = True
        user.save(update_fields=["guards_minors"])
