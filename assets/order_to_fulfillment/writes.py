"""What one batch of this flow will store: collected in memory, written as sets at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from assets.commerce.identifiers import order_id_text
from assets.exception_routing.policy import PlaybookPolicy, playbooks_policy
from assets.facts import in_columns
from assets.flow_writes import FlowWrites
from assets.inventory.ledger import LEDGERS, PositionChanges, StockLedgers
from assets.inventory.publication import house_channels
from assets.order_to_fulfillment.backordering.ledger import BACKORDER_MOVEMENT, PoolChanges
from assets.order_to_fulfillment.backordering.policy import BackorderPolicy, backorder_policy
from assets.order_to_fulfillment.pickup.policy import PickupPolicy, pickup_policy
from assets.order_to_fulfillment.policy import OrderPolicy, order_policy
from assets.order_to_fulfillment.rules import FINAL_STATES
from assets.ports import (
    CONTACT,
    About,
    BundleView,
    CaseType,
    Command,
    FulfilmentOrderView,
    InboxEvent,
    OrderView,
    PickupView,
    Playbook,
    Reservation,
    UnitOfWork,
)

OWNER = "order_desk"
#: What may wait for consent about a case of a type; when the case is over, so is the question.
CONSENT_OF: dict[str, tuple[str, ...]] = {
    CaseType.PAYMENT_HELD: ("hold_release", "order_cancellation")
}

COLUMNS = {
    "order_placed": (
        "order_id",
        "order_number",
        "source",
        "legal_entity",
        "brand",
        "region",
        "channel",
        "correlation_id",
        "customer_id",
        "country_code",
        "service_level",
        "currency_code",
        "line_count",
        "ordered_quantity",
        "goods_amount",
        "charge_amount",
        "total_amount",
        "trading_date",
        "promised_date",
        "occurred_at",
    ),
    "order_line": (
        "order_id",
        "line_number",
        "sku",
        "ordered_quantity",
        "reserved_quantity",
        "unfilled_quantity",
        "unfilled_reason_code",
        "backordered_quantity",
        "unit_price",
        "line_amount",
        "tax_amount",
    ),
    "order_line_component": (
        "order_id",
        "component_number",
        "line_number",
        "sku",
        "quantity_per_bundle",
        "unit_price",
    ),
    "order_charge": ("order_id", "charge_number", "charge_code", "charge_amount"),
    "reservation_movement": LEDGERS["reservation_movement"],
    "backorder_movement": BACKORDER_MOVEMENT,
    "order_promise": (
        "order_id",
        "promise_number",
        "promised_date",
        "cause_code",
        "occurred_at",
    ),
    "deallocation": ("order_id", "line_number", "node_id", "sku", "quantity", "reason_code"),
    "stock_movement": LEDGERS["stock_movement"],
    "shipment_dispatched": (
        "shipment_id",
        "shipment_number",
        "order_id",
        "fulfilment_order_id",
        "node_id",
        "carrier",
        "shipped_quantity",
        "occurred_at",
    ),
    "bundle_handed_over": (
        "shipment_id",
        "line_number",
        "order_id",
        "sku",
        "quantity",
        "occurred_at",
    ),
    "shipment_delivered": ("shipment_id", "shipment_number", "order_id", "occurred_at"),
    "pickup_step": (
        "order_id",
        "attempt",
        "step",
        "step_number",
        "node_id",
        "promised_ready_at",
        "reason_code",
        "occurred_at",
    ),
    "payment_screened": (
        "payment_screened_id",
        "order_id",
        "payment_reference",
        "outcome",
        "reason_code",
        "decided_by",
        "occurred_at",
    ),
    "payment_movement": (
        "payment_movement_id",
        "order_id",
        "payment_reference",
        "kind",
        "amount",
        "currency_code",
        "occurred_at",
    ),
    "decision_record": (
        "decision_id",
        "decision_batch_id",
        "kind",
        "business_key",
        "outcome",
        "reason_codes",
    ),
}


class Writes(FlowWrites):
    """Facts by table, state by order, and what goes out.

    Attributes:
        positions: What happens to stock positions.
        pools: What happens to pools of lines that wait for supply.
        orders: Every order that this batch touched.
        fulfilment_orders: Every fulfilment order that this batch touched.
        of_order: The same by order.
        pickups: What of these orders is picked up, by order.
        bundles: Bundles of orders of which something leaves, by order.
    """

    consent_of = CONSENT_OF

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        super().__init__(unit_of_work, COLUMNS)
        self.positions = PositionChanges()
        self.pools = PoolChanges(self.rows)
        self.orders: dict[str, OrderView] = {}
        self.fulfilment_orders: dict[str, FulfilmentOrderView] = {}
        self.of_order: dict[str, list[FulfilmentOrderView]] = defaultdict(list)
        self.pickups: dict[str, PickupView] = {}
        self.bundles: dict[str, list[BundleView]] = {}
        self._contacts: list[tuple[Any, ...]] = []
        self._policies: dict[tuple[str, str], OrderPolicy] = {}
        self._pickup_policies: dict[tuple[str, str], PickupPolicy] = {}

    @property
    def stock_ledgers(self) -> StockLedgers:
        """Where movements of units go, with their value."""
        return StockLedgers(self.unit_of_work, self.rows, self.positions, self.journal)

    @cached_property
    def channels(self) -> frozenset[str]:
        """The channels of the house, as the policy of inventory names them."""
        return frozenset(house_channels(self.unit_of_work.policies))

    def policy(self, region: str, brand: str) -> OrderPolicy:
        """This flow's policy in a region and brand."""
        scope = (region, brand)
        if scope not in self._policies:
            values = self.unit_of_work.policies.resolve("order_to_fulfillment", *scope)
            self._policies[scope] = order_policy(values)
        return self._policies[scope]

    def pickup_policy(self, region: str, brand: str) -> PickupPolicy:
        """The policy of pickups in a region and brand."""
        scope = (region, brand)
        if scope not in self._pickup_policies:
            values = self.unit_of_work.policies.resolve("pickup", *scope)
            self._pickup_policies[scope] = pickup_policy(values)
        return self._pickup_policies[scope]

    def backorder_policy(self, region: str, brand: str) -> BackorderPolicy:
        """The policy of backorders and preorders in a region and brand."""
        return backorder_policy(self.unit_of_work.policies.resolve("backorder", region, brand))

    def playbook(self, playbook: Playbook, region: str, brand: str) -> PlaybookPolicy:
        """When a playbook acts on cases of a region and brand."""
        values = self.unit_of_work.policies.resolve("playbooks", region, brand)
        return playbooks_policy(values).playbooks[playbook]

    def send(
        self,
        partner: str,
        command_type: str,
        order: OrderView,
        payload: dict[str, Any],
        discriminator: str = "",
        owner: str = OWNER,
    ) -> None:
        """Tell a partner something about an order; its commands keep their order."""
        self.tell(
            Command(
                partner=partner,
                command_type=command_type,
                business_key=order.order_id,
                scope=order,
                payload=payload,
                owner=owner,
                caused_at=order.changed_at or self.unit_of_work.effective_at,
                discriminator=discriminator,
            )
        )

    def order_of(self, event: InboxEvent) -> OrderView:
        """The order that an event is about, as what that event now changes."""
        order = self.orders[order_id_of(event)]
        order.changed_at = event.occurred_at
        return order

    def hold(self, fulfilment_orders: Iterable[FulfilmentOrderView]) -> None:
        """Keep fulfilment orders at hand, by themselves and by their order."""
        for fulfilment_order in fulfilment_orders:
            self.fulfilment_orders[fulfilment_order.fulfilment_order_id] = fulfilment_order
            self.of_order[fulfilment_order.order_id].append(fulfilment_order)

    def is_picked_up(self, fulfilment_order: FulfilmentOrderView) -> bool:
        """Whether a customer comes for it, rather than a carrier."""
        pickup = self.pickups.get(fulfilment_order.order_id)
        return pickup is not None and pickup.node_id == fulfilment_order.node_id

    def tell_customer(
        self, order: OrderView, template: str, occasion: str = "", **told: Any
    ) -> None:
        """One message a state change, by the CRM; an occasion tells apart a change that recurs."""
        payload = {
            "order_number": order.order_number,
            "customer_id": order.customer_id,
            "template": template,
            **told,
        }
        discriminator = template
        if occasion:
            payload["occasion"] = occasion
            discriminator = f"{template}/{occasion}"
        self.send(
            "crm",
            "message.send",
            order,
            payload,
            discriminator=discriminator,
            owner="customer_care",
        )

    def cancel_at_erp(self, order: OrderView, reason: str) -> None:
        """Close the ERP's sales order of an order that ends without goods."""
        payload = {"order_number": order.order_number, "reason": reason}
        self.send("erp", "sales_order.cancel", order, payload)

    def remember_contact(self, *contact: str | None) -> None:
        """Personal data of a customer, in the order of `assets.ports.CONTACT`."""
        self._contacts.append(contact)

    def reservations_of(self, order_ids: Iterable[str]) -> dict[str, list[Reservation]]:
        """Open reservations by order."""
        result: dict[str, list[Reservation]] = defaultdict(list)
        for reservation in self.unit_of_work.stock.open_reservations(list(order_ids)):
            result[reservation.order_id].append(reservation)
        return result

    def refuse(self, event: InboxEvent, case_type: CaseType, reason: str) -> None:
        """Quarantine an event that its order cannot take, and open a case for it."""
        self.unit_of_work.inbox.quarantine(event, case_type, reason)
        key = f"{event.channel}/{event.subject}"
        self.open_case(case_type, key, reason, About.scope(event))

    def _settle_promise(self, order: OrderView) -> None:
        """Nobody waits any more for what was promised and did not come."""
        for case_type in (CaseType.CARRIER_DELAY, CaseType.PROMISE_BROKEN):
            key = f"{order.channel}/{order.order_number}"
            self.close_case(case_type, key, f"the order is {order.status}")

    def put_state(self) -> None:
        """Where orders, fulfilment orders and pickups stand, and what became of stock and pools."""
        unit_of_work = self.unit_of_work
        if self._contacts:
            unit_of_work.master_data.put_customers(in_columns(CONTACT, self._contacts))
            self._contacts.clear()
        self.positions.flush(unit_of_work)
        self.pools.flush(unit_of_work)
        for order in self.orders.values():
            if order.status in FINAL_STATES:
                order.promised_date = None
                if order.promise_number > 1:
                    self._settle_promise(order)
        unit_of_work.orders.put_states(self.orders.values())
        unit_of_work.orders.put_fulfilment_orders(self.fulfilment_orders.values())
        unit_of_work.pickups.put(self.pickups.values())


def order_id_of(event: InboxEvent) -> str:
    """The order that an event is about: its channel's number in its channel."""
    return order_id_text(event.channel, event.data.order_number)
