"""Orders that are held for suspected fraud, decided about at a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.cli import app
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
            app(["holds", *arguments])
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


def test_what_is_held_is_listed_with_its_end(ask: Ask) -> None:
    code, out, _ = ask("list", "--json")
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
    decision = (action, "A1", "--by", "p.osei", "--reason", "called the customer")
    assert ask(*decision) == (0, f"order A1: {action} is accepted\n", "")
    shop.store.drain_all()
    assert (shop.status("A1"), shop.status("A2")) == (status, "held")
    code, _, said = ask(*decision)
    assert (code, said) == (1, "omniflow: no order A1 is held\n")
    _, out, _ = ask("list", "--json")
    assert [row["order_number"] for row in json.loads(out)] == ["A2"]


@pytest.mark.parametrize(
    "arguments",
    [("release",), ("release", "A1", "--by", "p.osei"), ("cancel", "A1", "--reason", "fraud")],
)
def test_a_decision_says_which_order_who_and_why(ask: Ask, arguments: tuple[str, ...]) -> None:
    code, _, said = ask(*arguments)
    assert code == 1
    assert said.startswith("omniflow: say which order, who and why")


def test_another_channel_has_no_such_order(ask: Ask) -> None:
    code, _, said = ask(
        "release", "A1", "--channel", "marketplace", "--by", "p.osei", "--reason", "known"
    )
    assert (code, said) == (1, "omniflow: no order A1 is held\n")
