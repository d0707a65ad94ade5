from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.errors import EnvironmentProblem
from orchestration.environment import Environment
from orchestration.home import FORMAT, Home, migrated, open_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(Environment(home=tmp_path / "home"))


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        yield int(door.getsockname()[1])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_made_once_and_recognised_afterwards(home: Home) -> None:
    again = open_home(home.environment)
    assert again.describe() == home.describe()
    assert home.describe()["format"] == FORMAT


def test_a_newer_home_is_refused_and_left_as_it_was(home: Home) -> None:
    path = home.path / "home.json"
    path.write_text(json.dumps({"format": FORMAT + 1}))
    home.lake.rmdir()
    with pytest.raises(EnvironmentProblem, match="newer omniflow"):
        open_home(home.environment)
    assert json.loads(path.read_text()) == {"format": FORMAT + 1}
    assert not home.lake.exists()


def test_an_older_home_is_brought_forward_step_by_step(tmp_path: Path) -> None:
    steps = {1: lambda found: {**found, "name": "old"}, 2: lambda found: {**found, "age": 2}}
    assert migrated({"format": 1}, tmp_path, steps, target=3) == {
        "format": 3,
        "name": "old",
        "age": 2,
    }


def test_a_damaged_home_says_so(home: Home) -> None:
    (home.path / "home.json").write_text("{")
    with pytest.raises(EnvironmentProblem, match=r"home\.json is damaged"):
        open_home(home.environment)


def test_each_source_has_two_keys_that_only_the_owner_can_read(home: Home) -> None:
    first = home.source_keys(["shop", "pos"])
    assert first["shop"].current != first["shop"].previous
    assert first["shop"].current != first["pos"].current
    assert home.source_keys(["shop", "wms"])["shop"] == first["shop"]
    assert mode(home.secrets) == 0o700
    assert mode(home.secrets / "sources.json") == 0o600


def test_a_default_port_that_is_taken_is_moved_and_remembered(
    home: Home, monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    monkeypatch.setattr(
        "orchestration.home.DEFAULT_PORTS", {"gateway": taken_port, "webserver": 3010}
    )
    monkeypatch.setattr("orchestration.home.HIGHEST_PORT", taken_port + 100)
    chosen = home.claim_ports(["gateway"])["gateway"]
    assert chosen > taken_port
    assert [str(moved) for moved in home.moved_ports.values()] == [
        f"port {taken_port} is taken by another program: the gateway listens on {chosen}"
    ]
    assert home.port("gateway") == chosen
    again = Home(home.path, home.environment)
    assert again.claim_ports(["gateway"])["gateway"] == chosen
    assert again.moved_ports == {}


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(home: Home, taken_port: int) -> None:
    asking = Home(home.path, Environment(home.path, requested_ports={"gateway": taken_port}))
    with pytest.raises(EnvironmentProblem, match=rf"port {taken_port} is taken"):
        asking.claim_ports(["gateway"])


def test_dagster_keeps_its_history_in_a_database_of_its_own(tmp_path: Path) -> None:
    own = Home(tmp_path, Environment(tmp_path))
    assert own.dagster_database_url.startswith("postgresql+psycopg2://postgres@/dagster?host=")
    managed = Home(tmp_path, Environment(tmp_path, "postgresql+psycopg://a:b@db:5432/retail"))
    assert managed.dagster_database_url == "postgresql+psycopg2://a:b@db:5432/retail_dagster"
