from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from pytest_httpserver import HTTPServer

from assets.operations_policy import Resilience
from resources.outbox_dispatcher import DispatchTally, OutboxDispatcher
from resources.partners import PartnerBook
from tests.resources.partners.story import (
    IMPATIENT,
    PATIENT,
    Listens,
    LosesAnswers,
    Outbox,
    Plays,
    SandboxProcess,
    SetClock,
    message,
    partner,
)

NOWHERE = "http://127.0.0.1:9"


@contextmanager
def dispatcher(
    outbox: Outbox,
    url: str = NOWHERE,
    transport: httpx.BaseTransport | None = None,
    clock: SetClock | None = None,
    resilience: Resilience = IMPATIENT,
    codes: tuple[str, ...] = ("crm",),
    **manners: object,
) -> Iterator[OutboxDispatcher]:
    book = PartnerBook(partner(code, url, **manners) for code in codes)
    with httpx.Client(transport=transport) as session:
        yield OutboxDispatcher(
            outbox.engine, book, clock or SetClock(), session=session, resilience=resilience
        )


@pytest.fixture
def crm() -> Plays:
    return Plays()


def test_what_waits_is_delivered_in_one_request_and_said_only_once(
    outbox: Outbox, sandbox: SandboxProcess
) -> None:
    outbox.put("crm", "message.send", *((f"w-{n}", message(f"w-{n}")) for n in range(30)))
    ears = Listens()
    with dispatcher(outbox, sandbox.url, ears) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=30)
        assert dispatching.dispatch() == DispatchTally()
    assert [len(commands) for commands in ears.commands] == [30]
    told = sandbox.get("/crm/v1/messages")["messages"]
    assert [one["order_number"] for one in told[-30:]] == [f"w-{n}" for n in range(30)]
    assert outbox.ask("select distinct status, attempts from command_outbox") == [("delivered", 1)]


def test_a_command_carries_its_id_and_whom_it_is_for_and_its_payload_as_written(
    outbox: Outbox, sandbox: SandboxProcess
) -> None:
    outbox.put("crm", "message.send", ("o-1", {**message("o-1"), "note": 'Zoë "quoted" \\ 1.10'}))
    ears = Listens()
    with dispatcher(outbox, sandbox.url, ears) as dispatching:
        dispatching.dispatch()
    sent = ears.commands[0][0]
    assert sent["command_id"] == str(outbox.written[0])
    assert {key: sent[key] for key in ("legal_entity", "brand", "region", "channel")} == {
        "legal_entity": "retailer_uk",
        "brand": "house",
        "region": "uk",
        "channel": "web_shop",
    }
    assert sent["effective_at"] == "2026-03-02T10:00:00Z"
    assert sent["payload"]["note"] == 'Zoë "quoted" \\ 1.10'


def test_the_second_command_of_a_key_waits_for_the_answer_to_the_first(
    outbox: Outbox, crm: Plays
) -> None:
    outbox.put("crm", "message.send", ("a", {}), ("a", {}), ("b", {}), ("a", {}))
    with dispatcher(outbox, transport=httpx.MockTransport(crm)) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=4)
    assert crm.seen == [["a", "b"], ["a"], ["a"]]


def test_a_partner_that_takes_no_batches_gets_one_request_a_command_with_its_key(
    outbox: Outbox, sandbox: SandboxProcess
) -> None:
    availability = {
        "channel": "marketplace",
        "as_of": "2026-03-02T10:00:00Z",
        "lines": [{"sku": "MUG", "quantity": 5}],
    }
    outbox.put("marketplace", "availability.publish", ("k-1", availability), ("k-2", availability))
    ears = Listens()
    manners = {"kind": "channel", "takes_batches": False}
    with dispatcher(outbox, sandbox.url, ears, codes=("marketplace",), **manners) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=2)
    keys = [request.headers["idempotency-key"] for request in ears.requests]
    assert keys == [str(identity) for identity in outbox.written]
    lines = sandbox.get("/marketplace/v1/availability")["lines"]
    assert lines == [{"sku": "MUG", "quantity": 5}]


def test_a_blip_is_retried_within_the_attempt(outbox: Outbox, httpserver: HTTPServer) -> None:
    outbox.put("crm", "message.send", ("a", {}))
    accepted = {"results": [{"command_id": str(outbox.written[0]), "status": "accepted"}]}
    httpserver.expect_ordered_request("/crm/v1/commands").respond_with_data(status=500)
    httpserver.expect_ordered_request("/crm/v1/commands").respond_with_data(
        status=429, headers={"Retry-After": "0"}
    )
    httpserver.expect_ordered_request("/crm/v1/commands").respond_with_json(accepted)
    with dispatcher(outbox, httpserver.url_for("")) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=1)


