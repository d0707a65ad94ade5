"""What one text in a column of Online Retail means, or why it means nothing.

Every distinct text is judged once: a year has half a million rows and 30,000 distinct texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assets.commerce.money import to_ten_thousandths

Codes = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

NO_TIME = np.iinfo(np.int64).max

_QUANTITY = re.compile(r"-?[0-9]{1,12}(\.0+)?")
_LARGEST_QUANTITY = 1_000_000
_PRICE = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LARGEST_PRICE = 10**14 * 10_000
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.0+)?)?")
_SLASH = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?")
_CONTROL = re.compile(r"[\x00-\x1f]")


class Lexicon:
    """The distinct texts of one column over all files, each with a number."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def encode(self, column: pa.ChunkedArray) -> Codes:
        """The numbers of a file's texts, new ones added."""
        pieces = []
        for chunk in column.chunks:
            texts = chunk.dictionary.to_pylist()
            known = [self._codes.setdefault(text, len(self._codes)) for text in texts]
            pieces.append(np.array(known, np.int32)[chunk.indices.to_numpy(zero_copy_only=False)])
        return np.concatenate(pieces)

    @property
    def texts(self) -> list[str]:
        """By number, the texts themselves."""
        return list(self._codes)


class Values(NamedTuple):
    """By text number: what the text means, and the reason of each text that means nothing."""

    values: npt.NDArray[Any]
    problems: dict[int, str]

    def is_bad(self) -> Truths:
        """By text number, whether the text means nothing."""
        bad = np.zeros(len(self.values), np.bool_)
        bad[list(self.problems)] = True
        return bad


def _judge(texts: Sequence[str], parse: Callable[[str], int]) -> Values:
    values = np.zeros(len(texts), np.int64)
    problems = {}
    for number, text in enumerate(texts):
        try:
            values[number] = parse(text.strip())
        except ValueError as problem:
            problems[number] = str(problem)
    return Values(values, problems)


def shown(text: str) -> str:
    """A text from a file in a message: short, and in quotes."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def quantity(text: str) -> int:
    """Units of a line, signed; whole numbers only (``6`` or, from a spreadsheet, ``6.0``)."""
    if not _QUANTITY.fullmatch(text):
        raise ValueError(f"quantity {shown(text)} is not a whole number")
    value = int(text.partition(".")[0])
    if abs(value) > _LARGEST_QUANTITY:
        raise ValueError(f"quantity {shown(text)} is beyond {_LARGEST_QUANTITY:,}")
    return value


def price(text: str) -> int:
    """A unit price in ten-thousandths."""
    if not _PRICE.fullmatch(text):
        raise ValueError(f"price {shown(text)} is not a number")
    try:
        value = to_ten_thousandths(text)
    except ValueError:
        raise ValueError(f"price {shown(text)} has more than four decimals") from None
    if abs(value) >= _LARGEST_PRICE:
        raise ValueError(f"price {shown(text)} has more than fourteen digits before the point")
    return value


def quantities(texts: Sequence[str]) -> Values:
    """`quantity` of each text."""
    return _judge(texts, quantity)


def prices(texts: Sequence[str]) -> Values:
    """`price` of each text."""
    return _judge(texts, price)


class Names(NamedTuple):
    """A column of names: the sorted distinct ones, and by text number which it is (−1 for none)."""

    names: list[str]
    values: Codes
    problems: dict[int, str]

    def is_bad(self) -> Truths:
        """By text number, whether the text cannot be that name."""
        bad = np.zeros(len(self.values), np.bool_)
        bad[list(self.problems)] = True
        return bad


def names(what: str, texts: Sequence[str], longest: int, canonical: Callable[[str], str]) -> Names:
    """Bring names to one spelling; sorted, so that comparing numbers is comparing names."""
    problems = {}
    spelled = []
    for number, text in enumerate(texts):
        name = canonical(text)
        if len(name) > longest:
            problems[number] = f"{what} {shown(name)} is longer than {longest}"
        elif _CONTROL.search(name):
            problems[number] = f"{what} {shown(name)} has control characters"
        spelled.append(name)
    distinct = sorted(set(spelled) - {""})
    numbers = {name: number for number, name in enumerate(distinct)} | {"": -1}
    return Names(distinct, np.array([numbers[name] for name in spelled], np.int32), problems)


def customer(text: str) -> str:
    """Spreadsheets write the customer number as a float: ``17850.0`` is 17850."""
    text = text.strip()
    whole, point, zeros = text.partition(".")
    return whole if point and whole.isdigit() and not zeros.strip("0") else text


class Times(NamedTuple):
    """By text number: seconds of local time since 1970 in either order of day and month.

    ``NO_TIME`` where the text is no time in that order. ``told`` is +1 where only the month can
    come first, −1 where only the day can, 2 where it could be either, and 0 where it does not
    matter.
    """

    month_first: Integers
    day_first: Integers
    told: npt.NDArray[np.int8]


def times(texts: Sequence[str]) -> Times:
    """Read local times, ``2010-12-01 08:26:00`` or ``12/1/2010 8:26``."""
    month_first = np.full(len(texts), NO_TIME, np.int64)
    day_first = np.full(len(texts), NO_TIME, np.int64)
    told = np.zeros(len(texts), np.int8)
    for number, raw in enumerate(texts):
        text = raw.strip()
        if match := _ISO.fullmatch(text):
            year, month, day, *clock = (int(part or 0) for part in match.groups())
            month_first[number] = day_first[number] = _seconds(year, month, day, *clock)
        elif match := _SLASH.fullmatch(text):
            first, second, year, *clock = (int(part or 0) for part in match.groups())
            month_first[number] = _seconds(year, first, second, *clock)
            day_first[number] = _seconds(year, second, first, *clock)
            as_month = month_first[number] != NO_TIME
            as_day = day_first[number] != NO_TIME
            if as_month and as_day:
                told[number] = 2 if first != second else 0
            elif as_month or as_day:
                told[number] = 1 if as_month else -1
    return Times(month_first, day_first, told)


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return int(NO_TIME)
    return int(moment.timestamp()) if 1970 <= year <= 2100 else int(NO_TIME)
