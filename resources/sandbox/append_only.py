"""A file that only grows, a line at a time, and that a kill cannot leave half written.

A torn last line belongs to something that was never answered; it is cut off. Lines survive the
death of the process, not of the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


class AppendOnlyFile:
    """The lines of one file.

    Attributes:
        descriptor: The open file, for whoever locks it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self.descriptor).st_size

    def lines(self) -> Iterator[bytes]:
        """What was written before, in order; called once, before anything is appended."""
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                yield line
        if whole < self._size:
            os.ftruncate(self.descriptor, whole)
            self._size = whole

    def append(self, line: bytes) -> None:
        """Write one line, its line break included.

        Raises:
            OSError: If the disk does not take it; the file is then as it was.
        """
        try:
            written = os.write(self.descriptor, line)
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes were written")
        except OSError:
            os.ftruncate(self.descriptor, self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self.descriptor)
