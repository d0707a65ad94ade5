"""Signatures of what comes in over HTTP: HMAC-SHA256 over ``timestamp.content``. Pure.

The content is the body of a structured post. Where the meaning is not in the body alone, what
carries it is signed too: the target of a query, the ``ce-`` headers of a binary event. Each source
has up to two keys, so that a new one works before the old one is taken away.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

#: Who sends; a post names its source in its path as well, and both must agree.
SOURCE_HEADER = "x-omniflow-source"
#: Seconds since 1970, UTC.
TIMESTAMP_HEADER = "x-omniflow-timestamp"
#: ``v1=`` and the digest in hexadecimal.
SIGNATURE_HEADER = "x-omniflow-signature"
#: Older or newer than this is refused: a recorded request is worth nothing five minutes later.
WINDOW_SECONDS = 300

_SCHEME = "v1="
# Compared against when a source has no key, so that a stranger is refused as slowly as a friend.
_NO_KEY = "0" * 64


def sign(key: str, content: bytes, at: datetime, source: str) -> dict[str, str]:
    """The headers that make a request ours to trust.

    Args:
        key: One of the source's keys.
        content: The body, or `query_content`, or `binary_content`.
        at: The wall's time.
        source: Code of the sender.
    """
    timestamp = str(int(at.timestamp()))
    return {
        SOURCE_HEADER: source,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: _SCHEME + _digest(key, timestamp, content),
    }


def is_signed(
    keys: Sequence[str], content: bytes, timestamp: str, signature: str, at: datetime
) -> bool:
    """Whether one of these keys signed this content, lately.

    Every key is tried and every comparison takes the same time, whatever it finds.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    is_fresh = abs(at.timestamp() - int(timestamp)) <= WINDOW_SECONDS
    given = signature.encode("utf-8", "replace")
    matches = False
    for key in keys or (_NO_KEY,):
        expected = (_SCHEME + _digest(key, timestamp, content)).encode()
        matches |= hmac.compare_digest(expected, given)
    return matches and is_fresh and bool(keys)


def query_content(method: str, target: str) -> bytes:
    """What is signed of a request without a body: ``GET /v1/availability/web?sku=MUG``."""
    return f"{method} {target}".encode()


def binary_content(headers: Mapping[str, str], body: bytes) -> bytes:
    """What is signed of an event in binary mode: its attributes live in the headers."""
    lines = sorted(
        f"{name.lower()}: {value.strip()}\n"
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    )
    return "".join(lines).encode() + b"\n" + body


def _digest(key: str, timestamp: str, content: bytes) -> str:
    return hmac.digest(key.encode(), timestamp.encode() + b"." + content, "sha256").hex()
