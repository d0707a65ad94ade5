from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assets.errors import EnvironmentProblem
from orchestration import services as service_list
from orchestration import supervisor
from orchestration.environment import Environment
from orchestration.home import Home, open_home
from orchestration.status import of as status_of
from resources.operational_store import connection, embedded
from tests.orchestration.conftest import Omniflow

pytestmark = pytest.mark.slow


def until(holds: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return False


def test_a_home_comes_up_heals_what_is_killed_is_copied_and_goes_down(
    omniflow: Omniflow, open_folder: Path
) -> None:
    # One long story: each start costs seconds, and the chapters need the same running home.
    home = open_folder / "home"

    def status() -> dict[str, Any]:
        # In this process: the command line's start would be most of the test's time.
        return status_of(open_home(Environment(home))).as_json()

    def pids() -> dict[str, int]:
        return {entry["name"]: entry["pid"] for entry in status()["services"]}

    started = omniflow("up", "--json")
    assert started.returncode == 0, started.stderr
    assert {entry["state"] for entry in json.loads(started.stdout)["services"]} == {"healthy"}
    assert status()["inbox"] == {"pending": 0, "oldest_pending_seconds": 0, "waiting": 0}
    before = pids()
    assert omniflow("up").returncode == 0
    assert pids() == before

    # Whatever is killed comes back, the database too.
    os.kill(before["webserver"], signal.SIGKILL)
    os.kill(int((home / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert until(lambda: pids()["webserver"] not in {before["webserver"], None})
    assert until(lambda: bool(status()["healthy"]))
    assert json.loads(omniflow("status", "--json").stdout)["healthy"] is True

    # A copy is taken while it runs, and brought back elsewhere.
    (home / "lake" / "order_placed").mkdir()
    (home / "lake" / "order_placed" / "part.parquet").write_bytes(b"rows")
    store = open_home(Environment(home)).database_url
    with connection.connect(store) as database:
        database.execute("create table keepsake as select generate_series(1, 1000) as number")
        told = "select pg_snapshot_xmin(pg_current_snapshot())::text::numeric"
        rows = connection.rows(database, told)
        assert rows is not None
        transaction = rows[0][0]
    copy = open_folder / "copy.tar"
    assert omniflow("backup", str(copy)).returncode == 0
    assert copy.stat().st_mode & 0o777 == 0o600

    # The supervisor's own death leaves nothing that `down` does not find.
    os.kill(status()["supervisor_pid"], signal.SIGKILL)
    stopped = json.loads(omniflow("down", "--json").stdout)["stopped"]
    assert {"daemon", "database", "webserver"} <= set(stopped)
    assert json.loads(omniflow("down", "--json").stdout) == {"stopped": []}
    assert omniflow("status").returncode == 1

    damaged = open_folder / "damaged.tar"
    content = bytearray(copy.read_bytes())
    content[content.index(b"rows")] ^= 1
    damaged.write_bytes(content)
    other = open_folder / "other"
    refused = omniflow("restore", str(damaged), home=other)
    assert refused.returncode == 1
    assert "is damaged: lake/order_placed/part.parquet" in refused.stderr
    restored = omniflow("restore", str(copy), home=other)
    assert restored.returncode == 0, restored.stderr
    assert (other / "lake" / "order_placed" / "part.parquet").read_bytes() == b"rows"
    for name in ("home.json", "secrets/sources.json"):
        assert (other / name).read_text() == (home / name).read_text()
    again = omniflow("restore", str(copy), home=other)
    assert "not empty" in again.stderr

    from orchestration.supervisor import start_database

    opened = open_home(Environment(other))
    start_database(opened)
    with connection.connect(opened.database_url) as database:
        assert connection.rows(database, "select count(*) from keepsake") == [(1000,)]
        later = connection.rows(database, told)
        assert later is not None
        assert later[0][0] > transaction


def test_an_up_that_fails_leaves_no_database_running_that_it_started(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise EnvironmentProblem("the disk is full")

    home = open_home(Environment(open_folder / "home"))
    monkeypatch.setattr(supervisor, "prepare_dagster", full_disk)
    try:
        with pytest.raises(EnvironmentProblem, match="the disk is full"):
            supervisor.up(home)
        assert not embedded.is_running(home.postgres)
        with pytest.raises(EnvironmentProblem, match="the disk"), supervisor.running_database(home):
            full_disk()
        assert not embedded.is_running(home.postgres)

        # What ran before belongs to whoever started it.
        with supervisor.running_database(home):
            pass
        with pytest.raises(EnvironmentProblem, match="the disk is full"):
            supervisor.up(home)
        with pytest.raises(EnvironmentProblem, match="the disk"), supervisor.running_database(home):
            full_disk()
        assert embedded.is_running(home.postgres)
    finally:
        supervisor.down(home)


def test_a_replay_that_fails_leaves_no_database_running(
    omniflow: Omniflow, open_folder: Path
) -> None:
    (open_folder / "empty.csv").touch()
    failed = omniflow("replay", str(open_folder / "empty.csv"), "--layout", "uci_online_retail")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert json.loads(omniflow("down", "--json").stdout) == {"stopped": []}


def test_a_port_that_was_asked_for_and_is_taken_is_one_clear_line(omniflow: Omniflow) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = str(door.getsockname()[1])
        result = omniflow("up", OMNIFLOW_WEBSERVER_PORT=port)
    assert result.returncode == 1
    assert result.stderr.startswith(f"omniflow: port {port} is taken")
    assert result.stderr.count("\n") == 1


# The supervisor is meant to outlive the command, which here is this very process.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*Popen.__del__")
def test_a_port_that_a_stranger_takes_between_choice_and_start_is_given_up_for_another(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_home(Environment(open_folder / "home"))
    launch = supervisor._launch
    lost: list[int] = []
    with socket.socket() as stranger:

        def launch_too_late(home: Home) -> None:
            if not lost:
                lost.append(home.port("gateway"))
                stranger.bind(("127.0.0.1", lost[0]))
                stranger.listen()
            launch(home)

        monkeypatch.setattr(supervisor, "_launch", launch_too_late)
        try:
            supervisor.up(home)
            assert home.port("gateway") != lost[0]
            assert {entry.state for entry in service_list.health(home)} == {"healthy"}
        finally:
            supervisor.down(home)


def test_a_database_that_cannot_be_reached_is_one_clear_line(omniflow: Omniflow) -> None:
    url = "postgresql://anna:s3cret@127.0.0.1:1/retail"
    result = omniflow("backup", "/nowhere/copy.tar", OMNIFLOW_DATABASE_URL=url)
    assert result.stderr == "omniflow: there is no home here to back up\n"
    result = omniflow("status", "--json", OMNIFLOW_DATABASE_URL=url)
    assert result.returncode == 1
    result = omniflow("up", OMNIFLOW_DATABASE_URL=url)
    assert result.returncode == 1
    assert "cannot be reached" in result.stderr
    assert "s3cret" not in result.stderr
    assert result.stderr.count("\n") == 1
