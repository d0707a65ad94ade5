"""The dispatcher against a sandbox that interrupts it: every command has its effect once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.http import client
from resources.outbox_dispatcher import OutboxDispatcher
from resources.partners import PartnerBook
from resources.sandbox.answer_key import read
from tests.resources.partners.story import IMPATIENT, Outbox, SandboxProcess, SetClock, message

KINDS = ("timeout_after_success", "too_many_requests", "server_error")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path)
    process.start()
    yield process
    process.kill()


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_whose_request_was_interrupted_is_delivered_and_done_once(
    sandbox: SandboxProcess, database_url: str, kind: str
) -> None:
    sandbox.post("/sandbox/v1/configure", {"faults": {kind: 1.0}})
    engine = sa.create_engine(database_url)
    outbox = Outbox(engine)
    outbox.put("crm", "message.send", *((f"N-{n}", message(f"N-{n}")) for n in range(30)))
    partners = PartnerBook.load(sandbox_url=sandbox.url)
    with client(loopback_only=True) as session:
        dispatcher = OutboxDispatcher(
            engine, partners, SetClock(), session=session, resilience=IMPATIENT
        )
        tally = dispatcher.dispatch()
    engine.dispose()
    assert (tally.delivered, tally.retried, tally.remaining) == (30, 0, 0)
    assert {fault.kind for fault in read(sandbox.state) or []} == {kind}
    sent = [message["order_number"] for message in sandbox.get("/crm/v1/messages")["messages"]]
    assert sorted(sent) == sorted(f"N-{n}" for n in range(30))
