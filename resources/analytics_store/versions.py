"""The published versions as files, and the pointer that says which one readers open."""

from __future__ import annotations

import os
from pathlib import Path


class Versions:
    """The published versions of one home.

    Args:
        home: The folder of the analytics store.
    """

    def __init__(self, home: Path) -> None:
        self._home = home

    def current(self) -> Path | None:
        """What readers open now; nothing before the first publication."""
        try:
            return self._home / (self._home / "current").readlink()
        except FileNotFoundError:
            return None

    def next_number(self) -> int:
        """The number of the version that comes next."""
        numbers = [
            int(path.stem.removeprefix("published-"))
            for path in self._home.glob("published-*.duckdb")
        ]
        return max(numbers, default=0) + 1

    def candidate(self, number: int) -> Path:
        """Where a version is made fit to be read."""
        return self._home / f".publishing-{number}.duckdb"

    def remove_leftovers(self) -> None:
        """Delete candidates of publications that did not come to an end."""
        for leftover in self._home.glob(".publishing-*"):
            leftover.unlink()

    def switch(self, candidate: Path, number: int) -> Path:
        """Give the candidate its name, safe from a power cut, and point readers to it."""
        target = self._home / f"published-{number}.duckdb"
        with candidate.open("rb") as file:
            os.fsync(file.fileno())
        candidate.replace(target)
        fresh = self._home / ".current"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target.name)
        fresh.replace(self._home / "current")
        return target

    def remove_unused(self, *kept: Path | None) -> None:
        """Delete older versions. The former one stays for whoever has just read the pointer.

        Who has an older one open keeps reading it: its name goes, its content does not.
        """
        for path in self._home.glob("published-*.duckdb"):
            if path not in kept:
                path.unlink(missing_ok=True)
