"""The sandbox's memory on disk: what it was told, one JSON line a request, before it answers.

State is not stored but made again from these lines, so there is one way to reach a state and a
killed process has nothing to repair.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import msgspec

from assets.errors import EnvironmentProblem
from resources.sandbox.append_only import AppendOnlyFile


class Record(msgspec.Struct, frozen=True):
    """One request that changed something; ``partner`` is empty where it concerns the whole."""

    kind: str
    partner: str
    body: msgspec.Raw


class Journal:
    """One append-only file, held by one process.

    Attributes:
        folder: Where it lies, and whatever else its sandbox keeps.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = AppendOnlyFile(folder / "sandbox.jsonl")
        try:
            fcntl.flock(self._file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise EnvironmentProblem(f"another sandbox already works in {folder}") from error

    def records(self) -> Iterator[Record]:
        """What was told before, in order; called once, before anything is appended."""
        return map(msgspec.json.Decoder(Record).decode, self._file.lines())

    def append(self, kind: str, partner: str, body: bytes) -> None:
        """Write one request; after this it is not forgotten.

        Raises:
            OSError: If the disk does not take it; the file is then as it was.
        """
        # Inside JSON a bare line break is always white space.
        flat = body.replace(b"\n", b" ").replace(b"\r", b" ")
        self._file.append(
            b'{"kind":"%b","partner":"%b","body":%b}\n' % (kind.encode(), partner.encode(), flat)
        )

    def close(self) -> None:
        """Let another process have the file."""
        self._file.close()
