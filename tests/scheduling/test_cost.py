"""What a booking costs, in statements: what limits how many there can be."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger import Act
from scheduling import services
from scheduling.errors import SlotTaken
from tests.people import Acts, Browser, ClientFor, body
from tests.records.tokens import token_for
from tests.scheduling.conftest import Clinic

MOST = 12
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")  # a transaction's frame; in tests the outermost is a savepoint too


def with_token(clinic: Clinic) -> Browser:
    browser = Browser()
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(clinic.pia.by)}")
    return browser


@pytest.mark.parametrize("by_token", [False, True])
def test_a_booking_through_rest_takes_few_statements(clinic: Clinic, client_for: ClientFor, *, by_token: bool) -> None:
    app = with_token(clinic) if by_token else client_for(clinic.pia)
    asked = {"patient": str(clinic.pia_record.pk), "practitioner": str(clinic.dr_cho.pk), "visit_type": "video-10", "reason": "Cough"}
    for n in range(2):  # the first warms what is kept for good
        with CaptureQueriesContext(connection) as seen:
            reply = app.post("/api/v1/appointments/", asked | {"starts_at": clinic.start(10 * n).isoformat()})
        assert reply.status_code == 201, body(reply)
    statements = [each["sql"] for each in seen if not each["sql"].startswith(FRAME)]
    assert len(statements) <= MOST, "\n".join(statement[:200] for statement in statements)


def test_what_is_refused_leaves_no_act_behind_and_the_next_booking_all_of_its_own(clinic: Clinic, acts: Acts) -> None:
    services.book(**clinic.wish())
    with pytest.raises(SlotTaken):
        services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    services.book(**clinic.wish(10))
    assert acts() == [Act.APPOINTMENT_BOOKED, Act.CARE_BEGUN] * 2
