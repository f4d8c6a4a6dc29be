"""What is signed stays, whatever path writes (contract C9): the runtime role can neither change it nor drop the triggers.

Re-keying a record writes every sealed column anew and so is the owner's work, with these triggers disabled in its
transaction; `prescribing.content.faults` tells afterwards whether all of it still is what was signed.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION prescription_stays_as_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NULL THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a signed prescription stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.id, NEW.patient_id, NEW.prescriber_id, NEW.visit_id, NEW.medication_id, NEW.pharmacy_id, NEW.number,
        NEW.quantity, NEW.days_supply, NEW.refills, NEW.substitution, NEW.sig, NEW.note, NEW.created_at,
        NEW.signed_at, NEW.content, NEW.digest, NEW.signature, NEW.key_id)
       IS DISTINCT FROM
       (OLD.id, OLD.patient_id, OLD.prescriber_id, OLD.visit_id, OLD.medication_id, OLD.pharmacy_id, OLD.number,
        OLD.quantity, OLD.days_supply, OLD.refills, OLD.substitution, OLD.sig, OLD.note, OLD.created_at,
        OLD.signed_at, OLD.content, OLD.digest, OLD.signature, OLD.key_id) THEN
        RAISE EXCEPTION 'a signed prescription stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prescription_stays_as_signed BEFORE UPDATE OR DELETE ON prescribing_prescription
    FOR EACH ROW EXECUTE FUNCTION prescription_stays_as_signed();

CREATE FUNCTION script_message_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND
       (NEW.id, NEW.prescription_id, NEW.patient_id, NEW.direction, NEW.partner, NEW.kind, NEW.message_id, NEW.relates_to,
        NEW.body, NEW.digest, NEW.at)
       IS NOT DISTINCT FROM
       (OLD.id, OLD.prescription_id, OLD.patient_id, OLD.direction, OLD.partner, OLD.kind, OLD.message_id, OLD.relates_to,
        OLD.body, OLD.digest, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a message stays as it left or came' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER script_message_stays BEFORE UPDATE OR DELETE ON prescribing_scriptmessage
    FOR EACH ROW EXECUTE FUNCTION script_message_stays();
"""
BACKWARD = """
DROP TRIGGER script_message_stays ON prescribing_scriptmessage;
DROP FUNCTION script_message_stays();
DROP TRIGGER prescription_stays_as_signed ON prescribing_prescription;
DROP FUNCTION prescription_stays_as_signed();
"""


class Migration(migrations.Migration):
    dependencies = [("prescribing", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
