"""Fulfilment events: what a warehouse or store says about the work that it was given."""

from __future__ import annotations

from assets.contracts.fields import Code, EventData, Key


class FulfilmentAccepted(EventData, frozen=True, kw_only=True):
    """The node has taken the fulfilment order into its work."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key


class FulfilmentRejected(EventData, frozen=True, kw_only=True):
    """The node cannot do the fulfilment order; nothing of it was shipped."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key
    reason: Code
