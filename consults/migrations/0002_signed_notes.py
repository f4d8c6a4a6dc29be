"""A signed note never changes (contract C9): whoever writes, as whatever role, by whatever path."""

from django.db import migrations

MAKE = """
CREATE FUNCTION consults_note_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'a signed note does not change' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'note_signed_stands';
END $$;
CREATE TRIGGER note_signed_stands BEFORE UPDATE OR DELETE ON consults_note
  FOR EACH ROW WHEN (OLD.status = 'signed') EXECUTE FUNCTION consults_note_stands();
"""
DROP = """
DROP TRIGGER note_signed_stands ON consults_note;
DROP FUNCTION consults_note_stands();
"""


class Migration(migrations.Migration):
    dependencies = [("consults", "0001_visits")]

    operations = [migrations.RunSQL(MAKE, DROP)]
