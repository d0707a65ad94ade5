"""What lies on both sides of the flows: what came in at the door, and what goes out to partners.

Gateway, pollers and files write the door's tables, so Dagster only shows them. Commands go out by
themselves too; materialising `command_outbox` is their catch-up path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import dagster as dg

from assets.asset_graph import as_failure, table
from assets.errors import RetailFlowError

GROUP = "door"


class OutboxStore(Protocol):
    """The store of commands that wait to be sent."""

    def dispatch(self) -> Any:
        """Send whatever may be sent now."""
        ...

    def row_counts(self, tables: Sequence[str]) -> dict[str, int]:
        """Rows by table."""
        ...


OBSERVED = [
    table("event_inbox", "One row per event that passed the door.", group=GROUP, owner="platform"),
    table(
        "quarantined_event",
        "One row per event or file row that may not pass, with its reason and position.",
        group=GROUP,
        owner="platform",
    ),
    table(
        "door_tally",
        "One row per source and event type of each call: received, accepted, known, set aside.",
        group=GROUP,
        owner="platform",
    ),
    table(
        "partner_health",
        "One row per partner: the state of its circuit breaker.",
        group="partners",
        owner="platform",
    ),
    table(
        "gate_pointer",
        "One row per data gate: what it has accepted.",
        group=GROUP,
        owner="platform",
    ),
]

COMMAND_OUTBOX = table(
    "command_outbox",
    "One row per command to a partner, sent in order per business key.",
    group="partners",
    owner="platform",
    deps=("order_state", "fulfilment_order", "channel_availability"),
)


@dg.multi_asset(name="send_commands", specs=[COMMAND_OUTBOX])
def command_outbox(operational_store: dg.ResourceParam[OutboxStore]) -> dg.MaterializeResult[Any]:
    """Send whatever may be sent now."""
    try:
        sent = operational_store.dispatch()
        rows = operational_store.row_counts(["command_outbox"])["command_outbox"]
    except RetailFlowError as error:
        raise as_failure(error) from error
    return dg.MaterializeResult(
        asset_key="command_outbox",
        metadata={
            "dagster/row_count": rows,
            "commands_delivered": sent.delivered,
            "commands_retried": sent.retried,
            "commands_dead": sent.dead,
            "commands_remaining": sent.remaining,
        },
    )


ASSETS: list[dg.AssetSpec | dg.AssetsDefinition] = [*OBSERVED, command_outbox]
