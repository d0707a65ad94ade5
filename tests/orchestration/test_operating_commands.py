"""Commands with which an operator mends things, as a person at a terminal sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.contracts.admission import Submission
from resources.operational_store.door import Door
from tests.contracts import events
from tests.invariants.ledger_story import CHANNEL, LedgerStory
from tests.orchestration.terminal import Ask, asking, make_home, narrow


@pytest.fixture
def engine(database_url: str) -> sa.Engine:
    return sa.create_engine(database_url, poolclass=sa.NullPool)


@pytest.fixture
def told(
    tmp_path: Path,
    database_url: str,
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    """The command line in a home of the ledger story, in an ordinary terminal."""
    LedgerStory(engine).tell()
    make_home(tmp_path / "home", database_url, monkeypatch)
    narrow(monkeypatch)
    return asking(capsys)


def change(engine: sa.Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_dead_letter_is_listed_and_sent_again(told: Ask, engine: sa.Engine) -> None:
    change(engine, "update command_outbox set status = 'delivered', delivered_at = now()")
    assert told("outbox", "list").stdout == "everything is delivered\n"
    change(
        engine,
        "update command_outbox set status = 'dead', last_error = 'unknown address'"
        " where command_type = 'shipment.book'",
    )
    (dead,) = json.loads(told("outbox", "list", "--dead", "--json").stdout)
    assert (dead["partner"], dead["status"], dead["last_error"]) == (
        "carrier",
        "dead",
        "unknown address",
    )
    table = told("outbox", "list").stdout
    assert "unknown address" in table
    assert max(map(len, table.splitlines())) <= 80

    again = json.loads(told("outbox", "retry", str(dead["outbox_sequence"]), "--json").stdout)
    assert again["retried"] == 1
    assert again["commands"][0]["command_id"] == dead["command_id"]
    (pending,) = json.loads(told("outbox", "list", "--json").stdout)
    assert (pending["command_id"], pending["status"], pending["attempts"]) == (
        dead["command_id"],
        "pending",
        0,
    )
    refused = told("outbox", "retry", "--partner", "carrier")
    assert (refused.returncode, refused.stderr) == (
        1,
        "omniflow: there is no dead command of carrier: see `omniflow outbox list --dead`\n",
    )


def test_a_case_is_listed_and_closed_with_a_reason_by_a_person(
    told: Ask, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told("exceptions", "list").stdout == "no case is open\n"
    change(
        engine,
        "insert into exception_case (case_id, case_type, business_key, owner, reason, opened_at,"
        " cycle_started_at)"
        " values ('0f0e0d0c-0000-4000-8000-000000000001', 'data_quality_gate_failed',"
        " 'order_line/ordered_quantity_is_positive', 'order_desk', '2 rows', '2026-03-02Z',"
        " '2026-03-02Z')",
    )
    (case,) = json.loads(told("exceptions", "list", "--json").stdout)
    assert {
        *("case_id", "type", "status", "owner", "severity", "value_at_risk", "business_key"),
        *("count", "opened_at", "due_at"),
    } <= set(case)
    table = told("exceptions", "list").stdout
    assert max(map(len, table.splitlines())) <= 80
    assert "0f0e0d0c" in table

    assert told("exceptions", "resolve", "0f0e0d0c").stderr == (
        "omniflow: say which and why: omniflow exceptions resolve CASE_ID --reason TEXT\n"
    )
    nobody = told("exceptions", "resolve", "0f0e0d0c", "--reason", "a typing error")
    assert (nobody.returncode, "say who acts" in nobody.stderr) == (1, True)
    added = told("people", "add", "ada", "--role", "administrator", "--json")
    monkeypatch.setenv("OMNIFLOW_TOKEN", json.loads(added.stdout)["token"])
    closed = told("exceptions", "resolve", "0f0e0d0c", "--reason", "a typing error", "--json")
    assert closed.returncode == 0
    assert json.loads(closed.stdout)["resolution"] == "a typing error"
    assert json.loads(told("exceptions", "list", "--json").stdout) == []
    (kept,) = json.loads(told("exceptions", "list", "--all", "--json").stdout)
    assert (kept["status"], kept["resolution"]) == ("closed", "a typing error")
    twice = told("exceptions", "resolve", "0f0e0d0c", "--reason", "again")
    assert (twice.returncode, "is closed already" in twice.stderr) == (1, True)


def test_a_person_is_forgotten_once(told: Ask, engine: sa.Engine) -> None:
    person = {"country": "GB", "name": "Ada Byron", "email": "ada@example.org"}
    order = events.envelope(
        {**events.order_data("9"), "customer_number": "C-7", "ship_to": person},
        "retail.order.placed.v1",
        id="order-9",
        source=CHANNEL,
    )
    with engine.begin() as connection:
        Door().admit(connection, [Submission(CHANNEL, events.body(order), "batch[0]")])
    erased = told("erase", "C-7", "--json")
    assert (erased.returncode, json.loads(erased.stdout)) == (
        0,
        {"contacts": 0, "events": 1, "quarantined_bodies": 0},
    )
    again = told("erase", "ada@example.org")
    assert (again.returncode, again.stderr) == (
        1,
        "omniflow: nothing personal is kept of such a person\n",
    )


def test_retention_says_first_and_removes_when_it_is_told_to(told: Ask, engine: sa.Engine) -> None:
    change(engine, "update quarantined_body set recorded_at = now() - interval '31 days'")
    asked = json.loads(told("retention", "--json").stdout)
    assert asked["removed"] is False
    found = {kind["what"]: (kind["days"], kind["count"]) for kind in asked["kinds"]}
    assert found["open_quarantine_body"] == (30, 1)
    assert found["dagster_run"] == (60, 0)
    assert "nothing was removed" in told("retention").stdout

    removed = json.loads(told("retention", "--apply", "--json").stdout)
    assert removed["removed"] is True
    assert removed["kinds"][3]["count"] == 1
    assert {kind["count"] for kind in json.loads(told("retention", "--json").stdout)["kinds"]} == {
        0
    }
    stays = told("quarantine", "replay", "--all", "--json")
    assert stays.returncode == 1
    assert json.loads(stays.stdout)["results"][0]["outcome"] == "body_removed"
    assert told("invariants", "--only", "P7", "--json").returncode == 0


def test_a_policy_of_retention_that_cannot_be_meant_is_one_line(told: Ask, tmp_path: Path) -> None:
    (tmp_path / "home" / "policies").mkdir()
    path = tmp_path / "home" / "policies" / "retention.yaml"
    path.write_text("policy: retention\n")
    said = told("retention")
    assert said.returncode == 1
    assert said.stderr.startswith(f"omniflow: {path}: ")
    assert len(said.stderr.splitlines()) == 1
