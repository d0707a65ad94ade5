"""What people get wrong, through the real command line: one clear line, or a row in quarantine."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.contracts import events
from tests.flows.replaying import Ended, Replaying, clear_line, ended
from tests.flows.trading_days import one_file
from tests.layouts.made_files import HEADER, row, text, write

pytestmark = pytest.mark.slow

WHEN = "2011-03-21T10:00:00Z"
UCI = ("--layout", "uci_online_retail")
EVENTS = ("--layout", "cloudevents")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="omniflow-home-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def home(folder: Path, postgres_url: str, migrated_template: str) -> Iterator[Replaying]:
    """One home for the whole tour; whatever went wrong before must not disturb what follows."""
    name = f"bad_input_{uuid.uuid4().hex}"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"create database {name} template {migrated_template}")
    url = sa.make_url(postgres_url).set(database=name)
    yield Replaying(folder / "home", url.render_as_string(hide_password=False))
    with server.connect() as connection:
        for database in (name, f"{name}_dagster"):
            connection.exec_driver_sql(f"drop database if exists {database} with (force)")


def replay(home: Replaying, path: Path, *arguments: str) -> Ended:
    return ended(home.omniflow("replay", str(path), "--no-marts", "--json", *arguments))


def reported(done: Ended) -> Any:
    assert (done.returncode, done.stderr) == (0, ""), done
    return json.loads(done.stdout)


def cut_in_half(path: Path) -> Path:
    packed = gzip.compress(text(*[row(invoice=str(number)) for number in range(200)]).encode())
    path.write_bytes(packed[: len(packed) // 2])
    return path


def without_columns(path: Path) -> Path:
    return write(path, row()[:5], header=HEADER.rsplit(",", 3)[0])


def event_file(path: Path, *lines: dict[str, Any] | str) -> Path:
    said = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{line}\n" for line in said))
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("nowhere", *UCI), "nowhere does not exist"),
        ((".", "--layout", "excel"), "there is no layout 'excel'; there are: adventureworks_"),
        ((".", *UCI, "--from", "1.12.2010"), "--from 1.12.2010 is not a day like 2011-01-31"),
        ((".", *UCI, "--from", "2011-02-01", "--to", "2011-01-01"), "--from is after --to"),
        ((".", *UCI, "--quantum", "0d"), "--quantum 0d is not a length of time"),
    ],
)
def test_arguments_that_cannot_be_meant(
    home: Replaying, arguments: tuple[str, ...], reason: str
) -> None:
    done = ended(home.omniflow("replay", *arguments))
    assert done.returncode == 1
    assert reason in clear_line(done)


@pytest.mark.parametrize(
    ("make", "name", "layout", "reason"),
    [
        (empty, "empty.csv", UCI, "empty.csv is empty"),
        (without_columns, "short.csv", UCI, "has no column UnitPrice, CustomerID, Country"),
        (cut_in_half, "cut.csv.gz", UCI, "cut.csv.gz is a gzip that is cut or damaged"),
        (write, "header.csv", UCI, "header.csv has a header and no rows"),
        (lambda path: event_file(path, events.order()), "events.csv", UCI, "is not of the layout"),
        (lambda path: write(path, row()), "rows.jsonl", EVENTS, "is not of the layout cloudevents"),
    ],
)
def test_where_nothing_can_be_used_nothing_is_done(
    home: Replaying, tmp_path: Path, make: Any, name: str, layout: tuple[str, ...], reason: str
) -> None:
    done = replay(home, make(tmp_path / name), *layout)
    assert done.returncode == 1
    assert reason in clear_line(done)
    assert done.stdout == ""


def test_broken_files_are_refused_whole_and_bad_rows_with_their_invoice_and_the_others_go_on(
    home: Replaying, tmp_path: Path
) -> None:
    cut_in_half(tmp_path / "cut.csv.gz")
    without_columns(tmp_path / "short.csv")
    empty(tmp_path / "empty.csv")
    event_file(tmp_path / "events.jsonl", events.order())
    at = {"at": "2011-03-21 09:30:00"}
    write(
        tmp_path / "good.csv",
        row("540001", "22001", 6, "2.55", **at),
        row("540002", "22001", 6, "2.55001", **at),
        row("540003", "22002", 3, "1.25", **at),
        row("540003", "22001", -3, "2.55", **at),
        row("540004", "22002", 2, "1.25", **at),
    )
    report = reported(replay(home, tmp_path, *UCI))
    assert (report["orders"], report["order_lines"], report["quarantined"]) == (2, 2, 2)
    assert report["files_refused"] == {
        "cut.csv.gz": "is a gzip that is cut or damaged",
        "empty.csv": "is empty",
        "events.jsonl": "is not of the layout uci_online_retail: its header has other columns",
        "short.csv": "has no column UnitPrice, CustomerID, Country",
    }
    kept = json.loads(ended(home.omniflow("quarantine", "list", "--json")).stdout)
    decimals, negative = sorted(kept, key=lambda line: line["position"])
    assert (decimals["reason_code"], decimals["position"]) == ("bad_rows", "good.csv:3")
    assert "'2.55001' has more than four decimals" in decimals["reason"]
    assert (negative["reason_code"], negative["position"]) == ("bad_rows", "good.csv:4, good.csv:5")
    assert "it has prices, and goods whose quantity is not positive" in negative["reason"]
    placed = home.rows("select order_number from order_placed order by 1")
    assert placed == [("540001",), ("540004",)]


def test_bad_events_are_kept_with_reason_and_position_and_unknown_goods_wait(
    home: Replaying, tmp_path: Path
) -> None:
    event_file(
        tmp_path / "events.jsonl",
        events.order("E1", [events.line(sku="NEVER-SEEN")], time=WHEN),
        events.order("E2", time=WHEN.removesuffix("Z")),
        events.order("E3", time=WHEN, type="retail.order.wished.v1"),
        events.order("E1", [events.line(sku="NEVER-SEEN", quantity=9)], time=WHEN),
        events.order("E4", [events.line(unit_price="2.55001")], time=WHEN),
        events.order("E5", [events.line(quantity=-1)], time=WHEN),
        '{"specversion": "1.0", "id"',
    )
    report = reported(replay(home, tmp_path, *EVENTS))
    parts = ("applied", "quarantined", "duplicates", "waiting")
    assert report["events_in"] == sum(report[part] for part in parts) == 7
    assert (report["quarantined"], report["waiting"], report["applied"]) == (6, 1, 0)
    kept = json.loads(ended(home.omniflow("quarantine", "list", "--json")).stdout)
    reasons = {
        line["position"]: line["reason_code"]
        for line in kept
        if line["position"].startswith("events.jsonl")
    }
    # Which of two bodies of one id counts is a matter of their content, not of their place.
    conflict = {place for place, code in reasons.items() if code == "id_conflict"}
    assert conflict in ({"events.jsonl:1"}, {"events.jsonl:4"})
    assert {place: code for place, code in reasons.items() if place not in conflict} == {
        "events.jsonl:2": "time_without_zone",
        "events.jsonl:3": "unknown_type",
        "events.jsonl:5": "money_precision",
        "events.jsonl:6": "negative_quantity",
        "events.jsonl:7": "malformed_json",
    }
    assert all(line["reason"] for line in kept)
    waiting = json.loads(ended(home.omniflow("waiting", "list", "--json")).stdout)
    assert [
        (line["waiting_reason"], line["release_condition"], line["business_key"])
        for line in waiting
        if line["source"] == events.WEB
    ] == [("unknown_sku", "sku:NEVER-SEEN", "E1")]
    again = reported(replay(home, tmp_path, *EVENTS))
    assert (again["applied"], again["waiting"], again["duplicates"]) == (0, 0, 1)
    assert len(json.loads(ended(home.omniflow("quarantine", "list", "--json")).stdout)) == len(kept)


def test_a_port_that_was_asked_for_and_is_taken(home: Replaying, tmp_path: Path) -> None:
    event_file(tmp_path / "events.jsonl", events.order("P1", time=WHEN))
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        asking = Replaying(home.home, home.database_url, {"OMNIFLOW_SANDBOX_PORT": str(port)})
        done = replay(asking, tmp_path, *EVENTS)
    assert done.returncode == 1
    assert f"port {port} is taken (OMNIFLOW_SANDBOX_PORT asks for it)" in clear_line(done)
    assert home.rows("select 1 from event_identity where event_id = 'order-P1'") == []


def test_a_second_replay_of_a_home_at_once(home: Replaying, tmp_path: Path) -> None:
    event_file(tmp_path / "events.jsonl", events.order("S1", time=WHEN))
    with (home.home / "run" / "replay.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = replay(home, tmp_path, *EVENTS)
    assert done.returncode == 1
    assert clear_line(done) == "another replay or demo is running in this home"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://omniflow:secret@127.0.0.1:1/shop", "cannot be reached"),
        ("mysql://localhost/shop", "must look like postgresql://"),
        ("postgresql://localhost:5432", "names no database"),
    ],
)
def test_a_database_that_is_away(folder: Path, tmp_path: Path, url: str, reason: str) -> None:
    event_file(tmp_path / "events.jsonl", events.order("D1", time=WHEN))
    done = replay(Replaying(folder / "elsewhere", url), tmp_path, *EVENTS)
    assert done.returncode == 1
    assert reason in clear_line(done)
    assert "secret" not in done.stderr


def test_a_home_of_a_newer_version(folder: Path, tmp_path: Path) -> None:
    newer = folder / "newer"
    newer.mkdir()
    (newer / "home.json").write_text('{"format": 99}')
    event_file(tmp_path / "events.jsonl", events.order("N1", time=WHEN))
    done = replay(Replaying(newer), tmp_path, *EVENTS)
    assert done.returncode == 1
    assert "made by a newer omniflow (format 99" in clear_line(done)
    assert [path.name for path in newer.iterdir()] == ["home.json"]


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    mount = folder / "small_disk"
    mount.mkdir()
    command = ["/bin/mount", "-t", "tmpfs", "-o", "size=320m,mode=755", "tmpfs", str(mount)]
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to fill")
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        yield mount
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(mount)], check=True)


def test_a_disk_that_is_full_stops_a_replay_and_room_lets_it_go_on(
    small_disk: Path, tmp_path: Path
) -> None:
    days = one_file(tmp_path / "days")
    replaying = Replaying(small_disk / "home")
    ballast = small_disk / "ballast"
    try:
        first = event_file(tmp_path / "first.jsonl", events.order("F1", time=WHEN))
        assert reported(replay(replaying, first, *EVENTS))["waiting"] == 1
        with ballast.open("wb") as file:
            file.truncate(0)
            free = shutil.disk_usage(small_disk).free
            os.posix_fallocate(file.fileno(), 0, free - 200_000)
        full = replay(replaying, days, *UCI)
        assert full.returncode == 1
        said = clear_line(full)
        assert "full" in said or "cannot be reached" in said
        ballast.unlink()
        report = reported(replay(replaying, days, *UCI))
        assert replaying.rows("select count(*) from order_placed") == [(report["orders"],)]
        assert report["orders"] > 100
        unapplied = "select count(*) from event_inbox where status = 'pending'"
        assert replaying.rows(unapplied) == [(0,)]
    finally:
        replaying.down()


def test_a_file_that_cannot_be_opened_is_refused_and_the_others_go_on(
    home: Replaying, tmp_path: Path
) -> None:
    event_file(tmp_path / "open.jsonl", events.order("R1", time=WHEN))
    closed = tmp_path / "closed.jsonl"
    if os.geteuid() == 0:
        # Root may read everything that is there.
        closed.symlink_to(tmp_path / "gone.jsonl")
        reason = "cannot be read: No such file or directory"
    else:
        event_file(closed, events.order("R2", time=WHEN)).chmod(0)
        reason = "cannot be read: Permission denied"
    report = reported(replay(home, tmp_path, *EVENTS))
    assert report["files_refused"] == {"closed.jsonl": reason}
    assert (report["events_in"], report["waiting"]) == (1, 1)
    (tmp_path / "open.jsonl").unlink()
    only = replay(home, tmp_path, *EVENTS)
    assert only.returncode == 1
    assert f"closed.jsonl {reason}" in clear_line(only)
