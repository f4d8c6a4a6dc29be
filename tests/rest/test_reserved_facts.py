"""What an error tells besides its code never takes the place of what every problem has."""

from telehealth.core.errors import Conflict
from telehealth.rest.problems import answer


class Odd(Conflict):
    code = "odd"


def test_facts_of_an_error_do_not_shadow_the_problem() -> None:
    reply = answer(Odd(reply={"status": "booked", "code": "mine", "title": "t", "seats": 2}), {})

    assert reply.status_code == 409
    assert reply.data["status"] == 409
    assert reply.data["code"] == "odd"
    assert reply.data["seats"] == 2
