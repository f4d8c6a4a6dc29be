import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telehealth.records.errors import MalformedBundle, NotATransaction, TooDeep
from telehealth.records.importing.stream import DEEPEST, Guarded, check_kind, entries
from tests.records.bundles import bundle, patient, stream

NESTED = st.recursive(
    st.text(alphabet='ab"\\[]{}', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='a"\\{', max_size=3), inner, max_size=3),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NESTED, st.integers(1, 7))
def test_the_guard_counts_levels_whatever_the_strings_hold_and_wherever_the_chunks_end(value: Any, size: int) -> None:
    deepest = 0

    class Watching(Guarded):
        def _count(self, brackets: bytes) -> None:
            nonlocal deepest
            for bracket in brackets:
                super()._count(bytes([bracket]))
                deepest = max(deepest, self.depth)

    guard = Watching(stream(value))
    while guard.read(size):
        pass
    assert (deepest, guard.depth) == (depth(value), 0)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", MalformedBundle),
        (b"{", MalformedBundle),
        (b"\xff\xfe", MalformedBundle),
        (b'{"a": NaN}', MalformedBundle),
        (b'{"resourceType":"Bundle","type":"transaction"} {}', MalformedBundle),
        (b'{"n": ' + b"9" * 5000 + b"}", MalformedBundle),
        (b'{"n": 1e99999999999999999999}', MalformedBundle),
        (b"[" * 3_000_000, TooDeep),
        (b'{"a":' * 100_000, TooDeep),
        (b"[]", NotATransaction),
        (b'"Bundle"', NotATransaction),
        (b'{"resourceType":"Patient"}', NotATransaction),
        (b'{"resourceType":"Bundle","type":"batch","entry":[]}', NotATransaction),
        (b'{"resourceType":["Bundle"],"type":"transaction"}', NotATransaction),
    ],
)
def test_what_is_no_bundle_is_refused_before_it_costs_anything(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_kind(stream(content))


@pytest.mark.parametrize(
    "wrong",
    [None, 1, "x", [], {}, {"resource": None}, {"resource": []}, {"resource": {}}, {"resource": {"resourceType": 1}},
     {"fullUrl": 1, "resource": {"resourceType": "Patient"}}, {"fullUrl": "a\nb", "resource": {"resourceType": "Patient"}}],
)  # fmt: skip
def test_an_entry_of_the_wrong_shape_is_malformed(wrong: Any) -> None:
    with pytest.raises(MalformedBundle):
        list(entries(stream(bundle(patient(), wrong))))


def test_a_name_that_is_no_text_is_malformed() -> None:
    with pytest.raises(MalformedBundle):
        list(entries(stream(b'{"entry": [{"\\ud800": 1}]}')))


def test_a_document_as_deep_as_allowed_passes_and_one_level_more_does_not() -> None:
    def nested(levels: int) -> bytes:
        return json.dumps(bundle(patient(), extra=0)).replace('"extra": 0', '"extra": ' + "[" * levels + "]" * levels).encode()

    check_kind(stream(nested(DEEPEST - 1)))
    with pytest.raises(TooDeep):
        check_kind(stream(nested(DEEPEST)))


def test_no_error_repeats_what_it_read() -> None:
    with pytest.raises(MalformedBundle) as caught:
        check_kind(stream(b'{"name": "Canary-Vera" oops'))
    assert "Canary" not in repr(caught.value) and caught.value.__suppress_context__
