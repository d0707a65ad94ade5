"""Cases: what needs a person, of which types there are, and what is known of each when it opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol, get_args

from assets.ports.messages import Scope
from assets.ports.playbooks import Action, TroubledCase

Severity = Literal["low", "medium", "high", "critical"]
#: From the least.
SEVERITIES: tuple[str, ...] = get_args(Severity)


class CaseType(StrEnum):
    """Every type of case. Whose it is, how urgent and what is done first are policies.

    A type is raised somewhere in the product or it is not here: the build looks.
    """

    # Orders and their goods
    ADDRESS_INVALID = "address_invalid"
    AUTHORISATION_MISMATCH = "authorisation_mismatch"
    BACKORDER_NOT_SUPPLIED = "backorder_not_supplied"
    BUNDLE_INCOMPLETE = "bundle_incomplete"
    CARRIER_DELAY = "carrier_delay"
    CARRIER_SILENCE = "carrier_silence"
    FULFILMENT_REJECTED = "fulfilment_rejected"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_HELD = "payment_held"
    PICKUP_NOT_FULFILLED = "pickup_not_fulfilled"
    PICKUP_NOT_READY = "pickup_not_ready"
    PICKUP_UNCLAIMED = "pickup_unclaimed"
    PREDECESSOR_MISSING = "predecessor_missing"
    PROMISE_BROKEN = "promise_broken"
    REFUND_DECLINED = "refund_declined"
    UNKNOWN_CHANNEL = "unknown_channel"
    # What partners say of an order that cannot be so
    CAPTURE_NOT_ASKED_FOR = "capture_not_asked_for"
    ILLEGAL_TRANSITION = "illegal_transition"
    NOT_A_PICKUP = "not_a_pickup"
    NOT_A_STORE = "not_a_store"
    ORDER_ALREADY_PLACED = "order_already_placed"
    REFUND_NOT_ASKED_FOR = "refund_not_asked_for"
    REJECTED_NOT_ALLOCATED = "rejected_not_allocated"
    SCREENING_NOT_ASKED_FOR = "screening_not_asked_for"
    SHIPMENT_NUMBER_USED = "shipment_number_used"
    SHIPPED_NOT_ALLOCATED = "shipped_not_allocated"
    UNKNOWN_FULFILMENT_ORDER = "unknown_fulfilment_order"
    WAITS_FOR_ITS_CUSTOMER = "waits_for_its_customer"
    WRONG_NODE = "wrong_node"
    # Stock, master data and prices
    BUNDLE_OF_BUNDLES = "bundle_of_bundles"
    BUNDLE_WITHOUT_COMPONENTS = "bundle_without_components"
    BUNDLE_WITH_STOCK = "bundle_with_stock"
    OUT_OF_STOCK = "out_of_stock"
    PRICE_PARITY = "price_parity"
    SHORTAGE_AFTER_COUNT = "shortage_after_count"
    SNAPSHOT_MASS_DROP = "snapshot_mass_drop"
    SNAPSHOT_OF_UNKNOWN_SKUS = "snapshot_of_unknown_skus"
    STOCK_BEYOND_THE_BOOKS = "stock_beyond_the_books"
    STOCK_CORRECTION = "stock_correction"
    STOCK_DRIFT = "stock_drift"
    # Purchases and what suppliers charge
    BANK_CHANGE = "bank_change"
    DUPLICATE_INVOICE = "duplicate_invoice"
    GOODS_NOT_THERE = "goods_not_there"
    INVOICE_HELD = "invoice_held"
    NO_DOCK_FREE = "no_dock_free"
    OVER_RECEIPT = "over_receipt"
    RECEIPT_NOT_ORDERED = "receipt_not_ordered"
    RELEASE_NOT_ASKED_FOR = "release_not_asked_for"
    SUPPLIER_DUPLICATE = "supplier_duplicate"
    SUPPLIER_INVALID = "supplier_invalid"
    SUPPLIER_SHORTAGE = "supplier_shortage"
    SUPPLIER_STANDING = "supplier_standing"
    DEMAND_SPIKE = "demand_spike"
    NOT_ORDERABLE = "not_orderable"
    # The platform's own work
    CONTRACT_VIOLATION = "contract_violation"
    DATA_QUALITY_GATE_FAILED = "data_quality_gate_failed"
    DEAD_LETTER = "dead_letter"
    FLOW_FAILED = "flow_failed"
    INBOX_LAG = "inbox_lag"
    PARTNER_UNAVAILABLE = "partner_unavailable"
    POLICY_REFUSED = "policy_refused"
    QUARANTINED_ROWS = "quarantined_rows"
    RUN_FAILED = "run_failed"


#: Whose work a case of a type is about; of all others it is order-to-fulfillment's.
FLOWS: dict[str, frozenset[CaseType]] = {
    "inventory": frozenset(
        {
            CaseType.BUNDLE_WITH_STOCK,
            CaseType.OUT_OF_STOCK,
            CaseType.SHORTAGE_AFTER_COUNT,
            CaseType.SNAPSHOT_MASS_DROP,
            CaseType.SNAPSHOT_OF_UNKNOWN_SKUS,
            CaseType.STOCK_BEYOND_THE_BOOKS,
            CaseType.STOCK_CORRECTION,
            CaseType.STOCK_DRIFT,
        }
    ),
    "master_data": frozenset(
        {CaseType.BUNDLE_OF_BUNDLES, CaseType.BUNDLE_WITHOUT_COMPONENTS, CaseType.PRICE_PARITY}
    ),
    "procure_to_stock": frozenset(
        {
            CaseType.BANK_CHANGE,
            CaseType.DUPLICATE_INVOICE,
            CaseType.GOODS_NOT_THERE,
            CaseType.INVOICE_HELD,
            CaseType.NO_DOCK_FREE,
            CaseType.OVER_RECEIPT,
            CaseType.RECEIPT_NOT_ORDERED,
            CaseType.RELEASE_NOT_ASKED_FOR,
            CaseType.SUPPLIER_DUPLICATE,
            CaseType.SUPPLIER_INVALID,
            CaseType.SUPPLIER_SHORTAGE,
            CaseType.SUPPLIER_STANDING,
            CaseType.DEMAND_SPIKE,
            CaseType.NOT_ORDERABLE,
        }
    ),
    "platform": frozenset(
        {
            CaseType.CONTRACT_VIOLATION,
            CaseType.DATA_QUALITY_GATE_FAILED,
            CaseType.DEAD_LETTER,
            CaseType.FLOW_FAILED,
            CaseType.INBOX_LAG,
            CaseType.PARTNER_UNAVAILABLE,
            CaseType.POLICY_REFUSED,
            CaseType.QUARANTINED_ROWS,
            CaseType.RUN_FAILED,
        }
    ),
}


def flow_of(case_type: str) -> str:
    """Whose work a case of a type is about."""
    of_others = (flow for flow, types in FLOWS.items() if case_type in types)
    return next(of_others, "order_to_fulfillment")


class OfOrder(Scope, Protocol):
    """What an order says of a case about it."""

    @property
    def order_id(self) -> str: ...
    @property
    def payable_amount(self) -> int: ...
    @property
    def currency_code(self) -> str: ...
    @property
    def promised_date(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class About:
    """What a case is about, as far as whoever opens it knows; routing goes by it.

    Attributes:
        region: Of the order or event, as are ``brand`` and ``channel``; empty where it is the
            whole house's.
        value_at_risk: What may be lost (ten-thousandths of ``currency_code``).
        promised_date: The day that a customer was promised: the service commitment.
    """

    region: str = ""
    brand: str = ""
    channel: str = ""
    order_id: str | None = None
    node_id: str | None = None
    value_at_risk: int | None = None
    currency_code: str | None = None
    promised_date: date | None = None

    @classmethod
    def scope(
        cls,
        scope: Scope,
        node_id: str | None = None,
        value_at_risk: int | None = None,
        currency_code: str | None = None,
    ) -> About:
        """Of an event: whose business it is, and what it says of goods at a node."""
        return cls(
            scope.region,
            scope.brand,
            scope.channel,
            node_id=node_id,
            value_at_risk=value_at_risk,
            currency_code=currency_code,
        )

    @classmethod
    def order(
        cls, order: OfOrder, node_id: str | None = None, value_at_risk: int | None = None
    ) -> About:
        """Of an order: all of what is to be paid is at risk unless another value is."""
        return cls(
            order.region,
            order.brand,
            order.channel,
            order.order_id,
            node_id,
            order.payable_amount if value_at_risk is None else value_at_risk,
            order.currency_code,
            order.promised_date,
        )


NOTHING_KNOWN = About()


@dataclass(frozen=True, slots=True)
class Case:
    """Something that needs a person; the same cause twice is one case that counts two.

    Attributes:
        case_type: What is wrong.
        business_key: Of what, as people name it; with the type it is the case's identity.
        reason: In a sentence.
        about: What is known of it.
        brought_by: Whose contract, command or gate it is, where the type leaves it to that team.
    """

    case_type: CaseType
    business_key: str
    reason: str
    about: About = NOTHING_KNOWN
    brought_by: str = ""


@dataclass(frozen=True, slots=True)
class UnroutedCase:
    """A case that routing has not seen in its present cycle, whether or not it is over by now.

    Attributes:
        cycle: 1, and one more each time that it opens again.
        since: When the cycle began (effective time).
        value_at_risk: In ten-thousandths of ``currency_code``; both are known or neither is.
    """

    case_id: str
    case_type: str
    business_key: str
    cycle: int
    since: datetime
    brought_by: str
    region: str
    brand: str
    channel: str
    value_at_risk: int | None
    currency_code: str | None
    promised_date: date | None


@dataclass(frozen=True, slots=True)
class CaseRoute:
    """Whose a case is, how urgent, and by when.

    Attributes:
        owner: The queue.
        handling_minutes: What it usually takes.
        delay_cost_per_hour: What an hour more costs (ten-thousandths of the house's currency).
        service_level: Its name in the policy.
        budget_seconds: Working time that its owner has.
        due_at: When that is used up (UTC), as is ``next_rung_at`` of the ladder's first rung.
        playbook: What is done about it without a person, if anything is; first at
            ``next_action_at``.
        policy_hash: Of the policies that said so, together.
    """

    case_id: str
    owner: str
    severity: str
    handling_minutes: int
    delay_cost_per_hour: int
    service_level: str
    calendar: str
    budget_seconds: int
    due_at: datetime
    next_rung_at: datetime | None
    playbook: str | None
    next_action_at: datetime | None
    policy_hash: str


@dataclass(frozen=True, slots=True)
class RunningCase:
    """An open case whose time runs, as far as its ledger says.

    Attributes:
        calendar: By which its time runs.
        budget_seconds: Working time of its present cycle.
        consumed_seconds: Of it, what was gone at ``running_since``.
        next_rung: Of the ladder, the first that was not looked at; 0 at first.
    """

    case_id: str
    case_type: str
    business_key: str
    severity: str
    cycle: int
    movement_number: int
    owner: str
    assigned_to: str | None
    region: str
    brand: str
    value_at_risk: int | None
    currency_code: str | None
    calendar: str
    budget_seconds: int
    consumed_seconds: int
    running_since: datetime
    due_at: datetime
    next_rung: int
    is_paused: bool


class ServiceTime(NamedTuple):
    """What a case's time is from now on, as `Cases.put_times` writes it."""

    case_id: str
    owner: str
    assigned_to: str | None
    calendar: str
    due_at: datetime
    next_rung: int
    next_rung_at: datetime | None
    paused_at: datetime | None
    pause_reason: str | None


class Cases(Protocol):
    """Cases as whoever routes them needs them."""

    def unrouted(self, limit: int) -> list[UnroutedCase]:
        """Cases that are nobody's yet, open or over, locked until the transaction ends."""
        ...

    def put_routes(self, routes: Sequence[CaseRoute], at: datetime) -> None:
        """Write whose each of these cases is, and by when."""
        ...

    def on_a_rung(self, at: datetime, limit: int) -> list[RunningCase]:
        """Cases whose next rung is due by then, the first first; locked, without others' locks."""
        ...

    def running(self, case_ids: Sequence[str]) -> list[RunningCase]:
        """Those of these cases that are open and routed, locked."""
        ...

    def put_times(self, times: Sequence[ServiceTime]) -> None:
        """Write whose each case is now, when it is due and when its next rung is."""
        ...

    def awaiting_action(
        self, playbook: str, at: datetime, limit: int, case_ids: Sequence[str] | None
    ) -> list[TroubledCase]:
        """Open cases on which a playbook is to act by then, the longest due first, locked.

        Those that another worker holds are left out. With ids, those of these cases that have the
        playbook, whenever their next action is due.
        """
        ...

    def spent_on(self, playbook: str, since: datetime) -> int:
        """What a playbook's actions have cost since then (ten-thousandths)."""
        ...

    def put_actions(self, actions: Sequence[Action]) -> None:
        """Write when each case is acted on next."""
        ...
