"""Structs that are looked through when they are imported, not when they are first used.

msgspec 0.22 resolves the annotations of a struct at its first use. Two threads that come first at
the same time crash the interpreter, as sensors of one code server did now and then (2026-11-26).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

Kind = TypeVar("Kind", bound=msgspec.Struct)


def settled(kind: type[Kind]) -> type[Kind]:
    """The same struct, ready for any number of threads."""
    msgspec.json.Decoder(kind)
    return kind
