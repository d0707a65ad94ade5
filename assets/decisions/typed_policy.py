"""A policy's values as the frozen, typed parameters that a flow works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from assets.commerce.money import to_ten_thousandths
from assets.errors import PolicyError
from assets.settled import settled

Policy = TypeVar("Policy", bound=msgspec.Struct)


#: A decimal amount of money as text.
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,11}(\.[0-9]{1,4})?\Z")]
#: Amounts by currency, ``*`` for the others.
Amounts = dict[str, Amount]
#: What people call a queue, a role, a type.
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]


def amount_in(currency: str, amounts: Mapping[str, str]) -> int:
    """The amount for a currency, or that for all others (ten-thousandths)."""
    return to_ten_thousandths(amounts.get(currency, amounts["*"]))


def policy_reader(name: str, kind: type[Policy]) -> Callable[[Mapping[str, Any]], Policy]:
    """What makes the values of one policy typed.

    The reader raises a `PolicyError` that names the policy and the key if one is missing, unknown
    or of the wrong kind.
    """
    settled(kind)

    def read(values: Mapping[str, Any]) -> Policy:
        try:
            return msgspec.convert(dict(values), kind)
        except msgspec.ValidationError as error:
            raise PolicyError(f"{name}: {error}") from error

    return read
