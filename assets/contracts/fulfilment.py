"""Fulfilment events: what a warehouse or store says about the work that it was given."""

from __future__ import annotations

import msgspec

from assets.contracts.fields import Code, Key


class FulfilmentAccepted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The node has taken the fulfilment order into its work."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key


class FulfilmentRejected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The node cannot do the fulfilment order; nothing of it was shipped."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key
    reason: Code
