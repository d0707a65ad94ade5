"""Other systems' stock, beside ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol


class Proposal(NamedTuple):
    """A correction of one SKU that a snapshot has led to.

    Attributes:
        quantity: Units that were proposed (each, signed).
        status: Of its last step: ``proposed`` where nobody has decided.
        revision: Of its last step.
        as_of: The instant of the snapshot (UTC).
    """

    system: str
    node_id: str
    sku: str
    snapshot_id: str
    quantity: int
    amount: int
    currency_code: str
    status: str
    revision: int
    as_of: datetime


class Synchronisation(Protocol):
    """What is known of other systems' stock, and what could explain that it is not ours.

    Facts are (sku, what it is, units, when); what each shows is said where drift is explained, in
    `assets.inventory.synchronisation.evidence`.
    """

    def watermark(self) -> int:
        """The last number that the stock ledgers have given."""
        ...

    def newest(self, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
        """Time of the newest snapshot that was compared, by (system, node or channel).

        Only of these, and only where there is one.
        """
        ...

    def released(self, case_type: str, business_keys: Iterable[str]) -> set[str]:
        """Those of these cases that a person has closed."""
        ...

    def proposals(self, places: Iterable[tuple[str, str, str]]) -> list[Proposal]:
        """The newest correction that was proposed of each (system, node, SKU), decided or not."""
        ...

    def spoken_for(self, systems: Sequence[str], node_id: str, since: datetime) -> set[str]:
        """SKUs of a node of which one of these systems has said something since."""
        ...

    def facts_of_node(
        self, system: str, node_id: str, skus: Sequence[str], since: datetime, as_of: datetime
    ) -> list[tuple[str, str, int, datetime]]: ...

    def levels(self, channel: str, skus: Sequence[str], as_of: datetime) -> dict[str, int]:
        """What a channel had last been told of each SKU by an instant."""
        ...

    def facts_of_channel(
        self, channel: str, skus: Sequence[str], since: datetime, as_of: datetime
    ) -> list[tuple[str, str, int, datetime]]: ...

    def arrived_late(
        self, since: Mapping[str, datetime]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[str, str, int]]]:
        """Each node's drift since, as last coded, and what of before it has moved later.

        Of SKUs only that something has moved of. The coding: (snapshot_id, sku, reason_code,
        quantity, revision, amount a unit, currency, as_of, system, node_id, units booked by a
        correction, its last step). The movements: (snapshot_id, sku, quantity); of corrections
        only those count that a snapshot knew of and that were taken back.
        """
        ...
