"""An invitation of the staff, once it may leave."""

from django.conf import settings
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record
from telehealth.accounts.models import Invitation
from telehealth.accounts.models.people import INVITATION_LIFE
from telehealth.core import now


def close(invitation: Invitation) -> None:
    """It waits for an approval: whoever had its link could do nothing with it."""
    invitation.expires_at = now()
    invitation.save(update_fields=["expires_at"])


def send(invitation: Invitation, by: Actor) -> None:
    """Good from now on, for seven days and one use; the message leaves with the transaction."""
    invitation.expires_at = now() + INVITATION_LIFE
    invitation.save(update_fields=["expires_at"])
    import_string(settings.NOTIFY)(person_id=invitation.pk, kind="invitation", about_id=invitation.pk)
    record(by, Act.STAFF_INVITED, invitation, detail={"role": str(invitation.role)})
