"""A signed note may be sealed anew, by the owner alone, when its record gets another key: what was signed stays."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION consults_note_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF public.vault_owner_reseals(TG_RELID, OLD.patient_id, to_jsonb(OLD), to_jsonb(NEW), 'body') THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a signed note does not change' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'note_signed_stands';
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION consults_note_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'a signed note does not change' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'note_signed_stands';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("consults", "0002_signed_notes"), ("vault", "0003_keys_in_versions")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
