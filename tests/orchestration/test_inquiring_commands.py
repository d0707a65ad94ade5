"""Commands that look at the operational store, as a person at a terminal sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.contracts.admission import Submission
from resources.operational_store.door import Door
from tests.contracts import events
from tests.invariants.ledger_story import CHANNEL, LedgerStory
from tests.orchestration.terminal import Ask, asking, make_home


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """The command line where there is no home yet."""
    monkeypatch.setenv("OMNIFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OMNIFLOW_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return asking(capsys)


@pytest.fixture
def told(ask: Ask, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command line in a home whose database holds the ledger story."""
    LedgerStory(sa.create_engine(database_url, poolclass=sa.NullPool)).tell()
    make_home(tmp_path / "home", database_url, monkeypatch)
    return ask


@pytest.mark.parametrize(
    "arguments",
    [("invariants",), ("digests",), ("waiting", "list"), ("quarantine", "list"), ("explain", "1")],
)
def test_a_question_about_a_home_that_is_not_there_makes_none(
    ask: Ask, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    said = ask(*arguments)
    assert said.returncode == 1
    assert said.stderr == (
        "omniflow: there is no home here yet; `omniflow up` or a replay makes one\n"
    )
    assert not (tmp_path / "home").exists()


def test_invariants_say_what_holds_and_fail_when_one_does_not(told: Ask, database_url: str) -> None:
    healthy = told("invariants", "--json")
    assert healthy.returncode == 0, healthy.stderr
    verdicts = {each["id"]: each for each in json.loads(healthy.stdout)}
    assert set(verdicts) >= {"S1", "S2", "S3", "S4", "M1", "P1", "P2", "P7"}
    assert all(each["holds"] for each in verdicts.values())
    # Nothing was bought in this story, nobody was asked for consent, nothing needed a person.
    applying = {law for law, verdict in verdicts.items() if verdict["applies"]}
    assert verdicts.keys() - applying == {
        "S5", "M6", "M7", "M8", "P3", "P4", "P5",
    }  # fmt: skip

    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("update stock_position set reserved_quantity = 2")
    broken = told("invariants", "--json", "--only", "S1", "--only", "M1")
    assert broken.returncode == 1
    first, second = json.loads(broken.stdout)
    assert (first["id"], first["holds"], first["violation_count"]) == ("S1", False, 2)
    assert first["violations"][0]["position_quantity"] == 2
    assert (second["id"], second["holds"], second["violations"]) == ("M1", True, [])

    table = told("invariants", "--only", "s1")
    assert table.returncode == 1
    assert "S1: reserved is not what the ledger says: node_id dc_midlands, sku HAT" in table.stdout
    assert told("invariants", "--only", "S9").stderr.startswith("omniflow: no invariant S9")


def test_digests_are_the_same_when_asked_twice(told: Ask) -> None:
    first, second = told("digests", "--json"), told("digests", "--json")
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["order_placed"].startswith("2:")


def test_waiting_names_reason_release_key_and_time(told: Ask) -> None:
    (row,) = json.loads(told("waiting", "list", "--json").stdout)
    assert row["waiting_reason"] == "consumer_not_built"
    assert row["release_condition"] == "flow:return_to_resolution"
    assert row["business_key"] == "return-1"
    assert row["waiting_since"] == "2026-03-02T09:23:00Z"
    assert "flow:return_to_resolution" in told("waiting", "list").stdout


def test_quarantine_shows_reason_and_position_and_never_the_body(told: Ask) -> None:
    (row,) = json.loads(told("quarantine", "list", "--json").stdout)
    assert (row["reason_code"], row["position"]) == ("malformed_json", "orders.jsonl:7")
    assert "body" not in row


def test_what_is_still_wrong_stays_in_quarantine_and_what_is_right_comes_in(
    told: Ask, database_url: str
) -> None:
    (row,) = json.loads(told("quarantine", "list", "--json").stdout)
    refused = told("quarantine", "replay", "--id", str(row["quarantine_id"]), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["refused"] == 1

    # As if the contract had been put right since: a sound body, refused on its day.
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        body = events.body(events.order("A-1", source=CHANNEL))
        Door(sources=()).admit(connection, [Submission(CHANNEL, body, "batch[0]")])
    accepted = told("quarantine", "replay", "--all", "--json")
    assert accepted.returncode == 0, accepted.stderr
    report = json.loads(accepted.stdout)
    assert (report["replayed"], report["refused"]) == (1, 1)
    statuses = [each["status"] for each in json.loads(told("quarantine", "list", "--json").stdout)]
    assert statuses == ["open", "replayed"]


def test_what_a_flow_set_aside_goes_back_to_its_flow(told: Ask, database_url: str) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from quarantined_event")
        connection.exec_driver_sql(
            "update event_inbox set status = 'quarantined' where event_id = 'order-2'"
        )
        connection.exec_driver_sql(
            "insert into quarantined_event (source, event_id, event_type, reason_code, reason,"
            " position, body_hash) select source, event_id, event_type,"
            " 'illegal_transition', 'the order is shipped already', 'inbox 1002', '{}'"
            " from event_inbox where event_id = 'order-2'"
        )
    said = told("quarantine", "replay", "--all", "--json")
    assert said.returncode == 0
    (result,) = json.loads(said.stdout)["results"]
    assert result["outcome"] == "back_to_its_flow"
    with engine.begin() as connection:
        status = connection.exec_driver_sql(
            "select status from event_inbox where event_id = 'order-2'"
        ).scalar_one()
    assert status == "pending"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "say which: --id NUMBER, once or more often, or --all"),
        (("--id", "1", "--all"), "say which: --id NUMBER, once or more often, or --all"),
        (("--id", "77"), "not open in quarantine: 77"),
    ],
)
def test_a_quarantine_replay_of_nothing_in_particular_is_refused(
    told: Ask, arguments: tuple[str, ...], reason: str
) -> None:
    result = told("quarantine", "replay", *arguments)
    assert (result.returncode, result.stderr) == (1, f"omniflow: {reason}\n")


def test_explain_takes_an_order_number_and_shows_each_node(told: Ask) -> None:
    report = json.loads(told("explain", "1002", "--json").stdout)
    assert report["recomputation_agrees"]
    assert report["lines"][0]["candidates"][0]["unpromised_quantity"] == 10
    table = told("explain", report["decision_id"]).stdout
    assert "decided again  the same" in table
    assert max(map(len, table.splitlines())) <= 80
    assert "dc_midlands" in table
    assert told("explain", "9999").returncode == 1
