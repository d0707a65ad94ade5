"""Seeded chance: every draw is a hash of the seed and a business key.

A shared generator would make an answer depend on what was asked before it; a hash makes the same
order decline, ship and arrive the same way however the commands were cut into batches.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate

_RANGE = 1 << 64


class Chance:
    """Draws of one seed; each names what is drawn and for which business key."""

    def __init__(self, seed: str) -> None:
        self._seeded = blake2b(digest_size=8, key=seed.encode()[:64])

    def number(self, *key: object) -> int:
        """A number from 0 up to 2⁶⁴."""
        state = self._seeded.copy()
        state.update("\x1f".join(map(str, key)).encode())
        return int.from_bytes(state.digest(), "big")

    def share(self, *key: object) -> float:
        """A number from 0 up to 1."""
        return self.number(*key) / _RANGE

    def happens(self, rate: float, *key: object) -> bool:
        """True for that share of keys; a rate of zero draws nothing."""
        return rate > 0 and self.share(*key) < rate

    def between(self, low: int, high: int, *key: object) -> int:
        """A whole number from ``low`` to ``high``, both possible."""
        return low + self.number(*key) * (high - low + 1) // _RANGE


class Weights:
    """Positions of a list drawn by weight; prepared once, asked often."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._steps = list(accumulate(weights))

    def position(self, share: float) -> int:
        """The position that a share from 0 up to 1 falls on."""
        return min(bisect_right(self._steps, share * self._steps[-1]), len(self._steps) - 1)
