"""A trading week of a small retailer, through the whole product, in a home of its own.

Its partner systems run as a sandbox over loopback HTTP and push signed webhooks to a real gateway;
everything after that is what a retailer's own home runs. The week is simulated, so it takes a
minute.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from assets.commerce.money import to_text
from assets.inventory.synchronisation.policy import synchronisation_policy
from assets.order_to_fulfillment.pickup.policy import pickup_policy
from assets.ports import PolicyBook
from orchestration import demo_spike, services, supervisor
from orchestration.dagster_report import tell_dagster
from orchestration.demo_spike import SpikeStory
from orchestration.environment import Environment
from orchestration.home import Home, open_home
from orchestration.processes import Running, running, stop_orphan
from orchestration.publication import Published, publish_marts
from orchestration.sandbox import running_sandbox
from orchestration.simulation import (
    Progress,
    Simulation,
    claim_simulated_time,
    only_one,
    tell_people,
)
from resources.dagster_reporting import reporting
from resources.operational_store.door import Door
from resources.operational_store.people import put_person
from resources.operational_store.store import OperationalStore, create_engine
from resources.outbox_dispatcher import OutboxDispatcher
from resources.partners import PartnerBook
from resources.policy_book import FilePolicyBook

#: A Monday; the week is the same whenever it is run.
STARTS_AT = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 7
#: A parcel that its carrier says nothing of comes after four working weeks.
TAIL_DAYS = 32
ORDERS = 1_500
#: Part of the orders that have a bundle among their lines.
SET_SHARE = 0.06
#: From Thursday on every seventh order of the home region has a tea towel among its lines for
#: some reason; a recipe, a programme on television.
RISE = {"product_class": demo_spike.CLASS, "from_day": 3, "share": 0.15}
QUANTUM = timedelta(hours=4)
#: When nobody orders any more there is nothing to decide within a day.
TAIL_QUANTUM = timedelta(days=1)
#: In which the last of what partners tell late or twice has come.
SETTLING = timedelta(days=2)
SEED = "demo"

#: Shares of events, commands, parcels and orders that something is wrong with, as in any week.
FAULTS = {
    "duplicate_delivery": 0.01,
    "late": 0.005,
    "out_of_order": 0.01,
    "malformed": 0.005,
    "timeout_after_success": 0.001,
    "too_many_requests": 0.001,
    "server_error": 0.001,
    "store_reject": 0.005,
    "carrier_silence": 0.005,
    "payment_decline": 0.02,
    "payment_outage": 0.02,
    "pickup_reject": 0.06,
    "no_show": 0.08,
    "screening_hold": 0.2,
    "screening_reject": 0.05,
    "supplier_overcharge": 0.2,
    "supplier_short": 0.2,
    "supplier_broken": 0.3,
    "supplier_over": 0.3,
    "supplier_copy": 0.5,
    "price_mismatch": 0.0002,
    "stock_late": 0.005,
    "stock_lost": 0.002,
    "stock_duplicate": 0.002,
    "stock_out_of_order": 0.0005,
    "stock_unit_of_measure": 0.0005,
    "stock_miscount": 0.001,
    "stock_oversell": 0.0002,
}

RETAILER = {
    "starts_at": STARTS_AT.isoformat(),
    "zone": "Europe/London",
    "legal_entity": "retailer_uk",
    "brand": "house",
    "region": "uk",
    "faults": FAULTS,
    "accepts_fulfilment": True,
    # At two in the morning nothing moves; each system tells of it when the day begins.
    "snapshot_hour": 2,
    "acknowledges_availability": True,
    "announces_inbound": True,
    "shows_prices": True,
    # Who sells tea towels; the ERP orders of him only what it is told to, and he reads the portal.
    "suppliers": [
        {
            "supplier_id": demo_spike.SUPPLIER,
            "name": "Loomworks Ltd",
            "product_classes": [demo_spike.CLASS],
            "lead_time_days": 5,
            "order_channel": "portal",
        }
    ],
    "nodes": [
        {"node_id": "dc_midlands", "kind": "warehouse", "country": "GB", "stock_share": 8},
        {"node_id": "store_leeds", "kind": "store", "country": "GB", "stock_share": 1},
        {"node_id": "store_bristol", "kind": "store", "country": "GB", "stock_share": 1},
        # Bulky things come from whoever makes them.
        {"node_id": "supplier_northmill", "kind": "drop_ship", "country": "GB"},
    ],
}

#: Who may act in a demo's home, with ``--as NAME``: roles and queues.
PEOPLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ada": (("administrator",), ("platform",)),
    "paul": (("payments_agent",), ("payments",)),
    "lee": (("payments_lead",), ("payments",)),
    "olga": (("order_desk_lead",), ("order_desk",)),
    "sam": (("stock_controller",), ("stock_control",)),
    "stella": (("stock_control_lead",), ("stock_control",)),
    "pia": (("purchasing_lead",), ("purchasing",)),
    "alma": (("accounts_payable_lead",), ("accounts_payable",)),
    "fay": (("finance_controller", "head_of_finance"), ("finance",)),
    "hugo": (("head_of_operations",), ("operations",)),
    "dora": (("director", "chief_operating_officer"), ()),
}

Say = Callable[[str, datetime | None], None]


@dataclass(frozen=True)
class DemoRun:
    """What a demo leaves behind, for the scorecard."""

    home: Home
    planned: dict[str, object]
    progress: Progress
    pushed: int
    published: Published
    spike: SpikeStory


def demo_home(environment: Environment) -> Home:
    """The demo's own home beside the given one, new each time."""
    path = environment.home.with_name(f"{environment.home.name}-demo")
    environment = replace(environment, home=path)
    if (path / "home.json").exists():
        stale = open_home(environment)
        with only_one(stale):
            stop_orphan(stale, "sandbox", str(path / "sandbox"))
            stop_orphan(stale, "gateway", "orchestration.gateway")
            supervisor.down(stale)
            shutil.rmtree(path)
    return open_home(environment)


