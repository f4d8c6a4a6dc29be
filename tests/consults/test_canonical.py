import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consults.canonical import Canonical, canonical, digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=4),
    max_leaves=10,
)


def shuffled(value: Canonical) -> Canonical:
    if isinstance(value, dict):
        return {key: shuffled(part) for key, part in reversed(value.items())}
    return [shuffled(part) for part in value] if isinstance(value, list) else value


@given(VALUES)
@settings(max_examples=100)
def test_the_order_of_keys_does_not_matter(value: Canonical) -> None:
    assert canonical(value) == canonical(shuffled(value))


def test_the_form_is_the_one_of_rfc_8785() -> None:
    value: Canonical = {"plan": 'rest\n"two" days €/', "b": [True, None, 10], "a": {}}
    assert canonical(value) == '{"a":{},"b":[true,null,10],"plan":"rest\\n\\"two\\" days €/"}'.encode()


@pytest.mark.parametrize("value", [1.5, 2**53, {"é": 1}, {1: 2}, b"x", ("a",), {"a": {"b": 0.0}}])
def test_values_others_could_write_differently_are_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical(value)  # type: ignore[arg-type]


@given(VALUES, VALUES)
@settings(max_examples=100)
def test_another_value_has_another_digest(one: Canonical, other: Canonical) -> None:
    assert (digest(canonical(one)) == digest(canonical(other))) == (canonical(one) == canonical(other))
