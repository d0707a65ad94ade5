"""What people are told: each thing once, where policy says, and never about a customer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assets.approvals.service import decide
from assets.errors import PolicyError
from assets.ports import About, ApprovalRequest, Case, CaseType
from resources.notification_sinks import SinkBook
from resources.notifying import Notifier
from resources.operational_store.people import put_person, read_people
from resources.operational_store.store import WallClock
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.builders import Shop

KEY = "web_shop/A1"


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    yield shop
    shop.close()


def open_case(shop: Shop, case_type: CaseType = CaseType.FULFILMENT_REJECTED) -> None:
    about = About(value_at_risk=20_0000, currency_code="GBP")
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases([Case(case_type, KEY, "Ann Smith, 5 High Street", about)])


def notifications(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("select occasion, recipient, title, body from notification order by 1, 2, 3")


def deliveries(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("select sink, status, attempts from notification_delivery order by 1, 2")


def notifier(shop: Shop, sinks: SinkBook) -> Notifier:
    resilience = shop.store.policies.operations.partner_calls
    return Notifier(shop.engine, sinks, WallClock(), resilience)


def policies(folder: Path, **changes: Any) -> FilePolicyBook:
    whole = yaml.safe_load((SHIPPED / "notifications.yaml").read_text())
    whole["values"] |= changes
    (folder / "notifications.yaml").write_text(yaml.safe_dump(whole))
    return FilePolicyBook(folder)


# What is told


def test_a_critical_case_is_told_to_its_owner_at_once_and_others_are_not(shop: Shop) -> None:
    open_case(shop)
    assert notifications(shop) == []
    open_case(shop, CaseType.SNAPSHOT_MASS_DROP)
    ((occasion, recipient, title, body),) = notifications(shop)
    assert (occasion, recipient) == ("case_routed", "stock_control")
    assert title == f"critical: snapshot mass drop {KEY}"
    assert body == "stock_control has until 2026-03-02 10:00 UTC (one_hour)."


def test_each_rung_is_told_once_to_each_who_is_to_hear_of_it(shop: Shop) -> None:
    open_case(shop)
    shop.clock.advance(datetime.fromisoformat("2026-03-02T12:20+00:00"))
    shop.store.escalate()
    shop.store.escalate()
    told = [(recipient, title) for _, recipient, title, _ in notifications(shop)]
    half, most = (
        f"{percent} % of the time is used up: fulfilment rejected {KEY}" for percent in (50, 80)
    )
    assert told == [("order_desk", half), ("order_desk", most), ("order_desk_lead", most)]


def test_nothing_that_is_told_repeats_what_was_said_of_a_customer(shop: Shop) -> None:
    open_case(shop, CaseType.SNAPSHOT_MASS_DROP)
    shop.clock.advance(datetime.fromisoformat("2026-03-09T12:20+00:00"))
    shop.store.escalate()
    said = json.dumps([(title, body) for _, _, title, body in notifications(shop)])
    assert len(notifications(shop)) > 3
    assert "Smith" not in said
    assert "High Street" not in said


def test_who_may_consent_hears_of_it_tier_by_tier(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        put_person(connection, "sam", ["stock_controller"], [])
        people = read_people(connection)
    asked = ApprovalRequest(
        "stock_correction", "wms/MUG", "ten mugs", "inventory", {"type": "x", "data": {}},
        1_000_0000, "GBP", "", "", "policy:inventory",
    )  # fmt: skip
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.request_approvals([asked])
    assert [row[:2] for row in notifications(shop)] == [("consent_wanted", "stock_controller")]
    (approval_id,) = shop.rows("select approval_id::text from approval_request")[0]
    with shop.store.unit_of_work() as unit_of_work:
        assert decide(approval_id, people["sam"], "approved", "counted", unit_of_work) == "pending"
    assert [row[:2] for row in notifications(shop)] == [
        ("consent_wanted", "finance_controller"),
        ("consent_wanted", "stock_controller"),
    ]
    assert notifications(shop)[0][3].startswith("1000.0000 GBP; as finance_controller, until ")


def test_a_queue_may_have_words_and_sinks_of_its_own(database_url: str, tmp_path: Path) -> None:
    templates = yaml.safe_load((SHIPPED / "notifications.yaml").read_text())["values"]["templates"]
    templates["order_desk"] = {"case_routed": {"title": "{business_key}!", "body": "{severity}"}}
    own = policies(
        tmp_path,
        templates=templates,
        sinks_by_recipient={"*": ["file"], "order_desk": ["pager", "file"]},
        routed_from_severity="high",
    )
    shop = Shop(database_url, own)
    open_case(shop)
    assert notifications(shop) == [("case_routed", "order_desk", f"{KEY}!", "high")]
    assert [sink for sink, _, _ in deliveries(shop)] == ["file", "pager"]
    shop.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sinks_by_recipient": {"payments": ["file"]}}, "no sink for who is not named"),
        ({"templates": {"*": {}}}, "templates of * have no words for"),
        ({"templates": {"*": {"case_opened": {"title": "", "body": ""}}}}, "case_opened"),
        ({"routed_from_severity": "urgent"}, "urgent"),
        ({"loud": True}, "unknown field `loud`"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(PolicyError, match=r"notifications\.yaml") as refused:
        policies(tmp_path, **changes)
    assert said in str(refused.value)


def test_a_template_may_not_speak_of_what_could_be_a_customer(tmp_path: Path) -> None:
    templates = yaml.safe_load((SHIPPED / "notifications.yaml").read_text())["values"]["templates"]
    templates["*"]["case_routed"]["body"] = "{reason}"
    with pytest.raises(PolicyError, match="names reason, of which it may not speak"):
        policies(tmp_path, templates=templates)


# Where it arrives


def test_a_message_becomes_a_file_and_a_line_and_is_not_delivered_again(
    shop: Shop, tmp_path: Path
) -> None:
    open_case(shop, CaseType.SNAPSHOT_MASS_DROP)
    tally = notifier(shop, SinkBook(tmp_path, {})).deliver()
    assert (tally.delivered, tally.retried, tally.dead) == (2, 0, 0)
    assert notifier(shop, SinkBook(tmp_path, {})).deliver().delivered == 0
    (file,) = (tmp_path / "file" / "stock_control").iterdir()
    assert file.read_text().startswith("critical: snapshot mass drop")
    assert deliveries(shop) == [("console", "delivered", 1), ("file", "delivered", 1)]


def test_a_replay_rings_nobody(shop: Shop, tmp_path: Path, httpserver: HTTPServer) -> None:
    open_case(shop, CaseType.SNAPSHOT_MASS_DROP)
    sinks = SinkBook(tmp_path, {"console": (address(httpserver),)})
    notifier(shop, sinks.only_files()).deliver()
    assert httpserver.log == []
    assert {path.name for path in tmp_path.iterdir()} == {"console", "file"}


def address(server: HTTPServer) -> str:
    return f"json://{server.host}:{server.port}/hook"


@pytest.fixture
def paged(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose stock control is told by a service."""
    shop = Shop(database_url, policies(tmp_path, sinks_by_recipient={"*": ["pager"]}))
    open_case(shop, CaseType.SNAPSHOT_MASS_DROP)
    yield shop
    shop.close()


