"""Every event type: its struct, owner, consumer and lifecycle. The one list that the door asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from assets.contracts import (
    fulfilment,
    inventory,
    ledger,
    master_data,
    order,
    payment,
    purchasing,
    returns,
    shipment,
)

CompatibilityMode = Literal["backward", "forward", "full"]
Lifecycle = Literal["draft", "active", "deprecated", "retired"]


@dataclass(frozen=True)
class Contract:
    """One version of one event type.

    Attributes:
        event_type: ``retail.<family>.<fact>.v<version>``.
        struct: What its ``data`` must be.
        owner: The team that answers for it.
        consumer: The flow or ledger that applies it; its events wait while that is not built.
        phase: Order within a decision window: facts before the decisions that need them. See
            `phase_of` for the one fact whose turn depends on what it says.
        lifecycle: Draft types are refused at the door; deprecated ones are still taken.
        compatibility: What a later schema of the same version must keep; see
            `assets.contracts.compatibility`.
    """

    event_type: str
    struct: type[msgspec.Struct]
    owner: str
    consumer: str
    phase: int
    lifecycle: Lifecycle = "active"
    compatibility: CompatibilityMode = "full"

    @property
    def name(self) -> str:
        """The event's name after the door: ``retail.order.placed.v1`` → ``order_placed``."""
        _, family, fact, _ = self.event_type.split(".")
        return f"{family}_{fact}"


