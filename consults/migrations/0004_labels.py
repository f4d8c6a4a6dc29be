"""Notes carry labels of sensitive categories. Destroying a record empties them too, by the same door as the sealed text."""

import django.contrib.postgres.fields
from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE FUNCTION consults_note_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF public.vault_owner_reseals(TG_RELID, OLD.patient_id, to_jsonb(OLD), to_jsonb(NEW), 'body') THEN RETURN NEW; END IF;
    IF NEW.labels = '{}' AND public.vault_owner_reseals(TG_RELID, OLD.patient_id, to_jsonb(OLD), to_jsonb(NEW), 'body', 'labels') THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'a signed note does not change' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'note_signed_stands';
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION consults_note_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF public.vault_owner_reseals(TG_RELID, OLD.patient_id, to_jsonb(OLD), to_jsonb(NEW), 'body') THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a signed note does not change' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'note_signed_stands';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("consults", "0003_sealed_anew")]

    operations = [
        migrations.AddField(
            model_name="note",
            name="labels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16), db_default=[], default=list, size=None
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
