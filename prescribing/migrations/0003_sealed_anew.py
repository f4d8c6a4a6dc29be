"""Signed prescriptions and messages may be sealed anew, by the owner alone, when their record gets another key.

What the signature covers stays: `prescribing.content.faults` tells afterwards. A message's digest goes when its record
is destroyed, for it would confirm a guess at what was said.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("prescribing.migrations.0002_signed_stays").FORWARD


def door(function: str, sealed: str) -> str:
    """The trigger's function as it was, with the owner's door before its first check."""
    start = BEFORE.index(f"CREATE FUNCTION {function}()")
    whole = BEFORE[start : BEFORE.index("END $$;", start) + len("END $$;")]
    opening = f"""BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF public.vault_owner_reseals(TG_RELID, OLD.patient_id, to_jsonb(OLD), to_jsonb(NEW), {sealed}) THEN RETURN NEW; END IF;
    END IF;"""
    return whole.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace("BEGIN", opening, 1)


def as_before(function: str) -> str:
    start = BEFORE.index(f"CREATE FUNCTION {function}()")
    return BEFORE[start : BEFORE.index("END $$;", start) + len("END $$;")].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


PRESCRIPTION, MESSAGE = "prescription_stays_as_signed", "script_message_stays"


class Migration(migrations.Migration):
    dependencies = [("prescribing", "0002_signed_stays"), ("vault", "0003_keys_in_versions")]

    operations = [
        migrations.RunSQL(door(PRESCRIPTION, "'sig', 'note', 'content'"), as_before(PRESCRIPTION)),
        migrations.RunSQL(door(MESSAGE, "'body', 'digest'"), as_before(MESSAGE)),
    ]