def test_a_service_is_given_the_message_under_an_id_by_which_it_knows_a_repeat(
    paged: Shop, tmp_path: Path, httpserver: HTTPServer
) -> None:
    keys: list[str] = []

    def take(request: Request) -> Response:
        keys.append(request.headers["Idempotency-Key"])
        # The first answer is lost: the message was taken and we do not know it.
        return Response(status=500 if len(keys) == 1 else 200)

    httpserver.expect_request("/hook").respond_with_handler(take)
    sinks = SinkBook(tmp_path, {"pager": (address(httpserver),)})
    assert notifier(paged, sinks).deliver().retried == 1
    assert notifier(paged, sinks).deliver().delivered == 0  # its time has not come
    forget_backoff(paged)
    assert notifier(paged, sinks).deliver().delivered == 1
    message_id = str(paged.value("select message_id from notification"))
    assert keys == [message_id, message_id]


def forget_backoff(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        connection.exec_driver_sql("update notification_delivery set next_attempt_at = null")


def test_a_sink_without_an_address_is_given_up_in_the_end_as_one_case_of_the_platform(
    paged: Shop, tmp_path: Path
) -> None:
    attempts = paged.store.policies.operations.partner_calls.most_attempts
    tallies = []
    for _ in range(attempts):
        tallies.append(notifier(paged, SinkBook(tmp_path, {})).deliver())
        forget_backoff(paged)
    assert [tally.dead for tally in tallies] == [0] * (attempts - 1) + [1]
    paged.store.route_cases()
    assert paged.rows(
        "select business_key, owner from exception_case where case_type = 'dead_letter'"
    ) == [("notifications/pager", "platform")]


def test_two_who_deliver_at_once_deliver_each_message_once(
    database_url: str, tmp_path: Path
) -> None:
    shop = Shop(database_url, policies(tmp_path, sinks_by_recipient={"*": ["counter"]}))
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases(
            Case(CaseType.SNAPSHOT_MASS_DROP, str(number), "x") for number in range(120)
        )
    taken: list[str] = []

    class Counting(SinkBook):
        def sink(self, name: str) -> Any:
            del name
            return self

        def send(self, message: Any) -> None:
            taken.append(message.message_id)

    workers = [
        threading.Thread(target=notifier(shop, Counting(tmp_path, {})).deliver) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(taken) == len(set(taken)) == 120
    shop.close()


@pytest.mark.parametrize("text", ["- a\n- b\n", "pager: 5\n", "pager: [1]\n", "{"])
def test_addresses_that_cannot_be_read_are_refused_without_being_repeated(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "sinks.yaml").write_text(text)
    with pytest.raises(PolicyError, match=r"sinks\.yaml"):
        SinkBook.load(tmp_path, tmp_path / "sinks.yaml")
