from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from assets.errors import EnvironmentProblem
from resources.operational_store import embedded


def query(url: str, statement: str) -> object:
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's user may enter even when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="omniflow test ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_home_with_a_space_and_a_very_long_path_gets_a_database(open_folder: Path) -> None:
    data_dir = open_folder / ("deep, deeper and deepest " * 6).strip() / "postgres"
    data_dir.parent.mkdir()
    try:
        url = embedded.start(data_dir)
        assert embedded.start(data_dir) == url
        assert query(url, "select current_setting('fsync')") == "on"
        assert query(url, "select current_setting('synchronous_commit')") == "on"
        assert query(url, "select current_setting('shared_buffers')") == "256MB"
        assert query(url, "select current_setting('listen_addresses')") == ""
        assert embedded.is_running(data_dir)
    finally:
        assert embedded.stop(data_dir)
    assert not embedded.is_running(data_dir)
    assert not embedded.stop(data_dir)


def test_a_killed_server_comes_back_with_everything_that_was_committed(open_folder: Path) -> None:
    data_dir = open_folder / "postgres"
    try:
        url = embedded.start(data_dir)
        query(url, "create table promise (sku text); insert into promise values ('MUG')")
        os.kill(int((data_dir / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        url = embedded.start(data_dir)
        assert query(url, "select sku from promise") == "MUG"
    finally:
        embedded.stop(data_dir)


def test_a_process_that_inherited_the_servers_number_is_not_taken_for_it(open_folder: Path) -> None:
    data_dir = open_folder / "postgres"
    try:
        embedded.start(data_dir)
        embedded.stop(data_dir)
        pid_file = data_dir / "postmaster.pid"
        pid_file.write_text(f"{os.getpid()}\n{data_dir}\n1\n5432\n\n\n\nready\n")
        assert not embedded.is_running(data_dir)
        embedded.start(data_dir)
        assert embedded.is_running(data_dir)
    finally:
        embedded.stop(data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to switch to another user")
def test_as_root_a_home_in_a_closed_folder_works_and_the_folder_stays_closed(
    open_folder: Path,
) -> None:
    closed = open_folder / "root"
    closed.mkdir(mode=0o700)
    data_dir = closed / "home" / "postgres"
    try:
        url = embedded.start(data_dir)
    except EnvironmentProblem:
        pytest.skip("this machine lets nobody pass")
    try:
        assert query(url, "select 1") == 1
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        embedded.stop(data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to switch to another user")
def test_as_root_a_folder_that_cannot_be_passed_is_named(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no setpriv
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EnvironmentProblem, match=r"may not enter .*closed"):
        embedded.start(closed / "home" / "postgres")


def test_a_folder_with_other_things_in_it_is_left_alone(open_folder: Path) -> None:
    (open_folder / "postgres").mkdir()
    (open_folder / "postgres" / "letters.txt").write_text("dear")
    with pytest.raises(EnvironmentProblem, match="neither empty nor a PostgreSQL"):
        embedded.start(open_folder / "postgres")
    assert (open_folder / "postgres" / "letters.txt").read_text() == "dear"


def test_a_test_has_a_database_of_its_own(database_url: str) -> None:
    assert query(database_url, "select current_database()") != "postgres"
