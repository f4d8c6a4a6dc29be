"""The privacy officer's log over many entries: pages by id, every filter by an index or within bounds, each look on record."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from audit.ledger import SYSTEM, Act, Actor, record, unit, uuid7
from audit.ledger.ids import first_id_at
from audit.ledger.models import Entry
from audit.ledger.status import MOST_COUNTED
from audit.review import selectors
from audit.review.errors import LookTooWide
from audit.review.selectors import Wanted
from audit.review.selectors.ledger import PAGE, WIDEST, matching
from telehealth.accounts.access import Role
from tests.audit.seeding import Seeded, seeded
from tests.people import Browser, MakeAccount, Person

ClientFor = Callable[[Person], Browser]
OFFICER = Actor(id=uuid7(), role=Role.PRIVACY_OFFICER)
MONTHS, COUNT = 6, 100_000
LOG = "/admin/audit/entry/"


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Seeded]:
    """A hundred thousand entries over the six months before last month, for all tests of this file."""
    with django_db_blocker.unblock():
        last_month = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        with seeded(COUNT, months=MONTHS, until=last_month) as made:
            yield made


@pytest.fixture
def officer(many: Seeded, transactional_db: None) -> Iterator[Actor]:
    with unit(OFFICER, channel="admin"):
        yield OFFICER


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def analysed(wanted: Wanted, by: Actor, **place: UUID) -> list[dict[str, Any]]:
    """What PostgreSQL did for one page."""
    found = matching(by, wanted)
    found = found.filter(id__lt=place["before"]) if place else found
    sql, parameters = found[: PAGE + 1].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        (plan,) = cursor.fetchone()
    tree = plan if isinstance(plan, list) else json.loads(plan)
    return list(nodes(tree[0]["Plan"]))


def rows_touched(plan: list[dict[str, Any]]) -> int:
    """Rows of the log that were looked at, kept or not."""
    scans = [node for node in plan if node.get("Relation Name", "").startswith("audit_entry")]
    return int(sum(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) for node in scans))


def partitions_read(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for node in plan if node.get("Relation Name", "").startswith("audit_entry") and node["Actual Loops"]}


def questions(many: Seeded) -> dict[str, Wanted]:
    day = datetime.fromtimestamp((many.first.int >> 80) / 1000, UTC) + timedelta(days=70)
    return {
        "nothing": Wanted(),
        "patient": Wanted(patient=many.records[0]),
        "stranger": Wanted(patient=uuid7()),
        "actor": Wanted(actor=many.actors[0]),
        "usual act": Wanted(act="record.opened"),
        "unusual act": Wanted(act="note.signed"),
        "act that nobody did": Wanted(act="role.changed"),
        "usual purpose": Wanted(purpose="TREAT"),
        "unusual purpose": Wanted(purpose="HPAYMT"),
        "purpose that nobody had": Wanted(purpose="ETREAT"),
        "usual outcome": Wanted(outcome="ok"),
        "refused": Wanted(outcome="refused"),
        "failed": Wanted(outcome="failed"),
        "time": Wanted(since=day, until=day + timedelta(days=1)),
        "patient and actor": Wanted(patient=many.records[0], actor=many.actors[0]),
        "patient and time": Wanted(patient=many.records[0], since=day, until=day + timedelta(days=20)),
        "patient and channel": Wanted(patient=many.records[0], channel="WS"),
    }


def test_every_filter_is_answered_by_an_index_and_reads_little(officer: Actor, many: Seeded) -> None:
    read: dict[str, int] = {}
    for name, wanted in questions(many).items():
        plan = analysed(wanted, officer)
        seq = [n["Relation Name"] for n in plan if n["Node Type"] == "Seq Scan" and n["Actual Loops"] and n["Actual Rows"] > PAGE]
        assert not seq, name
        assert not any(node["Node Type"] in {"Sort", "Incremental Sort"} and node["Actual Rows"] > 3_000 for node in plan), name
        read[name] = rows_touched(plan)
    assert max(read.values()) <= 5_000, read


def test_a_time_leaves_only_its_months(officer: Actor, many: Seeded) -> None:
    month = Wanted(since=questions(many)["time"].since, until=questions(many)["time"].until, outcome="ok")
    assert len(partitions_read(analysed(month, officer))) == 1
    with CaptureQueriesContext(connection) as statements:
        selectors.entries(officer, month)
    assert first_id_at(month.since or datetime.min).hex[:8] in statements.captured_queries[-2]["sql"].replace("-", "")


def test_a_page_in_the_middle_costs_what_the_first_one_costs(officer: Actor, many: Seeded) -> None:
    middle = UUID(int=(many.first.int + many.last.int) // 2)
    for name in ("nothing", "usual act", "usual purpose", "refused", "patient"):
        assert rows_touched(analysed(questions(many)[name], officer, before=middle)) <= 3_000, name


def test_paging_there_and_back_shows_each_entry_once(officer: Actor, many: Seeded) -> None:
    wanted = Wanted(actor=many.actors[1])
    everything = list(Entry.objects.filter(actor_id=many.actors[1]).order_by("-id").values_list("id", flat=True))
    page, seen, pages = selectors.entries(officer, wanted), [], []
    while True:
        pages.append(page)
        seen += [entry.pk for entry in page.entries]
        if page.older is None:
            break
        page = selectors.entries(officer, wanted, before=page.older)
    assert seen == everything
    assert len(pages) == -(-len(everything) // PAGE) > 10
    back = page
    while back.newer:
        back = selectors.entries(officer, wanted, after=back.newer)
        assert len(back.entries) == PAGE
    assert [entry.pk for entry in back.entries] == seen[:PAGE]


@pytest.mark.parametrize("wanted", [Wanted(role="nurse"), Wanted(channel="REST", act="record.opened"), Wanted(request="0" * 32)])
def test_what_has_no_index_is_asked_within_bounds(officer: Actor, many: Seeded, wanted: Wanted) -> None:
    with pytest.raises(LookTooWide):
        selectors.entries(officer, wanted)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    narrow = {name: getattr(wanted, name) for name in wanted.given()} | {"since": start}
    assert Wanted(**narrow, until=start + WIDEST).too_wide is False
    assert Wanted(**narrow, until=start + WIDEST + timedelta(seconds=1)).too_wide is True
    assert Wanted(**narrow).too_wide is True


def test_a_question_that_takes_too_long_is_given_up_and_still_on_record(
    many: Seeded, make_account: MakeAccount, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    officer = make_account(Role.PRIVACY_OFFICER)
    browser = client_for(officer)
    monkeypatch.setattr("audit.review.selectors.ledger.PATIENCE", "1ms")
    monkeypatch.setattr("audit.review.selectors.ledger.named", lambda found: found.extra(select={"actor_name": "pg_sleep(1)::text"}))
    reply = browser.get(LOG, {"act": "record.opened"})
    assert reply.status_code == 200
    assert b"This would read too much of the log" in reply.content
    (look,) = Entry.objects.filter(actor_id=officer.id, act="ledger.read")
    assert json.loads(look.detail) == {"actor": "", "filters": ["act"], "view": "list"}


def test_no_count_and_no_offset(many: Seeded, make_account: MakeAccount, client_for: ClientFor, transactional_db: None) -> None:
    browser = client_for(make_account(Role.PRIVACY_OFFICER))
    paths = [LOG, f"{LOG}?before={many.last}", f"{LOG}?after={many.first}", f"{LOG}patients/{many.records[0]}/"]
    with CaptureQueriesContext(connection) as statements:
        replies = [browser.get(path) for path in [*paths, f"{LOG}accounts/{many.actors[0]}/"]]
    assert [reply.status_code for reply in replies] == [200] * 5
    of_the_log = [each["sql"] for each in statements.captured_queries if "audit_entry" in each["sql"]]
    assert len(of_the_log) > 10
    assert [sql for sql in of_the_log if "OFFSET" in sql] == []
    counting = [sql for sql in of_the_log if "count(" in sql.lower()]
    assert all(f"LIMIT {MOST_COUNTED}" in sql or "LIMIT $" in sql or "LIMIT %s" in sql for sql in counting), counting


def test_timelines_name_days_people_and_records_and_are_looks(
    many: Seeded, make_account: MakeAccount, client_for: ClientFor, transactional_db: None
) -> None:
    officer, nurse, patient = make_account(Role.PRIVACY_OFFICER), make_account(Role.NURSE, name="Nan Nurse"), uuid7()
    with unit(nurse.by, channel="REST") as current:
        current.open(patient, "records.Patient", patient, "family")
        record(nurse.by, Act.PATIENT_SEARCHED)
    browser = client_for(officer)

    of_patient = browser.get(f"{LOG}patients/{patient}/").content.decode()
    of_nurse = browser.get(f"{LOG}accounts/{nurse.id}/").content.decode()

    assert "Nan Nurse" in of_patient and "record.opened" in of_patient and "Patient × 1" in of_patient
    assert "<strong>patient.searched" not in of_patient
    assert "<strong>patient.searched" in of_nurse and str(patient) in of_nurse
    assert len(re.findall(r"<h2>\w+day, ", of_nurse)) == 1
    first, second = Entry.objects.filter(actor_id=officer.id, act="ledger.read").order_by("id")
    assert (first.record_id, json.loads(first.detail)["view"]) == (patient, "patient")
    assert json.loads(second.detail) == {"actor": str(nurse.id), "filters": ["actor"], "view": "actor"}
    assert browser.get(f"{LOG}patients/{patient}/?outcome=refused").content.decode().count("Nothing on record") == 1


def test_links_between_pages_keep_the_filters(
    many: Seeded, make_account: MakeAccount, client_for: ClientFor, transactional_db: None
) -> None:
    browser = client_for(make_account(Role.PRIVACY_OFFICER))
    first = browser.get(LOG, {"purpose": "HPAYMT"}).content.decode()
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert "purpose=HPAYMT" in older
    second = browser.get(LOG + older.replace("&amp;", "&")).content.decode()
    assert "HPAYMT" in second and 'rel="prev"' in second
    shown = [set(re.findall(rf"{LOG}([0-9a-f-]+)/change/", page)) for page in (first, second)]
    assert [len(each) for each in shown] == [PAGE, PAGE] and shown[0].isdisjoint(shown[1])


@pytest.mark.parametrize("path", ["", "patients/{0}/", "accounts/{0}/", "{0}/change/"])
@pytest.mark.parametrize("role", [role for role in Role if role != Role.PRIVACY_OFFICER])
def test_only_the_privacy_officer_looks(db: None, make_account: MakeAccount, client_for: ClientFor, path: str, role: Role) -> None:
    person = make_account(role)
    assert client_for(person).get(LOG + path.format(uuid7())).status_code in {302, 403, 404}
    assert not Entry.objects.filter(actor_id=person.id, act="ledger.read").exists()


def test_a_look_that_cannot_be_put_on_record_shows_nothing(
    make_account: MakeAccount, client_for: ClientFor, transactional_db: None, as_owner: Any
) -> None:
    browser = client_for(make_account(Role.PRIVACY_OFFICER))
    entry = Entry.objects.order_by("-id").first()
    assert entry is not None
    as_owner("CREATE OR REPLACE FUNCTION no_entry() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'")
    as_owner("CREATE TRIGGER no_entry BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_entry()")
    try:
        replies = [browser.get(LOG + path) for path in ("", f"{entry.pk}/change/", f"patients/{uuid7()}/", f"accounts/{uuid7()}/")]
    finally:
        as_owner("DROP TRIGGER no_entry ON audit_entry")
        as_owner("DROP FUNCTION no_entry()")
    assert [reply.status_code for reply in replies] == [503] * 4
    assert not any(str(entry.cid) in reply.content.decode() for reply in replies)


def test_an_ordinary_opening_is_in_none_of_the_unusual_indexes(transactional_db: None, as_owner: Any) -> None:
    conditions = as_owner("SELECT indexdef FROM pg_indexes WHERE tablename = 'audit_entry' AND indexdef LIKE '% WHERE %'")
    unusual = [text for (text,) in conditions if "record_id" not in text and "actor_id" not in text]
    assert len(unusual) == 3
    with unit(SYSTEM, channel="task") as current:
        current.open(uuid7(), "records.Patient", uuid7(), "family")
    for text in unusual:
        where = text.partition(" WHERE ")[2]
        newest = "SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1"
        assert as_owner(f"SELECT count(*) FROM ({newest}) AS newest WHERE {where}") == [(0,)], text
