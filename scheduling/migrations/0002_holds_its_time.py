"""An appointment that stands holds its parties' time: checked when a transaction ends, whatever path wrote.

Without this, an appointment written without Occupancy rows would escape the exclusion constraint. An overbooked one
needs no row of the provider; who and why stand in the appointment (appointment_overbooked_by_whom_and_why).
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION scheduling_check_time_is_held(wanted uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM scheduling_appointment a
        WHERE a.id = wanted AND a.status IN ('booked', 'arrived', 'checked-in') AND NOT (
            EXISTS (
                SELECT FROM scheduling_occupancy o
                WHERE o.appointment_id = a.id AND o.live AND o.party = a.patient_id AND o.during @> tstzrange(a.starts_at, a.ends_at)
            )
            AND (
                a.overbooked_by IS NOT NULL
                OR EXISTS (
                    SELECT FROM scheduling_occupancy o
                    WHERE o.appointment_id = a.id AND o.live AND o.party = a.practitioner_id
                        AND o.during @> tstzrange(a.starts_at, a.ends_at)
                )
            )
        )
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            CONSTRAINT = 'appointment_holds_its_time',
            TABLE = 'scheduling_appointment',
            MESSAGE = 'an appointment stands without holding its parties'' time';
    END IF;
END $$;

CREATE FUNCTION scheduling_appointment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM scheduling_check_time_is_held(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION scheduling_occupancy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM scheduling_check_time_is_held(OLD.appointment_id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER appointment_holds_its_time
    AFTER INSERT OR UPDATE OF id, status, starts_at, ends_at, patient_id, practitioner_id, overbooked_by ON scheduling_appointment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_appointment_changed();

CREATE CONSTRAINT TRIGGER occupancy_is_kept
    AFTER DELETE OR UPDATE OF appointment_id, party, during, live ON scheduling_occupancy
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_occupancy_changed();
"""

BACKWARD = """
DROP TRIGGER occupancy_is_kept ON scheduling_occupancy;
DROP TRIGGER appointment_holds_its_time ON scheduling_appointment;
DROP FUNCTION scheduling_occupancy_changed(), scheduling_appointment_changed(), scheduling_check_time_is_held(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_scheduling")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
