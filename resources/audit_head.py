"""The exported end of the audit's chain: a small file beside the database, only ever moved on."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from assets.errors import EnvironmentProblem
from resources.operational_store.audit import Head


def read_head(path: Path) -> Head | None:
    """What was exported last; ``None`` before the first time.

    Raises:
        EnvironmentProblem: If the file is none of ours.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
        return Head(int(said["sequence"]), str(said["entry_hash"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise EnvironmentProblem(f"{path} is not the head of an audit") from error


def keep_head(path: Path, head: Head) -> None:
    """Write the head, unless a later one is there: whole or not at all, for its owner's eyes."""
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = read_head(path)
        if known is not None and known.sequence >= head.sequence:
            return
        aside = path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"sequence": head.sequence, "entry_hash": head.entry_hash}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
