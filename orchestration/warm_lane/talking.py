"""What launcher and lane say to each other: one JSON line each way over a socket of the home."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

#: Forking takes milliseconds; a lane that takes longer is broken, and the run starts otherwise.
ANSWER_SECONDS = 2.0
_LONGEST_LINE = 1 << 20


class LaneClosed(Exception):
    """Nobody answers at the lane."""


def ask(path: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Ask the lane something.

    Raises:
        LaneClosed: If it does not answer in time.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(json.dumps(question).encode() + b"\n")
            answer: dict[str, Any] = json.loads(read_line(connection))
            return answer
    except (OSError, ValueError) as error:
        raise LaneClosed(str(error)) from error


def read_line(connection: socket.socket) -> bytes:
    """One line.

    Raises:
        ValueError: If the other side says too much, or hangs up in the middle.
    """
    said = b""
    while not said.endswith(b"\n"):
        part = connection.recv(65_536)
        said += part
        if not part or len(said) > _LONGEST_LINE:
            raise ValueError("no whole line was said")
    return said
