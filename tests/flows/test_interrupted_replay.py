"""kill -9 in the middle, other files, other batches: the business that is left is the same.

What may differ is left out by `table_digests`: wall clocks, sequence and transaction numbers,
attempts, and five tables that tell how the machine got there (its reasons stand beside each).
"""

from __future__ import annotations

import json
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.flows.replaying import Counts, Replaying, clear_line, ended, kill
from tests.flows.trading_days import one_file, otherwise

pytestmark = pytest.mark.slow
#: Small batches, so that there is much to be interrupted between.
BATCHES = ("--batch-size", "10")


@dataclass(frozen=True)
class Undisturbed:
    """A replay that nobody disturbed."""

    files: Path
    replaying: Replaying
    digests: dict[str, str]
    counts: Counts
    report: dict[str, int]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="omniflow-home-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def new_home(
    folder: Path, postgres_url: str, migrated_template: str
) -> Iterator[Callable[[], Replaying]]:
    """Homes with a database each on the tests' server: making a server for each costs seconds."""
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    made: list[str] = []

    def new() -> Replaying:
        name = f"replay_{uuid.uuid4().hex}"
        with server.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template {migrated_template}")
        made.append(name)
        url = sa.make_url(postgres_url).set(database=name)
        return Replaying(folder / name, url.render_as_string(hide_password=False))

    yield new
    with server.connect() as connection:
        for name in made:
            for database in (name, f"{name}_dagster"):
                connection.exec_driver_sql(f"drop database if exists {database} with (force)")


@pytest.fixture(scope="module")
def undisturbed(folder: Path, new_home: Callable[[], Replaying]) -> Undisturbed:
    files = one_file(folder / "files")
    replaying = new_home()
    done = replaying.replay(files)
    assert done.returncode == 0, done
    counts = replaying.counts()
    assert counts is not None
    report = json.loads(done.stdout)
    return Undisturbed(files, replaying, replaying.digests(), counts, report)


@pytest.fixture
def own_server(folder: Path) -> Iterator[Replaying]:
    replaying = Replaying(folder / f"server_{uuid.uuid4().hex}")
    yield replaying
    replaying.down()


def test_the_days_have_something_of_everything(undisturbed: Undisturbed) -> None:
    report = undisturbed.report
    parts = ("applied", "quarantined", "duplicates", "waiting")
    assert report["events_in"] == sum(report[part] for part in parts)
    assert report["orders"] == undisturbed.counts.handled > 100
    assert report["commands_delivered"] == undisturbed.counts.delivered > 500
    empty = {table for table, digest in undisturbed.digests.items() if digest.startswith("0:")}
    assert not empty & {
        "event_inbox", "order_state", "order_charge", "reservation_movement", "stock_movement",
        "shipment_delivered", "payment_movement", "journal_line", "command_outbox",
        "process_event", "decision_record", "channel_availability", "exception_case",
    }  # fmt: skip


def test_a_replay_that_is_killed_again_and_again_ends_where_the_undisturbed_one_did(
    undisturbed: Undisturbed, new_home: Callable[[], Replaying]
) -> None:
    whole = undisturbed.counts
    chance = random.Random(1)
    admitted, handled, delivered = sorted(chance.uniform(0.05, 0.95) for _ in range(3))
    moments: list[Callable[[Counts], bool]] = [
        lambda now: now.admitted > admitted * whole.admitted,
        lambda now: now.handled > handled * whole.handled,
        lambda now: now.delivered > delivered * whole.delivered,
    ]
    replaying = new_home()
    for moment in moments:
        process = replaying.start(undisturbed.files, *BATCHES)
        replaying.until(process, moment)
        kill(process)
        assert replaying.digests() != undisturbed.digests
    done = replaying.replay(undisturbed.files, *BATCHES)
    assert done.returncode == 0, done
    assert replaying.digests() == undisturbed.digests


def test_postgresql_is_killed_in_the_middle_and_started_again_by_the_next_command(
    undisturbed: Undisturbed, own_server: Replaying
) -> None:
    process = own_server.start(undisturbed.files, *BATCHES)
    middle = undisturbed.counts.delivered * random.Random(3).uniform(0.2, 0.8)
    own_server.until(process, lambda now: now.delivered > middle)
    own_server.postmaster().kill()
    assert "cannot be reached" in clear_line(ended(process))
    again = own_server.replay(undisturbed.files, *BATCHES)
    assert again.returncode == 0, again
    assert own_server.digests() == undisturbed.digests


def test_the_sandbox_is_killed_in_the_middle_and_forgets_nothing(
    undisturbed: Undisturbed, new_home: Callable[[], Replaying]
) -> None:
    replaying = new_home()
    process = replaying.start(undisturbed.files, *BATCHES)
    middle = undisturbed.counts.delivered * random.Random(4).uniform(0.2, 0.8)
    replaying.until(process, lambda now: now.delivered > middle)
    replaying.sandbox().kill()
    assert "sandbox" in clear_line(ended(process))
    # As if the replay had tried for long; nobody waits an hour for a sandbox that is new.
    replaying.rows(
        "with tried as (update command_outbox set attempts = 9, next_attempt_at = now()"
        " + interval '1 hour' where status = 'pending') update partner_health"
        " set breaker = 'open', open_until = now() + interval '1 hour' returning partner"
    )
    again = replaying.replay(undisturbed.files, *BATCHES)
    assert again.returncode == 0, again
    assert replaying.digests() == undisturbed.digests


def test_other_files_other_order_and_other_batches_leave_the_same(
    undisturbed: Undisturbed, folder: Path, new_home: Callable[[], Replaying]
) -> None:
    replaying = new_home()
    done = replaying.replay(otherwise(folder / "otherwise"), "--batch-size", "7")
    assert done.returncode == 0, done
    assert replaying.digests() == undisturbed.digests
    again = replaying.replay(undisturbed.files, "--batch-size", "1000")
    assert again.returncode == 0, again
    report = json.loads(again.stdout)
    assert report["events_in"] == report["duplicates"] > 0
    assert replaying.digests() == undisturbed.digests
