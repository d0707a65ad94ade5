"""Orders that are held for suspected fraud, decided about at a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.cli import app
from resources.operational_store.people import put_person
from resources.operational_store.store import write_clock
from tests.builders import (
    LEEDS,
    Shop,
    count,
    minutes,
    payment_authorised,
    payment_screened,
    pickup_placed,
    product,
)

Ask = Callable[..., tuple[int, str, str]]
DEAR = ("MUG", 1, "300.00")


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Two orders that are held, an hour after they came."""
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(LEEDS, MUG=9))
    for number in ("A1", "A2"):
        shop.tell(pickup_placed(number, DEAR), payment_authorised(number, "300.00"))
        shop.tell(payment_screened(number, "held"))
    shop.clock.advance(minutes(60))
    with shop.store.transaction() as connection:
        write_clock(connection, "simulated", minutes(60))
        for person, role in {"p_osei": "payments_agent", "lee": "payments_lead"}.items():
            put_person(connection, person, [role], ["payments"])
    yield shop
    shop.close()


@pytest.fixture
def ask(
    shop: Shop,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    """The command line in this process, in a home with the shop's database."""
    home = tmp_path / "home"
    home.mkdir()
    description = {"format": 1, "id": "held", "created_at": "2026-03-02T09:00:00+00:00"}
    (home / "home.json").write_text(json.dumps(description))
    monkeypatch.setenv("OMNIFLOW_HOME", str(home))
    monkeypatch.setenv("OMNIFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            app([*arguments])
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


def test_what_is_held_is_listed_with_its_end(ask: Ask) -> None:
    code, out, _ = ask("holds", "list", "--json")
    assert code == 0
    held = json.loads(out)
    assert [(row["order_number"], row["payable_amount"]) for row in held] == [
        ("A1", "300.0000"),
        ("A2", "300.0000"),
    ]
    # Ready at 10:30, and four days at the counter after that.
    assert held[0]["expires_at"] == "2026-03-06T10:30:00Z"


@pytest.mark.parametrize(("action", "status"), [("release", "allocated"), ("cancel", "cancelled")])
def test_a_person_decides_and_the_flow_follows(
    ask: Ask, shop: Shop, action: str, status: str
) -> None:
    decision = ("holds", action, "A1", "--as", "p_osei", "--reason", "called the customer")
    assert ask(*decision) == (0, f"order A1: {action} is accepted\n", "")
    shop.store.drain_all()
    assert (shop.status("A1"), shop.status("A2")) == (status, "held")
    code, _, said = ask(*decision)
    assert (code, said) == (1, "omniflow: no order A1 is held\n")
    _, out, _ = ask("holds", "list", "--json")
    assert [row["order_number"] for row in json.loads(out)] == ["A2"]


@pytest.mark.parametrize("arguments", [("release",), ("cancel", "A1"), ("release", "A1")])
def test_a_decision_says_which_order_and_why(ask: Ask, arguments: tuple[str, ...]) -> None:
    code, _, said = ask("holds", *arguments, "--as", "p_osei")
    assert code == 1
    assert said.startswith("omniflow: say which order and why")


def test_nobody_decides_without_a_name(ask: Ask, shop: Shop) -> None:
    code, _, said = ask("holds", "release", "A1", "--reason", "known")
    assert (code, "say who acts" in said) == (1, True)
    code, _, said = ask("holds", "release", "A1", "--reason", "known", "--as", "mallory")
    assert (code, "nobody here is called mallory" in said) == (1, True)
    assert shop.status("A1") == "held"
    assert shop.rows("select actor, action, outcome from audit_entry order by sequence") == [
        ("unknown", "holds.release", "refused"),
        ("unknown", "holds.release", "refused"),
    ]


def test_another_channel_has_no_such_order(ask: Ask) -> None:
    code, _, said = ask(
        *("holds", "release", "A1", "--channel", "marketplace"),
        *("--as", "p_osei", "--reason", "known"),
    )
    assert (code, said) == (1, "omniflow: no order A1 is held\n")


@pytest.fixture
def dear(shop: Shop) -> Shop:
    """One more order is held, which is worth more than one person may release."""
    line = ("MUG", 2, "300.00")
    shop.tell(pickup_placed("A3", line), payment_authorised("A3", "600.00"))
    shop.tell(payment_screened("A3", "held"))
    return shop


def waiting(ask: Ask) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(ask("approvals", "list", "--json")[1])
    return found


def test_a_dear_order_is_released_by_a_second_person_only(ask: Ask, dear: Shop) -> None:
    told = ("holds", "release", "A3", "--as", "p_osei", "--reason", "called the customer")
    code, out, _ = ask(*told)
    (request,) = waiting(ask)
    approval_id = str(request["approval_id"])
    assert (code, out) == (0, f"order A3: release waits for approval {approval_id[:8]}\n")
    assert (request["status"], request["role"], request["requested_by"]) == (
        "pending",
        "payments_lead",
        "p_osei",
    )
    dear.store.drain_all()
    assert dear.status("A3") == "held", "it is inert until somebody has consented"
    decision = ("approvals", "approve", approval_id[:8], "--reason", "I called too")
    code, _, said = ask(*decision, "--as", "p_osei")
    assert (code, "p_osei asked for it" in said) == (1, True)
    assert ask(*decision, "--as", "lee")[0] == 0
    dear.store.drain_all()
    assert dear.status("A3") == "allocated"
    code, _, said = ask(*decision, "--as", "lee")
    assert (code, "is approved already" in said) == (1, True)
    assert dear.rows("select actor, action, outcome from audit_entry order by sequence") == [
        ("p_osei", "holds.release", "done"),
        ("p_osei", "approvals.approve", "refused"),
        ("lee", "approvals.approve", "done"),
        ("lee", "approvals.approve", "refused"),
    ]
    assert ask("audit", "verify") == (0, "4 entries, each in its place\n", "")


def test_a_question_about_an_order_that_is_held_no_more_is_withdrawn(ask: Ask, dear: Shop) -> None:
    ask("holds", "release", "A3", "--as", "p_osei", "--reason", "called the customer")
    ask("holds", "cancel", "A3", "--as", "lee", "--reason", "it is fraud")
    dear.store.drain_all()
    assert dear.status("A3") == "cancelled"
    assert waiting(ask) == []
    ended = json.loads(ask("approvals", "list", "--all", "--json")[1])
    assert [(one["status"], one["end_reason"]) for one in ended] == [("void", "cancelled")]


def test_a_denied_release_leaves_the_order_held(ask: Ask, dear: Shop) -> None:
    ask("holds", "release", "A3", "--as", "p_osei", "--reason", "called the customer")
    (request,) = waiting(ask)
    decision = ("approvals", "deny", str(request["approval_id"]), "--reason", "no answer")
    assert ask(*decision, "--as", "lee")[:2] == (0, "hold_release web_shop/A3 is denied\n")
    dear.store.drain_all()
    assert dear.status("A3") == "held"
