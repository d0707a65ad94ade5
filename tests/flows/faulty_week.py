"""A small trading week with a real sandbox process and PostgreSQL, polled in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from orchestration.demo import left_to_people
from orchestration.fault_evidence import gather
from orchestration.fault_score import FaultScore, judge
from orchestration.simulation import Simulation, claim_simulated_time
from resources.http import client
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore, create_engine
from resources.outbox_dispatcher import OutboxDispatcher
from resources.partner_poller import PartnerPoller
from resources.partners import PartnerBook
from resources.policy_book import FilePolicyBook
from resources.sandbox.answer_key import read
from tests.builders import assert_all_invariants_hold
from tests.resources.partners.story import IMPATIENT, SandboxProcess

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NODES = [
    {"node_id": "dc_midlands", "kind": "warehouse", "stock_share": 8},
    {"node_id": "store_leeds", "kind": "store", "stock_share": 1},
    {"node_id": "store_bristol", "kind": "store", "stock_share": 1},
    {"node_id": "supplier_northmill", "kind": "drop_ship"},
]

#: What an undisturbed and a recovered week have in common: what is where, and every entry.
POSITIONS = (
    "select node_id, sku, on_hand_quantity, reserved_quantity, allocated_quantity"
    " from stock_position order by 1, 2"
)
JOURNAL = (
    "select entry_id, line_number, entry_kind, business_key, account_code, amount, currency_code,"
    " legal_entity, occurred_at from journal_line order by 1, 2"
)
STATES = "select order_id, status, captured_amount from order_state order by 1"


@dataclass
class Week:
    """One home's week."""

    engine: sa.Engine
    sandbox: SandboxProcess

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    @property
    def outcome(self) -> dict[str, list[tuple[Any, ...]]]:
        parts = {"positions": POSITIONS, "journal": JOURNAL, "states": STATES}
        return {name: self.rows(statement) for name, statement in parts.items()}

    def score(self) -> FaultScore:
        faults = read(self.sandbox.state) or []
        with self.engine.connect() as connection:
            return judge(faults, gather(connection, faults), most_false_alarms_percent=1)


def trade(
    url: str,
    folder: Path,
    faults: Mapping[str, float],
    *,
    seed: str,
    orders: int,
    days: int,
    until: datetime,
    kill_at: datetime | None = None,
    policies: FilePolicyBook | None = None,
    suppliers: Sequence[Mapping[str, object]] = (),
    plans: Callable[[OperationalStore], object] | None = None,
) -> Week:
    """Trade and wait until a time; every invariant holds at the end.

    ``kill_at`` is when the sandbox is killed and started again; ``plans`` orders of ``suppliers``,
    after the first day.
    """
    sandbox = SandboxProcess(folder)
    sandbox.start()
    engine = create_engine(url)
    try:
        # An ERP that never buys: what it is told late it would buy late, as it should.
        settings = {
            "seed": seed,
            "starts_at": MONDAY.isoformat(),
            "nodes": NODES,
            "cover_weeks": 0.001,
            "accepts_fulfilment": True,
            "snapshot_hour": 2,
            "acknowledges_availability": True,
            "shows_prices": True,
            "faults": dict(faults),
            "suppliers": list(suppliers),
            **left_to_people(policies or FilePolicyBook()),
        }
        sandbox.post("/sandbox/v1/configure", settings)
        trading = {"starts_at": MONDAY.isoformat(), "days": days, "orders": orders}
        sandbox.post("/sandbox/v1/trading", trading)
        store = OperationalStore(engine, policies=policies)
        clock = store.clock = claim_simulated_time(store, MONDAY)
        partners = PartnerBook.load(sandbox_url=sandbox.url)
        with client(loopback_only=True) as session:
            pollers = {
                partner.code: PartnerPoller(
                    engine, Door(), partner, session=session, resilience=IMPATIENT
                )
                for partner in partners
                # Channels are asked here although they push: nobody listens.
                if partner.kind != "supplier_mailbox"
            }

            def collect(instant: datetime, told: frozenset[str] | None) -> int:
                asked = [code for code in pollers if told is None or code in told]
                return sum(pollers[code].poll(instant).received for code in asked)

            dispatcher = OutboxDispatcher(
                engine, partners, clock, session=session, resilience=IMPATIENT
            )
            simulation = Simulation(
                store,
                clock,
                Door(),
                dispatcher,
                collect,
                2_000,
                lambda _, __: None,
            )
            trading_ends = MONDAY + timedelta(days=days)
            while simulation.now < until:
                if kill_at is not None and simulation.now >= kill_at:
                    sandbox.kill()
                    sandbox.start()
                    kill_at = None
                if plans is not None and simulation.now >= MONDAY + timedelta(days=1):
                    plans(store)
                    plans = None
                hours = 4 if simulation.now < trading_ends else 24
                simulation.advance(simulation.now + timedelta(hours=hours))
        assert_all_invariants_hold(engine)
    except BaseException:
        engine.dispose()
        raise
    finally:
        sandbox.kill()
    return Week(engine, sandbox)
