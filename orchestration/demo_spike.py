"""The demo's regional spike: seen, planned for, consented to by a person, ordered and unloaded.

Everything is the product's own, as the nightly job and a person at a terminal would do it; only
that somebody looks at once, and consents, is the demo's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
import yaml

from assets.approvals.service import decide
from orchestration.home import Home
from resources.analytics_store.store import AnalyticsStore
from resources.demand_spikes import Spike, detect_spikes
from resources.lake.lake import Lake
from resources.operational_store.bulk import fetch
from resources.operational_store.people import read_people
from resources.operational_store.store import OperationalStore
from resources.policy_book import SHIPPED
from resources.replenishment_planning import plan_ahead_of_marts

#: Who decides about it.
PERSON = "pia"
CLASS = "tea_towel"
SUPPLIER = "loomworks"
#: In a week everything has to be usual after a few days.
_OF_A_WEEK = {"least_days": 3, "least_daily_lines_hundredths": 400}

_STORY = """
    select p.requisition_id::text as requisition_id, min(d.decided_by) as decided_by,
        min(p.supplier_id) as supplier_id, p.node_id, count(distinct p.sku)::int as sku_count,
        sum(p.order_quantity)::bigint as ordered_quantity, sum(p.amount)::text as amount,
        min(p.currency_code) as currency_code, min(o.purchase_order_id) as purchase_order_id,
        min(s.dock_number)::int as dock_number, min(s.starts_at) as starts_at,
        min(s.labour_minutes)::int as labour_minutes,
        coalesce(min(r.received), 0)::bigint as received_quantity,
        coalesce(min(i.invoices), 0)::int as invoices,
        coalesce(min(h.held), 0)::int as held_lines
    from replenishment_proposal p
    left join requisition_decided d using (requisition_id)
    left join purchase_order_placed o using (requisition_id)
    left join receiving_slot s using (purchase_order_id)
    left join (
        select purchase_order_id, sum(accepted_quantity) as received
        from purchase_order_line group by 1
    ) r using (purchase_order_id)
    left join (
        select purchase_order_id, count(*) as invoices from supplier_invoice_received group by 1
    ) i using (purchase_order_id)
    left join (
        select purchase_order_id, count(*) filter (where status = 'held') as held
        from (
            select distinct on (invoice_id, line_number, reason_code) purchase_order_id, status
            from invoice_match order by invoice_id, line_number, reason_code, revision desc
        ) last_word group by 1
    ) h using (purchase_order_id)
    where p.requisition_id in (
        select requisition_id from replenishment_proposal where spike_id is not null
    )
    group by p.requisition_id, p.node_id order by p.node_id
"""


@dataclass(frozen=True)
class Step:
    """One requisition of the spike, and what became of it."""

    requisition_id: str
    decided_by: str | None
    supplier_id: str
    node_id: str
    sku_count: int
    ordered_quantity: int
    amount: str
    currency_code: str
    purchase_order_id: str | None
    dock_number: int | None
    starts_at: object
    labour_minutes: int | None
    received_quantity: int
    invoices: int
    held_lines: int


@dataclass
class SpikeStory:
    """What happened.

    Attributes:
        waited: Requisitions that a person consented to.
    """

    spike: Spike | None = None
    waited: int = 0
    steps: list[Step] = field(default_factory=list)


def write_policy(folder: Path) -> None:
    """Let the home take for usual what a few days show; everything else is as shipped."""
    document = yaml.safe_load((SHIPPED / "replenishment.yaml").read_text("utf-8"))
    document["values"]["spikes"] |= _OF_A_WEEK
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "replenishment.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


def watch(home: Home, store: OperationalStore, story: SpikeStory) -> None:
    """Look whether anything is asked for more than usual, and see to it when it is."""
    if story.spike is not None:
        return
    found = [spike for spike in detect_spikes(store).spikes if spike.product_class == CLASS]
    if not found:
        return
    story.spike = found[0]
    # In the middle of a week nobody reads marts.
    plan_ahead_of_marts(store, AnalyticsStore(home.warehouse, Lake(home.lake)))
    story.waited = _consent(store)


def _consent(store: OperationalStore) -> int:
    """Have the person look at what waits, and consent."""
    with store.unit_of_work() as unit_of_work:
        connection = unit_of_work.connection
        waiting = fetch(
            connection,
            "select approval_id::text from approval_request"
            " where status = 'pending' and subject_type = 'requisition' order by approval_id",
        )
        person = read_people(connection)[PERSON]
        for (approval_id,) in waiting:
            decide(approval_id, person, "approved", "the shelves would be empty", unit_of_work)
    return len(waiting)


def tell(store: OperationalStore, story: SpikeStory) -> None:
    """What became of it by now, linked by ids."""
    with store.transaction() as connection:
        rows = connection.execute(sa.text(_STORY)).mappings()
        story.steps = [Step(**row) for row in rows]
