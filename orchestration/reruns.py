"""Jobs by which an operator has tried again what went wrong, after its cause was put right."""

# No postponed annotations here: Dagster compares that of a context by identity.

from collections.abc import Collection
from typing import Protocol

import dagster as dg
from pydantic import Field

from assets.asset_graph import as_failure
from assets.errors import RetailFlowError

ROLE = "rerun"


class RerunStore(Protocol):
    """The store of what was given up or refused."""

    def send_again(self, name: str | None = None, partner: str | None = None) -> int:
        """Give dead commands back to the dispatcher; gives how many."""
        ...

    def judge_again(
        self, quarantine_ids: Collection[int], reason_code: str | None
    ) -> tuple[int, int]:
        """Submit refused events to the door again; gives how many came in and how many stay."""
        ...


class DeadCommands(dg.Config):
    """Which dead commands are sent again: one of the two."""

    command: str = Field(default="", description="A command's number in the outbox, or its id.")
    partner: str = Field(default="", description="All dead commands of this partner.")


class RefusedEvents(dg.Config):
    """Which events are judged again: these, all of one reason, or all that are in quarantine."""

    quarantine_ids: list[int] = Field(default=[], description="Their numbers in quarantine.")
    reason_code: str = Field(default="", description="Only what was refused for this reason.")


@dg.op(out=dg.Out(dg.Nothing))
def send_dead_commands_again(
    context: dg.OpExecutionContext,
    config: DeadCommands,
    operational_store: dg.ResourceParam[RerunStore],
) -> None:
    """Give them back to the dispatcher under the same idempotency key."""
    try:
        sent = operational_store.send_again(config.command or None, config.partner or None)
    except RetailFlowError as error:
        raise as_failure(error) from error
    context.log_event(
        dg.AssetMaterialization(
            asset_key="command_outbox",
            description="dead commands are sent again",
            metadata={"commands_sent_again": sent},
        )
    )


@dg.op(out=dg.Out(dg.Nothing))
def judge_refused_events_again(
    context: dg.OpExecutionContext,
    config: RefusedEvents,
    operational_store: dg.ResourceParam[RerunStore],
) -> None:
    """Submit them to the door, or to the flow that set them aside."""
    try:
        came_in, stay = operational_store.judge_again(
            config.quarantine_ids, config.reason_code or None
        )
    except RetailFlowError as error:
        raise as_failure(error) from error
    context.log_event(
        dg.AssetMaterialization(
            asset_key="quarantined_event",
            description="what was refused was judged again",
            metadata={"events_came_in": came_in, "events_still_refused": stay},
        )
    )


@dg.job(
    description="Sends commands again that were given up, once their partner is well.",
    tags={"omniflow/role": ROLE},
)
def rerun_dead_commands() -> None:
    """Of one command or one partner."""
    send_dead_commands_again()


@dg.job(
    description="Judges refused events again, once a contract, a source or master data is mended.",
    tags={"omniflow/role": ROLE},
)
def rerun_refused_events() -> None:
    """Of some, of one reason, or of all."""
    judge_refused_events_again()


JOBS = [rerun_dead_commands, rerun_refused_events]
