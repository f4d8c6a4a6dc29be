"""The home: keys are made once, for us alone, and never quietly replaced."""

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import home as homes
from config import keys
from config.embedded import place
from config.embedded.process import ServiceError


@pytest.fixture
def home(tmp_path: Path) -> homes.Home:
    made = homes.Home(tmp_path / "home")
    homes.make(made)
    return made


def test_keys_are_private_and_stay(home: homes.Home) -> None:
    paths = homes.make_keys(home)
    before = {path: Path(path).read_bytes() for path in paths.values()}

    homes.make_keys(home)

    assert {path: Path(path).read_bytes() for path in paths.values()} == before
    assert len(set(before.values())) == len(before)
    for path in before:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", sorted(homes.IRREPLACEABLE))
def test_a_lost_key_that_data_depends_on_is_not_replaced(home: homes.Home, name: str) -> None:
    homes.make_keys(home)
    lost = home.keys / homes.KEYS[name][0]
    lost.unlink()
    home.demo.write_text("{}")

    with pytest.raises(ImproperlyConfigured, match=lost.name):
        homes.make_keys(home)
    assert not lost.exists()


def test_one_run_at_a_time(home: homes.Home) -> None:
    with homes.held(home), pytest.raises(homes.HomeInUse, match=r"another run uses .*home"), homes.held(home):
        pass
    with homes.held(home):
        pass


def test_a_long_path_gets_short_sockets_in_a_private_directory(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    sockets = place.socket_directory(deep, None)
    try:
        assert len(str(sockets / place.LONGEST_SOCKET)) <= place.SOCKET_PATH_LIMIT
        assert sockets == place.socket_directory(deep, None)
        assert not sockets.parent.stat().st_mode & 0o066
    finally:
        sockets.rmdir()


def test_a_socket_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s").chmod(0o777)
    if len(str(tmp_path / place.LONGEST_SOCKET)) > 90:
        pytest.fail("the temporary directory is too deep for this test")
    with pytest.raises(ServiceError, match="not a private directory"):
        place.socket_directory(tmp_path, None)


def test_keys_of_a_production_are_made_by_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys.main(str(tmp_path / "etc"))
    first = capsys.readouterr().out
    keys.main(str(tmp_path / "etc"))

    assert capsys.readouterr().out == first
    settings = dict(line.split("=", 1) for line in first.splitlines())
    assert {f"{name}_FILE" for name in homes.IRREPLACEABLE | {"SECRET_KEY"}} <= settings.keys()
    assert all(stat.S_IMODE(Path(path).stat().st_mode) == 0o600 for path in settings.values())
