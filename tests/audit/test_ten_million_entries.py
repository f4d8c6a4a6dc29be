"""The privacy officer's log over ten million sealed entries, through its own pages: what PostgreSQL does for each of them.

No time is asserted, for it is the machine's; the plans are. `SCALE=5` makes it a hundred thousand entries. Times are printed.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from audit.ledger import SYSTEM, Act, record, unit, uuid7
from audit.ledger.models import Checkpoint
from audit.ledger.sealing import Sealer
from audit.review.selectors.ledger import PAGE
from telehealth.accounts.access import Role
from tests.audit.conftest import seal_all
from tests.audit.seeding import Seeded, seeded
from tests.audit.test_ledger_pages import LOG, nodes
from tests.people import Browser, MakeAccount, Person

pytestmark = pytest.mark.storm
COUNT, MONTHS = 10 ** int(os.environ.get("SCALE", "7")), 12
GIVEN_UP = "This would read too much of the log"
SMALL = 1_000  # rows of a table that is as well read as a whole: this month's holds the looks alone
LITTLE = max(20_000, COUNT // 100)  # rows of the log that one page may touch: an eighth of a month, where two filters meet rarely
OURS = re.compile(r"audit_(entry|leaf|checkpoint)")
Ask = Callable[[str, dict[str, str]], "Page"]


@dataclass
class Page:
    """A page of the log: its text, how long it took, and what was touched of the log's tables for it."""

    text: str
    seconds: float
    touched: int = 0
    heaviest: str = ""  # the statement that touched most of that, and its plan
    most: int = 0
    scanned: list[str] = field(default_factory=list)  # tables read from end to end
    partitions: set[str] = field(default_factory=set)

    @property
    def entries(self) -> list[str]:
        return list(dict.fromkeys(re.findall(rf"{LOG}([0-9a-f-]+)/change/", self.text)))

    def link(self, rel: str) -> dict[str, str]:
        """Where the next or the previous page is; nothing where there is none."""
        found = re.findall(rf'rel="{rel}" href="\?([^"]+)"', self.text)
        return dict(parse_qsl(unescape(found[0]))) if found else {}


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A year of a busy clinic, sealed."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as here:
        here.setattr(settings, "AUDIT_CHECKPOINTS", tmp_path_factory.mktemp("log") / "checkpoints")
        sealer = Sealer()
        seal_all(sealer)
        last_month = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        with seeded(COUNT, months=MONTHS, until=last_month, sealer=sealer, records=[uuid7() for _ in range(COUNT // 10_000)]) as made:
            with unit(SYSTEM, channel="command"):
                record(SYSTEM, Act.OBJECT_ACCESSED, reason="test")
            seal_all(sealer)  # as after a restart: looks at them all once, and from then on only at what is new
            yield made


@pytest.fixture
def ask(many: Seeded, transactional_db: None, make_account: MakeAccount, client_for: Callable[[Person], Browser]) -> Ask:
    browser = client_for(make_account(Role.PRIVACY_OFFICER))

    def look(path: str, given: dict[str, str]) -> Page:
        with CaptureQueriesContext(connection) as statements:
            began = time.perf_counter()
            reply = browser.get(LOG + path, given)
            page = Page(reply.content.decode(), time.perf_counter() - began)
        assert reply.status_code == 200
        for each in statements.captured_queries:
            if OURS.search(each["sql"]) and each["sql"].split(None, 1)[0] in ("SELECT", "WITH"):
                _measure(page, each["sql"])
        return page

    return look


def _measure(page: Page, sql: str) -> None:
    """Ask PostgreSQL what it does for the statement that the page sent."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
        (told,) = cursor.fetchone()
    plan = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
    touched = 0
    for node in nodes(plan):
        table = node.get("Relation Name", "")
        if not OURS.match(table) or not node["Actual Loops"]:
            continue
        rows = int(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        touched += rows
        page.partitions |= {table} if table.startswith("audit_entry") and rows else set()
        if node["Node Type"] == "Seq Scan" and rows > SMALL:
            page.scanned.append(table)
    page.touched += touched
    if touched > page.most:
        page.most, page.heaviest = touched, f"{sql}\n{json.dumps(plan)}"


def day(many: Seeded, number: int) -> str:
    at = datetime.fromtimestamp((many.first.int >> 80) / 1000, UTC) + timedelta(days=number)
    return f"{at:%Y-%m-%dT%H:%M}"


def questions(many: Seeded) -> dict[str, dict[str, str]]:
    """Every filter, with usual values, unusual ones and such as nobody ever had; and filters together."""
    patient, actor = {"patient": str(many.records[0])}, {"actor": str(many.actors[0])}
    one_day, month = {"since": day(many, 70), "until": day(many, 71)}, {"since": day(many, 70), "until": day(many, 100)}
    return {
        "no filter": {},
        "patient": patient,
        "patient nobody knows": {"patient": str(uuid7())},
        "actor": actor,
        "actor nobody knows": {"actor": str(uuid7())},
        "usual act": {"act": "record.opened"},
        "unusual act": {"act": "note.signed"},
        "act nobody did": {"act": "role.changed"},
        "usual purpose": {"purpose": "TREAT"},
        "unusual purpose": {"purpose": "HPAYMT"},
        "purpose nobody had": {"purpose": "ETREAT"},
        "usual outcome": {"outcome": "ok"},
        "refused": {"outcome": "refused"},
        "failed": {"outcome": "failed"},
        "a day": one_day,
        "a month": month,
        "from a day on": {"since": day(many, 70)},
        "until a day": {"until": day(many, 70)},
        "patient and actor": patient | actor,
        "patient and act": patient | {"act": "record.opened"},
        "patient and month": patient | month,
        "actor and unusual act": actor | {"act": "note.signed"},
        "actor and day": actor | one_day,
        "act and purpose": {"act": "note.signed", "purpose": "HPAYMT"},
        "act and outcome": {"act": "refused", "outcome": "refused"},
        "act, purpose and day": {"act": "note.signed", "purpose": "HPAYMT"} | one_day,
    }


def wrong(name: str, page: Page) -> list[str]:
    """What is wrong with the plans of a page; its figures are printed."""
    shown = f"{page.touched:9,} rows of {len(page.partitions):2} months, {len(page.entries):3} shown"
    print(f"{name:35} {page.seconds * 1000:8.1f} ms {shown}")  # noqa: T201
    found = [f"{name}: {table} is read from end to end" for table in page.scanned]
    if page.touched > LITTLE:
        found.append(f"{name}: {page.touched:,} rows\n{page.heaviest}")
    return [*found, f"{name}: given up"] if GIVEN_UP in page.text else found


def test_every_filter_first_next_and_last_page(ask: Ask, many: Seeded) -> None:
    found = []
    for name, given in questions(many).items():
        first = ask("", given)
        found += wrong(name, first)
        if older := first.link("next"):
            second = ask("", older)
            found += wrong(f"{name}, next", second)
            assert len(second.entries) == PAGE or not second.link("next"), name
            assert not set(first.entries) & set(second.entries), name
            back = ask("", second.link("prev"))
            found += wrong(f"{name}, back", back)
            assert back.entries == first.entries, name
        last = ask("", given | {"after": str(UUID(int=many.first.int - 1))})
        found += wrong(f"{name}, last", last)
        assert bool(last.entries) == bool(first.entries), name
        middle = ask("", given | {"before": str(UUID(int=(many.first.int + many.last.int) // 2))})
        found += wrong(f"{name}, middle", middle)
    assert found == []


def test_times_leave_their_months_alone(ask: Ask, many: Seeded) -> None:
    page = ask("", {"since": day(many, 70), "until": day(many, 71), "outcome": "ok"})
    assert wrong("outcome and day", page) == []
    assert len(page.entries) == PAGE
    assert len({name for name in page.partitions if name != f"audit_entry_{datetime.now(UTC):%Y_%m}"}) == 1


@pytest.mark.parametrize("kind", ["patients", "accounts"])
def test_timelines(ask: Ask, many: Seeded, kind: str) -> None:
    subject = many.records[1] if kind == "patients" else many.actors[1]
    first = ask(f"{kind}/{subject}/", {})
    assert wrong(f"timeline of {kind}", first) == []
    assert len(first.entries) == PAGE
    second = ask(f"{kind}/{subject}/", first.link("next"))
    assert wrong(f"timeline of {kind}, next", second) == []
    assert len(second.entries) == PAGE and not set(first.entries) & set(second.entries)
    assert wrong(f"timeline of {kind}, last", ask(f"{kind}/{subject}/", {"after": str(UUID(int=many.first.int - 1))})) == []
    assert wrong(f"timeline of {kind}, of a month", ask(f"{kind}/{subject}/", {"since": day(many, 70), "until": day(many, 100)})) == []


def test_one_entry_and_the_panel_of_the_chain(ask: Ask, many: Seeded) -> None:
    assert wrong("one entry", ask(f"{many.first}/change/", {})) == []
    newest = Checkpoint.objects.latest("tree_size")
    assert newest.tree_size > COUNT
    panel = ask("", {"patient": str(uuid7())})  # nothing but the panel
    assert wrong("panel of the chain", panel) == []
    assert str(newest.tree_size) in panel.text.replace(",", "") and bytes(newest.root).hex()[:16] in panel.text


def test_what_has_no_index_stays_within_its_bounds(ask: Ask, many: Seeded) -> None:
    """Role, channel and request are looked for within a patient, an account or 31 days: what that touches is what these have."""
    patient, actor = {"patient": str(many.records[0])}, {"actor": str(many.actors[0])}
    month = {"since": day(many, 70), "until": day(many, 100)}
    of_patient, of_actor = COUNT * 12 // 17 // len(many.records) * 2, COUNT // len(many.actors) * 2
    for name, given, most in (
        ("patient and role", patient | {"role": "nurse"}, of_patient),
        ("patient and request", patient | {"request": "0" * 32}, of_patient),
        ("actor and channel", actor | {"channel": "WS"}, of_actor),
        ("actor and request", actor | {"request": "0" * 32}, of_actor),
        ("month and role", month | {"role": "nurse"}, COUNT // 6),
        ("month and request", month | {"request": "0" * 32}, COUNT // 6),
    ):
        page = ask("", given)
        given_up = GIVEN_UP in page.text
        found = "given up" if given_up else f"{len(page.entries):3} shown"
        print(f"{name:35} {page.seconds * 1000:8.1f} ms {page.touched:9,} rows, {found}")  # noqa: T201
        assert page.touched <= most + LITTLE or given_up, (name, page.touched)
