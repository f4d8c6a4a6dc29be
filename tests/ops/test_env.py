"""Settings come from NAME or from the file NAME_FILE; a mistake is one clear line and no start."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config import home as homes


def test_a_value_or_the_file_that_holds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("TV_THING_FILE", str(tmp_path / "secret"))
    assert env.text("TV_THING") == "from the file"

    monkeypatch.setenv("TV_THING", "from the value")
    assert env.text("TV_THING") == "from the value"


def test_what_is_required_and_absent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="TV_THING_FILE"):
        env.text("TV_THING")

    monkeypatch.setenv("TV_THING", "")
    with pytest.raises(ImproperlyConfigured, match="TV_THING"):
        env.text("TV_THING")
    assert env.text("TV_THING", "other") == "other"


def test_a_file_that_cannot_be_read_is_named_and_its_contents_are_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe secret")
    for path in (tmp_path / "absent", tmp_path, tmp_path / "binary"):
        monkeypatch.setenv("TV_THING_FILE", str(path))
        with pytest.raises(ImproperlyConfigured, match="TV_THING_FILE") as refused:
            env.text("TV_THING")
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("value", "verdict"), [("1", True), ("true", True), ("YES", True), ("0", False), ("", False), ("off", False)])
def test_flags(monkeypatch: pytest.MonkeyPatch, value: str, verdict: bool) -> None:
    monkeypatch.setenv("TV_FLAG", value)
    assert env.flag("TV_FLAG") is verdict


def test_a_flag_or_number_that_is_neither_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TV_THING", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="1 or 0"):
        env.flag("TV_THING")
    with pytest.raises(ImproperlyConfigured, match="whole number"):
        env.number("TV_THING", 3)


def test_the_homes_file_fills_only_what_is_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written = tmp_path / "telehealth.env"
    written.write_text("# made by make run\nTV_A=file\nTV_B_FILE=/file\nTV_C=a=b c\nTV_D=file\n")
    monkeypatch.setenv("TV_A", "given")
    monkeypatch.setenv("TV_B", "given")
    monkeypatch.setenv("TV_D", "")  # given as nothing: stays nothing
    monkeypatch.delenv("TV_C", raising=False)

    filled = env.load(written)

    assert filled == {"TV_C"}
    assert env.text("TV_C") == "a=b c"
    assert env.text("TV_B") == "given"
    monkeypatch.delenv("TV_C")


@pytest.mark.parametrize(
    ("url", "host", "name", "user", "password"),
    [
        ("postgresql://ann:p%40ss%2F@db.example:6432/clinic", "db.example", "clinic", "ann", "p@ss/"),
        ("postgres:///clinic?host=/a%20b/s&user=ann", "/a b/s", "clinic", "ann", ""),
        ("postgresql://ann@%2Frun%2Fpg/clinic", "/run/pg", "clinic", "ann", ""),
        ("postgresql://ann@[::1]/clinic", "::1", "clinic", "ann", ""),
    ],
)
def test_database_addresses(url: str, host: str, name: str, user: str, password: str) -> None:
    entry = homes.parse_database(url)
    assert (entry["HOST"], entry["NAME"], entry["USER"], entry["PASSWORD"]) == (host, name, user, password)


@pytest.mark.parametrize(
    "url", ["mysql://h/clinic", "postgresql://h:port/clinic", "postgresql://ann:secret@h", "postgresql://h/c?sslmod=x"]
)
def test_a_wrong_database_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refused:
        homes.parse_database(url)
    assert "secret" not in str(refused.value)


def test_tls_options_reach_the_driver() -> None:
    entry = homes.parse_database("postgresql://h/c?sslmode=verify-full&sslrootcert=/ca.pem")
    assert entry["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}
