"""The exception tree of the product: one sentence each, facts as attributes.

Everything raised on purpose descends from `RetailFlowError`, so an edge (command line, gateway,
Dagster) can show one clear line and let everything else be the defect it is.
"""

from __future__ import annotations


class RetailFlowError(Exception):
    """Something that this product understands went wrong."""


class EnvironmentProblem(RetailFlowError):
    """This machine or this home is not able to do it: disk, port, version, database."""


class BadInput(RetailFlowError):
    """A file or argument cannot be used at all; nothing of it was taken."""


class ContractViolation(RetailFlowError):
    """A message broke its contract; never retry.

    Attributes:
        reason_code: One of the codes of `assets.contracts.envelope.ReasonCode`.
        pointer: JSON path of the offending value, ``$`` for the whole message.
    """

    def __init__(self, reason_code: str, reason: str, pointer: str = "$") -> None:
        super().__init__(reason)
        self.reason_code = reason_code
        self.pointer = pointer


class PolicyError(RetailFlowError):
    """A policy file is missing or contradicts itself."""


class IllegalTransition(RetailFlowError):
    """An event asks for a state that its order cannot reach from where it is."""


class PartnerError(RetailFlowError):
    """Another company's system let us down."""

    def __init__(self, partner: str, reason: str) -> None:
        super().__init__(f"{partner}: {reason}")
        self.partner = partner


class PartnerUnavailable(PartnerError):
    """Timeout, 408, 429 or 5xx: retrying may help."""


class PartnerRejected(PartnerError):
    """Any other 4xx: retrying cannot help."""