def run(home: Home, say: Say, seed: str = SEED) -> DemoRun:
    """Trade a week.

    Args:
        home: Where; it is new, and its database runs.
        say: Told where we are.
        seed: Another one is another week, in which other things go wrong.

    Raises:
        EnvironmentProblem: If something of it cannot be started, or stops in the middle.
    """
    say("preparing Dagster", None)
    supervisor.prepare_dagster(home, {name: home.port(name) for name in services.listening()})
    demo_spike.write_policy(home.policies)
    policies = FilePolicyBook(home.policies)
    store = OperationalStore(create_engine(home.database_url), policies=policies)
    clock = claim_simulated_time(store, STARTS_AT)
    store.clock = clock
    with store.transaction() as connection:
        for person, (roles, queues) in PEOPLE.items():
            put_person(connection, person, roles, queues)
    say("starting the gateway and the partner systems", None)
    with (
        only_one(home),
        reporting(home.dagster) as dagster,
        _gateway(home) as gateway,
        running_sandbox(home, gateway.url) as sandbox,
    ):
        partners = PartnerBook.load(sandbox_url=sandbox.url)
        home.source_keys(partner.code for partner in partners)
        settings = {**RETAILER, **left_to_people(policies), "seed": seed}
        sandbox.tell("/sandbox/v1/configure", settings)
        planned = sandbox.tell(
            "/sandbox/v1/trading",
            {
                "starts_at": STARTS_AT.isoformat(),
                "days": DAYS,
                "orders": ORDERS,
                "set_share": SET_SHARE,
                "rise": RISE,
            },
        )
        pushed = 0

        def collect(until: datetime, _told: frozenset[str] | None) -> int:
            nonlocal pushed
            tally = sandbox.tell("/sandbox/v1/advance", {"until": until.isoformat()})
            pushed += int(tally["delivered"])
            return int(tally["delivered"])

        patience = policies.operations.partner_calls
        dispatcher = OutboxDispatcher(
            store.engine, partners, clock, resilience=patience, session=sandbox.session
        )
        simulation = Simulation(
            store, clock, Door(), dispatcher, collect, batch_size=2_000, report=dagster.report
        )
        end = STARTS_AT + timedelta(days=DAYS + TAIL_DAYS)
        trading_ends = STARTS_AT + timedelta(days=DAYS)
        story = SpikeStory()
        while simulation.now < trading_ends or (
            simulation.now < end and store.has_orders_in_flight()
        ):
            is_trading = simulation.now < trading_ends
            simulation.advance(simulation.now + (QUANTUM if is_trading else TAIL_QUANTUM))
            say("trading" if is_trading else "delivering what is left", simulation.now)
            demo_spike.watch(home, store, story)
        # Day by day as well: of two days at once the product would hear what is over already.
        settled = simulation.now + SETTLING
        while simulation.now < settled:
            simulation.advance(simulation.now + TAIL_QUANTUM)
    demo_spike.tell(store, story)
    tell_people(home, store)
    say("building the marts", None)
    published = publish_marts(home, store)
    tell_dagster(home, store, published)
    store.engine.dispose()
    return DemoRun(home, planned, simulation.progress, pushed, published, story)


def left_to_people(policies: PolicyBook) -> dict[str, str]:
    """Worth from which the retailer's own rules ask a person, for the answer key."""
    scope = (str(RETAILER["region"]), str(RETAILER["brand"]))
    pickup = pickup_policy(policies.resolve("pickup", *scope))
    synchronisation = synchronisation_policy(policies.resolve("inventory_synchronisation", *scope))
    amounts = {
        "unclaimed_case_from": pickup.unclaimed_case_from("GBP"),
        "corrected_up_to": synchronisation.booked_up_to("GBP"),
    }
    return {name: to_text(amount) for name, amount in amounts.items() if amount is not None}


@contextmanager
def _gateway(home: Home) -> Iterator[Running]:
    home.source_keys([])

    def command(port: int) -> list[str]:
        services.write_gateway_settings(home, {"gateway": port})
        settings = str(services.gateway_settings_path(home))
        return [sys.executable, "-m", "orchestration.gateway", "--settings", settings]

    with running(home, "gateway", command) as gateway:
        yield gateway
