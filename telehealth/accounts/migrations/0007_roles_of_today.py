from django.db import migrations
from django.db.models import Q
from django.utils import timezone

PATIENT_SIDE = Q(role__in=["patient", "proxy"])


def grant_what_stands(apps, schema_editor):
    """Everybody of the staff keeps their role, by the operator; an invitation that nobody else approved is closed."""
    User, RoleGrant, Invitation = (apps.get_model("accounts", name) for name in ("User", "RoleGrant", "Invitation"))
    using, moment = schema_editor.connection.alias, timezone.now()
    for user in User.objects.using(using).filter(~PATIENT_SIDE, is_active=True).only("pk", "role"):
        RoleGrant.objects.using(using).create(account_id=user.pk, role=user.role, code="operator", approved_at=moment, starts_at=moment)
    waiting = Invitation.objects.using(using).filter(~PATIENT_SIDE, account=None, accepted_at=None, expires_at__gt=moment)
    waiting.update(expires_at=moment)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_role_grants")]

    operations = [migrations.RunPython(grant_what_stands, migrations.RunPython.noop)]
