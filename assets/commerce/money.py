"""Exact money: int64 ten-thousandths inside rules, decimal text at the edges, never float."""

from __future__ import annotations

from decimal import Decimal

TEN_THOUSANDTHS = 10_000
#: Exchange rates are whole numbers of this part of one.
RATE_SCALE = 100_000_000
# [0-9] and not \d, which takes every script's digits; \Z and not $, which lets a line end pass.
# No leading zero is said by looking ahead, which is twice as fast as by an alternative.
MONEY_PATTERN = r"^-?(?!0[0-9])[0-9]{1,14}(?:\.[0-9]{1,4})?\Z"
UNSIGNED_MONEY_PATTERN = r"^(?!0[0-9])[0-9]{1,14}(?:\.[0-9]{1,4})?\Z"
RATE_PATTERN = r"^(?=.*[1-9])(?!0[0-9])[0-9]{1,8}(?:\.[0-9]{1,8})?\Z"


def to_ten_thousandths(text: str) -> int:
    """Turn decimal text of at most four decimals into ten-thousandths: ``"2.55"`` → ``25500``.

    Raises:
        ValueError: If the text is not a number or has more than four decimals.
    """
    whole, _, fraction = text.partition(".")
    if (
        len(fraction) > 4
        or not whole.removeprefix("-").isdigit()
        or (fraction and not fraction.isdigit())
    ):
        raise ValueError(f"{text!r} is not an amount of at most four decimals")
    magnitude = abs(int(whole)) * TEN_THOUSANDTHS + int(fraction.ljust(4, "0") or 0)
    return -magnitude if whole.startswith("-") else magnitude


def to_text(ten_thousandths: int) -> str:
    """Turn ten-thousandths into decimal text with four decimals: ``25500`` → ``"2.5500"``."""
    sign = "-" if ten_thousandths < 0 else ""
    whole, fraction = divmod(abs(int(ten_thousandths)), TEN_THOUSANDTHS)
    return f"{sign}{whole}.{fraction:04d}"


def to_decimal(ten_thousandths: int) -> Decimal:
    """Turn ten-thousandths into a ``Decimal`` with four decimals."""
    return Decimal(int(ten_thousandths)).scaleb(-4)


def to_rate(text: str) -> int:
    """Turn an exchange rate of at most eight decimals into hundred-millionths.

    Raises:
        ValueError: If the text is no such number.
    """
    whole, _, fraction = text.partition(".")
    if len(fraction) > 8 or not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise ValueError(f"{text!r} is not a rate of at most eight decimals")
    return int(whole) * RATE_SCALE + int(fraction.ljust(8, "0") or 0)


def exchanged(amount: int, rate: int) -> int:
    """An amount in another currency, rounded half away from zero; both in ten-thousandths.

    Args:
        amount: In the currency that is given up.
        rate: What one unit of it is worth in the other, in hundred-millionths.
    """
    worth = (2 * abs(amount) * rate + RATE_SCALE) // (2 * RATE_SCALE)
    return -worth if amount < 0 else worth


def tax_included(amount: int, rate_basis_points: int) -> int:
    """The tax inside a tax-inclusive amount, rounded half up away from zero (ten-thousandths).

    ``tax = amount · rate / (1 + rate)`` (HMRC VAT notice 700, section 7: the VAT fraction).
    """
    numerator = abs(amount) * rate_basis_points
    tax = (2 * numerator + (10_000 + rate_basis_points)) // (2 * (10_000 + rate_basis_points))
    return -tax if amount < 0 else tax


def share_out(amount: int, weights: list[int]) -> list[int]:
    """Split an amount by weights so that the parts add up exactly (largest remainder).

    Raises:
        ValueError: If there are no weights, or they are negative or all zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    left_over = amount - sum(parts)
    for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:left_over]:
        parts[index] += 1
    return parts