def test_what_failed_waits_longer_each_time(outbox: Outbox, crm: Plays) -> None:
    crm.status = 500
    clock = SetClock()
    outbox.put("crm", "message.send", ("a", {}))
    waits = []
    with dispatcher(outbox, transport=httpx.MockTransport(crm), clock=clock) as dispatching:
        for _ in range(3):
            assert dispatching.dispatch() == DispatchTally(retried=1, remaining=1)
            (waited,) = outbox.ask("select next_attempt_at from command_outbox")
            waits.append((waited[0] - clock.at).total_seconds())
            assert dispatching.dispatch() == DispatchTally(remaining=1), "too early"
            clock.pass_seconds(waits[-1])
        crm.status = None
        assert dispatching.dispatch() == DispatchTally(delivered=1)
    assert waits == [2, 4, 8]
    assert outbox.ask("select attempts, last_error from command_outbox") == [(4, None)]


def test_a_partner_that_says_when_to_come_back_is_left_alone_until_then(
    outbox: Outbox, crm: Plays
) -> None:
    crm.status, crm.headers = 429, {"Retry-After": "90"}
    clock = SetClock()
    outbox.put("crm", "message.send", ("a", {}))
    with dispatcher(outbox, transport=httpx.MockTransport(crm), clock=clock) as dispatching:
        dispatching.dispatch()
        assert len(crm.seen) == 1, "not asked again at once"
        clock.pass_seconds(89)
        dispatching.dispatch()
        assert len(crm.seen) == 1
        crm.status = None
        clock.pass_seconds(1)
        assert dispatching.dispatch() == DispatchTally(delivered=1)


def test_an_answer_lost_after_success_is_asked_for_again_under_the_same_key_with_one_effect(
    outbox: Outbox, sandbox: SandboxProcess
) -> None:
    outbox.put("crm", "message.send", ("lost", message("lost")))
    clock = SetClock()
    lossy = LosesAnswers(times=IMPATIENT.quick_attempts)
    with dispatcher(outbox, sandbox.url, lossy, clock) as dispatching:
        assert dispatching.dispatch() == DispatchTally(retried=1, remaining=1)
        clock.pass_seconds(2)
        assert dispatching.dispatch() == DispatchTally(delivered=1)
    assert len(sandbox.get("/crm/v1/messages", order_number="lost")["messages"]) == 1


def test_a_dead_letter_blocks_its_own_key_only_and_opens_a_case_with_an_owner(
    outbox: Outbox, crm: Plays
) -> None:
    crm.refuse = {"a"}
    outbox.put("crm", "message.send", ("a", {}), ("b", {}), ("a", {}), owner="customer_care")
    with dispatcher(outbox, transport=httpx.MockTransport(crm)) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=1, dead=1, blocked=1, remaining=1)
        outbox.put("crm", "message.send", ("b", {}), ("a", {}))
        assert dispatching.dispatch() == DispatchTally(delivered=1, blocked=2, remaining=2)
    assert outbox.statuses() == {
        "a": ["dead", "pending", "pending"],
        "b": ["delivered", "delivered"],
    }
    assert outbox.ask(
        "select case_type, business_key, brought_by, status, case_count, reason from exception_case"
    ) == [
        (
            "dead_letter",
            "crm/a",
            "customer_care",
            "open",
            1,
            "message.send was given up: unknown address",
        )
    ]
    assert outbox.ask("select breaker from partner_health") == [("closed",)], "it did answer"


def test_a_command_that_fails_too_often_is_dead(outbox: Outbox, crm: Plays) -> None:
    crm.status = 503
    clock = SetClock()
    outbox.put("crm", "message.send", ("a", {}))
    resilience = replace(PATIENT, quick_attempts=1, most_attempts=3)
    with dispatcher(
        outbox, transport=httpx.MockTransport(crm), clock=clock, resilience=resilience
    ) as dispatching:
        for _ in range(3):
            tally = dispatching.dispatch()
            clock.pass_seconds(3600)
    assert tally == DispatchTally(dead=1)
    assert outbox.ask("select status, attempts, last_error from command_outbox") == [
        ("dead", 3, "crm: HTTP 503 for POST /crm/v1/commands")
    ]


def test_one_poisonous_command_does_not_keep_its_neighbours_from_being_delivered(
    outbox: Outbox, crm: Plays
) -> None:
    crm.fail = {"poison"}
    clock = SetClock()
    outbox.put("crm", "message.send", *((key, {}) for key in ("a", "poison", "b")))
    delivered = 0
    with dispatcher(outbox, transport=httpx.MockTransport(crm), clock=clock) as dispatching:
        for _ in range(3):
            delivered += dispatching.dispatch().delivered
            clock.pass_seconds(60)
    assert delivered == 2
    assert outbox.statuses() == {"a": ["delivered"], "poison": ["pending"], "b": ["delivered"]}


def test_a_batch_refused_as_a_whole_is_sent_one_by_one(outbox: Outbox, crm: Plays) -> None:
    def refuses_the_odd_one(request: httpx.Request) -> httpx.Response:
        answer = crm(request)
        return httpx.Response(400) if "odd" in crm.seen[-1] else answer

    outbox.put("crm", "message.send", *((key, {}) for key in ("a", "odd", "b")))
    transport = httpx.MockTransport(refuses_the_odd_one)
    with dispatcher(outbox, transport=transport) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=2, dead=1)


