from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from assets.contracts.admission import Receipt, Submission
from assets.errors import PartnerUnavailable
from resources.operational_store.door import Door
from resources.partner_poller import PartnerPoller, PollTally
from tests.resources.partners.story import (
    IMPATIENT,
    T0,
    LosesAnswers,
    Outbox,
    SandboxProcess,
    partner,
)

END = T0 + timedelta(days=7)


@pytest.fixture
def talkative(sandbox: SandboxProcess) -> SandboxProcess:
    """A sandbox whose CRM has 400 customers to tell of, and nothing else."""
    ask = {"until": END.isoformat(), "limit": "10000"}
    told = sandbox.get("/crm/v1/events", **ask)
    sandbox.get("/crm/v1/events", **ask, acknowledge=told["token"])
    numbers = [f"C-{uuid.uuid4().hex}" for _ in range(400)]
    customers = [{"customer_number": number, "country": "GB"} for number in numbers]
    settings = {"starts_at": T0.isoformat(), "customers": customers}
    sandbox.post("/sandbox/v1/configure", settings)
    return sandbox


def poller(
    engine: sa.Engine,
    url: str,
    session: httpx.Client,
    door: Door | None = None,
) -> PartnerPoller:
    return PartnerPoller(
        engine,
        door or Door(),
        partner("crm", url),
        session=session,
        resilience=IMPATIENT,
        page=150,
    )


@pytest.fixture
def session() -> Iterator[httpx.Client]:
    with httpx.Client() as session:
        yield session


def test_every_event_is_admitted_once_page_by_page(
    engine: sa.Engine, outbox: Outbox, talkative: SandboxProcess, session: httpx.Client
) -> None:
    polling = poller(engine, talkative.url, session)
    assert polling.poll(END) == PollTally(received=400, accepted=400)
    assert polling.poll(END) == PollTally()
    assert outbox.ask("select count(distinct event_id) from event_inbox") == [(400,)]


def test_what_is_not_due_yet_is_not_told(
    engine: sa.Engine, talkative: SandboxProcess, session: httpx.Client
) -> None:
    assert poller(engine, talkative.url, session).poll(T0 - timedelta(seconds=1)) == PollTally()


def test_a_crash_between_commit_and_acknowledgement_gives_duplicates_only(
    engine: sa.Engine, outbox: Outbox, talkative: SandboxProcess, session: httpx.Client
) -> None:
    poller(engine, talkative.url, session).poll(END)
    # The last page was never acknowledged, and this store has lost the token of it.
    outbox.change("update partner_health set event_cursor = null")
    assert poller(engine, talkative.url, session).poll(END) == PollTally(
        received=100, duplicates=100
    )


def test_a_page_that_could_not_be_stored_is_told_again(
    engine: sa.Engine, talkative: SandboxProcess, session: httpx.Client
) -> None:
    class Breaks(Door):
        def admit(
            self, connection: sa.Connection, submissions: Sequence[Submission]
        ) -> list[Receipt]:
            super().admit(connection, submissions)
            raise RuntimeError("the disk is full")

    broken = poller(engine, talkative.url, session, Breaks())
    with pytest.raises(RuntimeError, match="disk is full"):
        broken.poll(END)
    assert poller(engine, talkative.url, session).poll(END).accepted == 400


def test_an_answer_that_is_lost_is_asked_for_again(
    engine: sa.Engine, talkative: SandboxProcess
) -> None:
    with httpx.Client(transport=LosesAnswers(times=2)) as lossy:
        assert poller(engine, talkative.url, lossy).poll(END).accepted == 400


def test_a_partner_that_stays_away_is_said_to_be_unavailable(
    engine: sa.Engine, session: httpx.Client
) -> None:
    with pytest.raises(PartnerUnavailable, match="crm: cannot be reached at "):
        poller(engine, "http://127.0.0.1:9", session).poll(END)
