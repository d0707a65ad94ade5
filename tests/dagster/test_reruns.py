"""An operator has tried again, as a job with typed config, what was given up or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from assets.contracts.admission import Submission
from orchestration.operations import build_operations
from resources.operational_store.door import Door
from resources.partners import PartnerBook
from resources.store_access import StoreAccess
from tests.contracts.events import WEB, body, order
from tests.no_sinks import no_sinks
from tests.resources.partners.story import Outbox


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[StoreAccess]:
    opened = StoreAccess(database_url, tmp_path, lambda: PartnerBook([]), no_sinks)
    yield opened
    opened.store.engine.dispose()


def run(access: StoreAccess, job: str, op: str, **config: object) -> dg.ExecuteInProcessResult:
    found = build_operations(operational_store=access).get_job_def(job)
    return found.execute_in_process({"ops": {op: {"config": config}}}, raise_on_error=False)


def shown(done: dg.ExecuteInProcessResult) -> dict[str, object]:
    (told,) = [
        event.event_specific_data.materialization  # type: ignore[union-attr]
        for event in done.all_events
        if event.is_step_materialization
    ]
    return {name: value.value for name, value in told.metadata.items()}


def dead_commands(access: StoreAccess) -> Outbox:
    outbox = Outbox(access.store.engine)
    outbox.put("erp", "post_order", ("a", {}), ("b", {}))
    outbox.put("crm", "send_message", ("c", {}))
    with outbox.engine.begin() as connection:
        connection.execute(sa.text("update command_outbox set status = 'dead'"))
    return outbox


SEND = ("rerun_dead_commands", "send_dead_commands_again")
JUDGE = ("rerun_refused_events", "judge_refused_events_again")


def test_the_dead_commands_of_one_partner_are_sent_again(access: StoreAccess) -> None:
    outbox = dead_commands(access)
    assert shown(run(access, *SEND, partner="erp")) == {"commands_sent_again": 2}
    with outbox.engine.begin() as connection:
        waiting = connection.execute(
            sa.text("select business_key from command_outbox where status = 'pending' order by 1")
        )
        assert list(waiting.scalars()) == ["a", "b"]


@pytest.mark.parametrize("config", [{}, {"command": "1", "partner": "erp"}, {"command": "77"}])
def test_a_rerun_that_does_not_say_what_fails_without_sending_anything(
    access: StoreAccess, config: dict[str, str]
) -> None:
    outbox = dead_commands(access)
    done = run(access, *SEND, **config)
    assert not done.success
    with outbox.engine.begin() as connection:
        statuses = connection.execute(sa.text("select distinct status from command_outbox"))
        assert list(statuses.scalars()) == ["dead"]


def refused(access: StoreAccess) -> list[str]:
    """Two events of a source that nobody has registered, and a broken one; gives their reasons."""
    strange = [Submission(WEB, body(order(number)), "webhook") for number in ("W-1", "W-2")]
    with access.store.transaction() as connection:
        Door(()).admit(connection, strange)
        Door().admit(connection, [Submission(WEB, b"{", "webhook")])
        found = connection.execute(
            sa.text("select reason_code from quarantined_event order by quarantine_id")
        )
        return list(found.scalars())


def test_events_of_one_reason_are_judged_again_and_the_others_stay(access: StoreAccess) -> None:
    reasons = refused(access)
    assert reasons == ["unknown_source", "unknown_source", "malformed_json"]
    told = shown(run(access, *JUDGE, reason_code=reasons[0]))
    assert told == {"events_came_in": 2, "events_still_refused": 0}
    assert shown(run(access, *JUDGE)) == {"events_came_in": 0, "events_still_refused": 1}


def test_a_number_that_is_not_in_quarantine_fails_and_nothing_is_judged(
    access: StoreAccess,
) -> None:
    refused(access)
    assert not run(access, *JUDGE, quarantine_ids=[1, 99]).success
    with access.store.transaction() as connection:
        assert connection.execute(sa.text("select count(*) from event_inbox")).scalar_one() == 0
