"""A job for each playbook: a sensor starts one for whatever waits, a person for cases they name."""

# No postponed annotations here: Dagster compares that of a context by identity.

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import dagster as dg
from pydantic import Field

from assets.asset_graph import as_failure
from assets.errors import RetailFlowError
from assets.ports import Action, Playbook, StartedBy
from orchestration.warm_lane import LANE_TAG, WARM
from sensors.playbooks import ROLE, STARTED_BY, job_name

#: What becomes visible in Dagster of what a run did.
ASSET = "playbook_action"

DESCRIPTIONS = {
    Playbook.ASK_SUPPLIER: "Has suppliers asked when what did not come will come.",
    Playbook.CUSTOMER_MESSAGE: "Tells customers that we are looking into it, before they ask.",
    Playbook.HOLD: "Takes off sale what a channel shows wrongly, until it is put right.",
    Playbook.RELEASE_STOCK: "Asks for the cancellation of held orders that nobody decided about.",
    Playbook.RE_SOURCE: "Finds elsewhere what a node turned out not to have.",
    Playbook.RETRY_PAYMENT: "Asks the payment provider again while an order still waits for it.",
}


class PlaybookStore(Protocol):
    """The store of cases on which playbooks act."""

    def run_playbook(
        self, playbook: Playbook, started_by: StartedBy, case_ids: Sequence[str] | None = None
    ) -> list[Action]:
        """Act on all cases that wait for a playbook, or on these."""
        ...


class PlaybookConfig(dg.Config):
    """What a run is to act on, and on whose word."""

    case_ids: list[str] = Field(
        default=[],
        description=(
            "Only these open cases of the playbook, whenever their next action is due; by default"
            " all whose action is due."
        ),
    )
    started_by: str = Field(default=STARTED_BY, description="Who started it, for the record.")


def _job(playbook: Playbook) -> dg.JobDefinition:
    @dg.op(name=f"act_{playbook}")
    def act(
        context: dg.OpExecutionContext,
        config: PlaybookConfig,
        operational_store: dg.ResourceParam[PlaybookStore],
    ) -> None:
        started_by = StartedBy(context.run_id, config.started_by)
        try:
            actions = operational_store.run_playbook(playbook, started_by, config.case_ids or None)
        except RetailFlowError as error:
            raise as_failure(error) from error
        outcomes = Counter(str(action.outcome) for action in actions)
        figures = {f"cases_{outcome}": count for outcome, count in sorted(outcomes.items())}
        context.log_event(
            dg.AssetMaterialization(
                asset_key=ASSET,
                description=f"{playbook} acted on {len(actions)} cases",
                metadata={"cases": len(actions), **figures},
            )
        )

    @dg.job(
        name=job_name(playbook),
        description=DESCRIPTIONS[playbook],
        tags={"omniflow/role": ROLE, LANE_TAG: WARM},
    )
    def job() -> None:
        act()

    return job


JOBS = [_job(playbook) for playbook in Playbook]
