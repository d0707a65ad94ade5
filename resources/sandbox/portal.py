"""The suppliers' portal: takes orders for those who have no system that speaks to the ERP.

What they say to an order, that goods are on their way and what they charge is told here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from assets.contracts.fields import Currency, Key
from assets.contracts.purchasing import PurchaseOrderLine
from resources.sandbox.erp import Erp
from resources.sandbox.partner import Command, PartnerSystem, Refused, World
from resources.sandbox.supplied import Order, fulfil

_READ_AFTER = timedelta(minutes=5)


class _Sent(msgspec.Struct, gc=False):
    purchase_order_id: Key
    version: int
    status: Literal["open", "closed"]
    supplier_id: Key
    node_id: Key
    currency: Currency
    lines: list[PurchaseOrderLine]


_sent = msgspec.json.Decoder(_Sent).decode


class SupplierPortal(PartnerSystem):
    """Hands each order to its supplier, the first version of it; later ones change nothing here."""

    def __init__(self, code: str, world: World, erp: Erp) -> None:
        super().__init__(code, world)
        self._erp = erp
        self._taken: set[str] = set()

    def perform(self, command: Command) -> None:
        """Take an order.

        Raises:
            Refused: If it is none, or nobody here is called so.
        """
        if command.command_type != "purchase_order.send":
            raise Refused(f"{self.code} does not know the command {command.command_type}")
        sent = _sent(command.payload)
        known = {one.supplier_id: one for one in self.world.settings.suppliers}
        supplier = known.get(sent.supplier_id)
        if supplier is None or supplier.order_channel == "erp":
            raise Refused(f"nobody here is called {sent.supplier_id}")
        # What is cancelled does not begin; what has begun is on its way.
        if sent.purchase_order_id in self._taken or sent.status == "closed":
            return
        self._taken.add(sent.purchase_order_id)
        order = Order(
            sent.purchase_order_id, sent.supplier_id, sent.node_id, sent.currency, sent.lines
        )
        fulfil(order, command.effective_at + _READ_AFTER, command, speaker=self, erp=self._erp)
