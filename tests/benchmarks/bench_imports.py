"""What starting costs: processor seconds and memory of imports, ``make bench-imports``.

Every measurement is a fresh interpreter with compiled files and a warm disk cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tests.benchmarks import measuring
from tests.benchmarks.measuring import MIB, Result

LIMIT_SECONDS = 3.0
MEASURED: dict[str, Sequence[str]] = {
    "nothing (the interpreter alone)": ("-c", "pass"),
    "import orchestration.operations": ("-c", "import orchestration.operations"),
    "import orchestration.gateway": ("-c", "import orchestration.gateway"),
    "import orchestration.analytics": ("-c", "import orchestration.analytics"),
    "omniflow --help": ("-m", "orchestration.cli", "--help"),
}


def start(arguments: Sequence[str]) -> tuple[float, float]:
    """Processor seconds and peak MB of one interpreter."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments],
        {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "yes"},
        file_actions=[(os.POSIX_SPAWN_DUP2, devnull, 1)],
    )
    os.close(devnull)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"python {' '.join(arguments)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MIB


def main() -> None:
    arguments = measuring.parser(__doc__).parse_args()
    runs = 1 if arguments.tiny else 7
    os.chdir(measuring.PROJECT)
    result = Result("imports", "Starting", f"median of {runs} fresh interpreters each")
    table = result.table("Processor time until ready", "what", "CPU s", "slowest", "peak MB")
    for name, command in MEASURED.items():
        if not arguments.tiny:
            start(command)
        found = [start(command) for _ in range(runs)]
        seconds = measuring.median([run[0] for run in found])
        peak = measuring.median([run[1] for run in found])
        table.add(name, seconds, max(run[0] for run in found), peak)
        result.data[name] = {"cpu_seconds": seconds, "peak_mb": peak}
    operations = result.data["import orchestration.operations"]["cpu_seconds"]
    result.figure(
        "The light code location (`operations`) imports",
        f"≤ {LIMIT_SECONDS:g} s CPU",
        f"{operations:.2f} s",
        operations <= LIMIT_SECONDS,
    )
    measuring.keep(result, arguments)


if __name__ == "__main__":
    main()
