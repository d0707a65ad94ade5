"""The sandbox's memory on disk: what it was told, one JSON line a request, before it answers.

State is not stored but made again from these lines, so there is one way to reach a state and a
killed process has nothing to repair. A torn last line belongs to a request that was never answered;
it is cut off. Lines survive the death of the process, not of the machine.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from assets.errors import EnvironmentProblem


class Record(msgspec.Struct, frozen=True):
    """One request that changed something; ``partner`` is empty where it concerns the whole."""

    kind: str
    partner: str
    body: msgspec.Raw


class Journal:
    """One append-only file, held by one process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "sandbox.jsonl"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise EnvironmentProblem(f"another sandbox already works in {folder}") from error
        self._size = os.fstat(self._file).st_size

    def records(self) -> Iterator[Record]:
        """What was told before, in order; called once, before anything is appended."""
        decode = msgspec.json.Decoder(Record).decode
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                yield decode(line)
        if whole < self._size:
            os.ftruncate(self._file, whole)
            self._size = whole

    def append(self, kind: str, partner: str, body: bytes) -> None:
        """Write one request; after this it is not forgotten.

        Raises:
            OSError: If the disk does not take it; the file is then as it was.
        """
        # Inside JSON a bare line break is always white space.
        flat = body.replace(b"\n", b" ").replace(b"\r", b" ")
        line = b'{"kind":"%b","partner":"%b","body":%b}\n' % (kind.encode(), partner.encode(), flat)
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes were written")
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self._file)
