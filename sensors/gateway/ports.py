"""What the gateway is given: somewhere to put events, somewhere to look things up, keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from assets.contracts.admission import Receipt, Refusal, Submission
from assets.contracts.answers import OrderStatus, SkuAvailability
from assets.errors import RetailFlowError


class StoreUnavailable(RetailFlowError):
    """The store cannot be reached or does not take anything now; the sender should come again."""


class Intake(Protocol):
    """The door with its transaction. Called from one thread at a time, never from the loop."""

    def take(self, submissions: Sequence[Submission], refusals: Sequence[Refusal]) -> list[Receipt]:
        """Let everything in and commit; one receipt per submission, in their order.

        Raises:
            StoreUnavailable: If nothing was stored, or nobody knows whether it was.
        """
        ...

    def is_ready(self) -> bool:
        """Whether the store would take something now."""
        ...


class Inquiries(Protocol):
    """What the outside may ask. Called from worker threads; raises `StoreUnavailable`."""

    def order_status(self, channel: str, order_number: str) -> OrderStatus | None:
        """Where the order of that number stands; ``None`` for one that was never applied."""
        ...

    def availability(self, channel: str, skus: Sequence[str]) -> list[SkuAvailability]:
        """What the channel was last told, SKU by SKU; zero of one that it was never told of."""
        ...


class KeyBook(Protocol):
    """The signing keys of the sources, the current one first."""

    def keys(self, source: str) -> Sequence[str]:
        """No key at all for a source that nobody knows."""
        ...


class Reply(Protocol):
    """A partner's own form of answer, where it wants one."""

    def __call__(self, taken: Sequence[bool]) -> tuple[bytes, bytes]:
        """Body and content type, from whether each event was taken, in their order."""
        ...


class Translated(NamedTuple):
    """What a payload says in our events, and what it says that no contract takes.

    Attributes:
        reply: How the partner is answered; ``None`` is the house's own way.
    """

    events: list[bytes]
    not_taken: Sequence[str] = ()
    reply: Reply | None = None


class Translator(Protocol):
    """One partner's own payload as our events."""

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Translated:
        """CloudEvents in structured mode, none for a payload that says nothing to us.

        Raises:
            ContractViolation: If the payload cannot be understood; the whole is quarantined.
        """
        ...