CONTRACTS: dict[str, Contract] = {
    contract.event_type: contract
    for contract in (
        Contract(
            "retail.node.registered.v1", master_data.NodeRegistered, "master_data", "master_data", 0
        ),
        Contract(
            "retail.product.registered.v1",
            master_data.ProductRegistered,
            "master_data",
            "master_data",
            0,
        ),
        Contract("retail.price.changed.v1", master_data.PriceChanged, "pricing", "master_data", 0),
        Contract(
            "retail.customer.registered.v1",
            master_data.CustomerRegistered,
            "customer_care",
            "master_data",
            0,
        ),
        Contract(
            "retail.inventory.counted.v1",
            inventory.InventoryCounted,
            "stock_control",
            "inventory",
            1,
        ),
        Contract(
            "retail.inventory.received.v1",
            inventory.InventoryReceived,
            "stock_control",
            "inventory",
            1,
        ),
        Contract(
            "retail.inventory.adjusted.v1",
            inventory.InventoryAdjusted,
            "stock_control",
            "inventory",
            1,
        ),
        Contract(
            "retail.inventory.inbound_announced.v1",
            inventory.InboundAnnounced,
            "stock_control",
            "inventory",
            1,
        ),
        Contract(
            "retail.inventory.correction_decided.v1",
            inventory.CorrectionDecided,
            "stock_control",
            "inventory",
            2,
        ),
        Contract(
            "retail.availability.acknowledged.v1",
            inventory.AvailabilityAcknowledged,
            "stock_control",
            "inventory",
            2,
        ),
        Contract("retail.price.shown.v1", master_data.PriceShown, "pricing", "master_data", 3),
        # Compared when all that happened by its time is applied, so by a consumer of its own.
        Contract(
            "retail.inventory.snapshot_taken.v1",
            inventory.InventorySnapshotTaken,
            "stock_control",
            "inventory_synchronisation",
            12,
        ),
        Contract("retail.ledger.adjusted.v1", ledger.LedgerAdjusted, "finance", "finance", 4),
        Contract(
            "retail.supplier.registered.v1",
            purchasing.SupplierRegistered,
            "purchasing",
            "procure_to_stock",
            0,
        ),
        Contract(
            "retail.supplier.applied.v1",
            purchasing.SupplierApplied,
            "purchasing",
            "procure_to_stock",
            0,
        ),
        Contract(
            "retail.supplier.check_decided.v1",
            purchasing.SupplierCheckDecided,
            "purchasing",
            "procure_to_stock",
            1,
        ),
        Contract(
            "retail.supplier.bank_decided.v1",
            purchasing.SupplierBankDecided,
            "accounts_payable",
            "procure_to_stock",
            1,
        ),
        Contract(
            "retail.purchase_order.placed.v1",
            purchasing.PurchaseOrderPlaced,
            "purchasing",
            "procure_to_stock",
            1,
        ),
        Contract(
            "retail.supplier.terms_set.v1",
            purchasing.SupplierTermsSet,
            "purchasing",
            "procure_to_stock",
            1,
        ),
        Contract(
            "retail.requisition.decided.v1",
            purchasing.RequisitionDecided,
            "purchasing",
            "procure_to_stock",
            1,
        ),
        Contract(
            "retail.purchase_order.acknowledged.v1",
            purchasing.PurchaseOrderAcknowledged,
            "purchasing",
            "procure_to_stock",
            2,
        ),
        Contract(
            "retail.goods.despatched.v1",
            purchasing.GoodsDespatched,
            "purchasing",
            "procure_to_stock",
            2,
        ),
        Contract(
            "retail.goods.received.v1",
            purchasing.GoodsReceived,
            "purchasing",
            "procure_to_stock",
            2,
        ),
        Contract(
            "retail.goods.inspected.v1",
            purchasing.GoodsInspected,
            "purchasing",
            "procure_to_stock",
            3,
        ),
        Contract(
            "retail.goods.put_away.v1",
            purchasing.GoodsPutAway,
            "purchasing",
            "procure_to_stock",
            4,
        ),
        Contract(
            "retail.supplier_invoice.received.v1",
            purchasing.SupplierInvoiceReceived,
            "accounts_payable",
            "procure_to_stock",
            3,
        ),
        Contract(
            "retail.purchase_order.clearing_decided.v1",
            purchasing.ClearingDecided,
            "accounts_payable",
            "procure_to_stock",
            4,
        ),
        Contract(
            "retail.supplier_invoice.release_decided.v1",
            purchasing.InvoiceReleaseDecided,
            "accounts_payable",
            "procure_to_stock",
            4,
        ),
        Contract(
            "retail.order.placed.v1", order.OrderPlaced, "order_desk", "order_to_fulfillment", 5
        ),
        Contract(
            "retail.order.cancelled.v1",
            order.OrderCancelled,
            "order_desk",
            "order_to_fulfillment",
            10,
        ),
        Contract(
            "retail.order.hold_decided.v1",
            order.OrderHoldDecided,
            "payments",
            "order_to_fulfillment",
            6,
        ),
        Contract(
            "retail.payment.authorised.v1",
            payment.PaymentAuthorised,
            "payments",
            "order_to_fulfillment",
            6,
        ),
        Contract(
            "retail.payment.declined.v1",
            payment.PaymentDeclined,
            "payments",
            "order_to_fulfillment",
            6,
        ),
        Contract(
            "retail.payment.screened.v1",
            payment.PaymentScreened,
            "payments",
            "order_to_fulfillment",
            6,
        ),
        Contract(
            "retail.fulfilment.accepted.v1",
            fulfilment.FulfilmentAccepted,
            "fulfilment",
            "order_to_fulfillment",
            7,
        ),
        Contract(
            "retail.fulfilment.rejected.v1",
            fulfilment.FulfilmentRejected,
            "fulfilment",
            "order_to_fulfillment",
            7,
        ),
        Contract(
            "retail.fulfilment.ready_for_pickup.v1",
            fulfilment.FulfilmentReadyForPickup,
            "store_operations",
            "order_to_fulfillment",
            # As a refusal, which may come before it or after it.
            7,
        ),
        Contract(
            "retail.fulfilment.collected.v1",
            fulfilment.FulfilmentCollected,
            "store_operations",
            "order_to_fulfillment",
            8,
        ),
        Contract(
            "retail.shipment.dispatched.v1",
            shipment.ShipmentDispatched,
            "fulfilment",
            "order_to_fulfillment",
            8,
        ),
        Contract(
            "retail.payment.captured.v1",
            payment.PaymentCaptured,
            "payments",
            "order_to_fulfillment",
            9,
        ),
        Contract(
            "retail.shipment.delivered.v1",
            shipment.ShipmentDelivered,
            "fulfilment",
            "order_to_fulfillment",
            9,
        ),
        Contract(
            "retail.payment.refunded.v1",
            payment.PaymentRefunded,
            "payments",
            "order_to_fulfillment",
            10,
        ),
        Contract(
            "retail.payment.refund_declined.v1",
            payment.PaymentRefundDeclined,
            "payments",
            "order_to_fulfillment",
            10,
        ),
        Contract(
            "retail.return.requested.v1",
            returns.ReturnRequested,
            "returns",
            "return_to_resolution",
            11,
        ),
    )
}

#: A customer on the way to a store is served before a parcel that could leave from elsewhere.
PICKUP_PHASE = 4


def phase_of(contract: Contract, payload: object) -> int:
    """An event's turn within its decision window; an order to be picked up comes before others."""
    if isinstance(payload, order.OrderPlaced) and payload.pickup is not None:
        return PICKUP_PHASE
    return contract.phase


BUILT_CONSUMERS = frozenset(
    {
        "master_data",
        "inventory",
        "finance",
        "procure_to_stock",
        "order_to_fulfillment",
        "inventory_synchronisation",
    }
)