def test_refused_credentials_kill_no_command(outbox: Outbox, crm: Plays) -> None:
    crm.status = 401
    outbox.put("crm", "message.send", ("a", {}), ("b", {}))
    with dispatcher(outbox, transport=httpx.MockTransport(crm)) as dispatching:
        assert dispatching.dispatch() == DispatchTally(retried=2, remaining=2)


def test_the_breaker_opens_lets_one_through_after_a_while_and_closes_when_that_is_answered(
    outbox: Outbox, crm: Plays
) -> None:
    crm.status = 503
    clock = SetClock()
    resilience = replace(PATIENT, quick_attempts=1, failures_until_open=3)
    outbox.put("crm", "message.send", *((f"k-{n}", {}) for n in range(10)))
    with dispatcher(
        outbox,
        transport=httpx.MockTransport(crm),
        clock=clock,
        resilience=resilience,
        batch_size=2,
    ) as dispatching:
        tally = dispatching.dispatch()
        assert tally == DispatchTally(retried=6, blocked=10, remaining=10)
        assert [len(keys) for keys in crm.seen] == [2, 2, 2]
        assert outbox.ask("select breaker, consecutive_failures from partner_health") == [
            ("open", 3)
        ]
        clock.pass_seconds(29)
        assert dispatching.dispatch() == DispatchTally(blocked=10, remaining=10)
        assert len(crm.seen) == 3, "nobody knocks at an open breaker"

        clock.pass_seconds(1)
        assert dispatching.dispatch().retried == 1
        assert crm.seen[3:] == [["k-6"]], "one knocks for all, the one that failed least"
        assert outbox.ask("select breaker from partner_health") == [("open",)]

        crm.status = None
        clock.pass_seconds(30)
        assert dispatching.dispatch() == DispatchTally(delivered=10)
        assert len(crm.seen[4]) == 1
        assert outbox.ask("select breaker, consecutive_failures from partner_health") == [
            ("closed", 0)
        ]


def test_partners_that_were_started_anew_are_asked_at_once(outbox: Outbox, crm: Plays) -> None:
    crm.status = 503
    outbox.put("crm", "message.send", *((f"k-{n}", {}) for n in range(6)))
    with dispatcher(
        outbox,
        transport=httpx.MockTransport(crm),
        resilience=replace(PATIENT, quick_attempts=1, failures_until_open=2),
        batch_size=2,
    ) as dispatching:
        assert dispatching.dispatch().retried == 4
        crm.status = None
        assert dispatching.dispatch() == DispatchTally(blocked=6, remaining=6)
        dispatching.start_afresh()
        assert dispatching.dispatch() == DispatchTally(delivered=6)


def test_an_open_breaker_of_one_partner_leaves_the_others_alone(
    outbox: Outbox, sandbox: SandboxProcess
) -> None:
    outbox.put("crm", "message.send", ("a", message("a")))
    outbox.put("carrier", "shipment.book", ("a", {}))
    outbox.change(
        "insert into partner_health (partner, breaker, open_until) values ('carrier', 'open', :at)",
        at=SetClock().at.replace(hour=11),
    )
    with dispatcher(outbox, sandbox.url, codes=("carrier", "crm")) as dispatching:
        assert dispatching.dispatch() == DispatchTally(delivered=1, blocked=1, remaining=1)


def test_two_dispatchers_at_once_send_nothing_twice_and_keep_the_order_of_each_key(
    outbox: Outbox, sandbox: SandboxProcess
) -> None:
    templates = ("order_confirmed", "order_shipped", "order_cancelled")
    outbox.put(
        "crm",
        "message.send",
        *((f"t-{n}", message(f"t-{n}", template)) for template in templates for n in range(60)),
    )
    ears = Listens()
    tallies = []
    with dispatcher(outbox, sandbox.url, ears, batch_size=7) as dispatching:

        def work() -> None:
            tallies.append(dispatching.dispatch())

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tallies.append(dispatching.dispatch())
    assert sum(tally.delivered for tally in tallies) == 180
    sent = [command["command_id"] for commands in ears.commands for command in commands]
    assert len(sent) == len(set(sent)) == 180
    told = sandbox.get("/crm/v1/messages")["messages"]
    for n in range(60):
        assert [one["template"] for one in told if one["order_number"] == f"t-{n}"] == [*templates]


def test_a_command_that_an_operator_is_correcting_is_left_alone_with_its_key(
    outbox: Outbox, crm: Plays
) -> None:
    outbox.put("crm", "message.send", ("a", {}), ("a", {}), ("b", {}))
    with (
        dispatcher(outbox, transport=httpx.MockTransport(crm)) as dispatching,
        outbox.engine.begin() as operator,
    ):
        operator.execute(
            sa.text("select 1 from command_outbox where command_id = :first for update"),
            {"first": outbox.written[0]},
        )
        assert dispatching.dispatch() == DispatchTally(delivered=1, blocked=2, remaining=2)
    assert crm.seen == [["b"]]


def test_commands_for_a_partner_that_nobody_knows_wait_and_are_counted(outbox: Outbox) -> None:
    outbox.put("typewriter", "message.send", ("a", {}))
    with dispatcher(outbox) as dispatching:
        assert dispatching.dispatch() == DispatchTally(blocked=1, remaining=1)
