"""What 0002 checks, for appointments that are held (pending), and for those of a group visit.

A held appointment holds its parties' time like a booked one. The provider's time of a group visit is held by the group
visit; it may not be called off under appointments that stand, nor may more stand than there are places.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION scheduling_check_time_is_held(wanted uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM scheduling_appointment a
        WHERE a.id = wanted AND a.status IN ('pending', 'booked', 'arrived', 'checked-in') AND NOT (
            EXISTS (
                SELECT FROM scheduling_occupancy o
                WHERE o.appointment_id = a.id AND o.live AND o.party = a.patient_id AND o.during @> tstzrange(a.starts_at, a.ends_at)
            )
            AND (
                a.overbooked_by IS NOT NULL
                OR EXISTS (
                    SELECT FROM scheduling_occupancy o
                    WHERE (o.appointment_id = a.id OR o.group_visit_id = a.group_visit_id) AND o.live AND o.party = a.practitioner_id
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

CREATE FUNCTION scheduling_check_places(wanted uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM scheduling_groupvisit g
        WHERE g.id = wanted AND (
            SELECT count(*) FROM scheduling_appointment a
            WHERE a.group_visit_id = g.id AND a.status IN ('pending', 'booked', 'arrived', 'checked-in')
        ) > CASE WHEN g.is_cancelled THEN 0 ELSE g.capacity END
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            CONSTRAINT = 'group_visit_has_places',
            TABLE = 'scheduling_groupvisit',
            MESSAGE = 'more appointments stand in a group visit than it has places';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION scheduling_appointment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM scheduling_check_time_is_held(NEW.id);
    IF NEW.group_visit_id IS NOT NULL THEN
        PERFORM scheduling_check_places(NEW.group_visit_id);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION scheduling_occupancy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.appointment_id IS NOT NULL THEN
        PERFORM scheduling_check_time_is_held(OLD.appointment_id);
    ELSE
        PERFORM scheduling_check_time_is_held(a.id) FROM scheduling_appointment a WHERE a.group_visit_id = OLD.group_visit_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION scheduling_group_visit_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM scheduling_check_places(NEW.id);
    RETURN NULL;
END $$;

DROP TRIGGER appointment_holds_its_time ON scheduling_appointment;
CREATE CONSTRAINT TRIGGER appointment_holds_its_time
    AFTER INSERT OR UPDATE OF id, status, starts_at, ends_at, patient_id, practitioner_id, overbooked_by, group_visit_id
    ON scheduling_appointment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_appointment_changed();

DROP TRIGGER occupancy_is_kept ON scheduling_occupancy;
CREATE CONSTRAINT TRIGGER occupancy_is_kept
    AFTER DELETE OR UPDATE OF appointment_id, group_visit_id, party, during, live ON scheduling_occupancy
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_occupancy_changed();

CREATE CONSTRAINT TRIGGER group_visit_has_places
    AFTER UPDATE OF id, capacity, is_cancelled ON scheduling_groupvisit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_group_visit_changed();
"""


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0003_parties")]

    # One way: an older version knows no group visits, and would take their appointments for ones that hold nothing.
    operations = [migrations.RunSQL(FORWARD)]
