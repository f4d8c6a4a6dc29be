from django.db import migrations
from django.db.models import Q
from django.utils import timezone


def mark(apps, schema_editor):
    """Who acts for a minor now bears the mark: without it these grants would show nothing from here on."""
    User, ProxyGrant = apps.get_model("accounts", "User"), apps.get_model("records", "ProxyGrant")
    using = schema_editor.connection.alias
    lasts = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    accounts = ProxyGrant.objects.using(using).filter(lasts, of_minor=True).values("proxy")
    User.objects.using(using).filter(pk__in=accounts).update(guards_minors=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_guards_minors"), ("records", "0011_license_exceptions")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
