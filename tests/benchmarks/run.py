"""Every benchmark in sequence, or those that are named: what ``make bench`` runs.

``python tests/benchmarks/run.py [NAME ...] [--tiny] [--data FOLDER] [--results FILE]``

The year that `bench_replay.py` brought in is what `bench_marts.py` then exports and builds, so the
data set is replayed once only. One benchmark that fails does not keep the others from running; the
exit status says so at the end. Afterwards ``docs/benchmarks.md`` is rendered anew, unless the sizes
were tiny or the results went elsewhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import measuring, report
from tests.benchmarks.measuring import Result

HERE = Path(__file__).resolve().parent
#: The longest first, while the machine is as it was found; imports last.
ORDER = (
    "replay",
    "marts",
    "orders",
    "reservations",
    "ledger",
    "sourcing",
    "availability",
    "matching",
    "planning",
    "door",
    "gateway",
    "exceptions",
    "playbooks",
    "partners",
    "imports",
)


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / f"bench_{name}.py"), *arguments]


def common(arguments: Namespace) -> list[str]:
    options = ["--tiny"] if arguments.tiny else []
    return [*options, "--results", str(arguments.results)] if arguments.results else options


def replay(arguments: Namespace, home: Path) -> None:
    options = ["--data", str(arguments.data)] if arguments.data else []
    execute(command("replay", *common(arguments), *options, "--keep-home", str(home)))


def marts(arguments: Namespace, home: Path) -> None:
    options = ["--home", str(home)] if (home / "home.json").exists() else []
    execute(command("marts", *common(arguments), *options))


def gateway(arguments: Namespace, home: Path) -> None:
    """Its own script prints its figures; here they are kept with the others."""
    found = home.parent / "gateway.json"
    result = Result(
        "gateway", "The gateway", "6,000 single posts over 64 connections, 300 batches of 100"
    )
    execute(command("gateway", "--runs", "1" if arguments.tiny else "3", "--json", str(found)))
    result.data = json.loads(found.read_text())
    table = result.table(
        "One worker, signed orders of three lines from a load generator in C, medians of three",
        "load",
        "requests/s",
        "events/s",
        "p50 ms",
        "p99 ms",
        "server CPU ms per request",
    )
    for load, row in result.data.items():
        table.add(
            load,
            row["rate"],
            row["events_per_second"],
            row["p50_ms"],
            row["p99_ms"],
            row["cpu_ms_per_request"],
        )
    single, batches = result.data["single posts"], result.data["batches of 100"]
    result.figure(
        "Gateway: single posts, durable",
        "≥ 700 posts/s, p99 ≤ 250 ms, ≤ 1.2 ms CPU",
        f"{single['rate']:,.0f} posts/s, p99 {single['p99_ms']:.0f} ms,"
        f" {single['cpu_ms_per_request']:.2f} ms CPU",
        single["rate"] >= 700 and single["p99_ms"] <= 250 and single["cpu_ms_per_request"] <= 1.2,
    )
    result.figure(
        "Gateway: batches of 100",
        "≥ 5,000 events/s",
        f"{batches['events_per_second']:,.0f} events/s",
        batches["events_per_second"] >= 5000,
    )
    measuring.keep(result, arguments)


def partners(arguments: Namespace, _: Path) -> None:
    """As with the gateway."""
    sizes = (200, 3) if arguments.tiny else (20_000, 26)
    result = Result("partners", "To partners and back", f"{sizes[0]:,} orders of {sizes[1]} lines")
    lines = execute(command("partners", *map(str, sizes)), keeps_output=True).splitlines()
    table = result.table(
        "Outbox to sandbox (three commands an order) and answers back, over loopback HTTP",
        "step",
        "order lines",
        "seconds",
        "CPU s: omniflow and PostgreSQL client",
        "sandbox CPU s",
        "CPU µs per line",
        "sandbox MB",
    )
    for step in (json.loads(line) for line in lines if line.startswith("{")):
        table.add(
            step["step"],
            step["order_lines"],
            step["wall_s"],
            step["own_cpu_s"],
            step["sandbox_cpu_s"],
            step["microseconds_per_line"],
            step["sandbox_mb"],
        )
        result.data[step["step"]] = step
    result.notes.append(
        "The database of this one benchmark runs without fsync: it is not its point."
    )
    measuring.keep(result, arguments)


def plainly(name: str) -> Callable[[Namespace, Path], None]:
    return lambda arguments, _: execute(command(name, *common(arguments))) and None


def execute(program: list[str], *, keeps_output: bool = False) -> str:
    done = subprocess.run(
        program,
        cwd=measuring.PROJECT,
        stdout=subprocess.PIPE if keeps_output else None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{Path(program[1]).name} ended with status {done.returncode}")
    return done.stdout or "done"


RUNS: dict[str, Callable[[Namespace, Path], None]] = {
    name: {"replay": replay, "marts": marts, "gateway": gateway, "partners": partners}.get(
        name, plainly(name)
    )
    for name in ORDER
}


def main() -> int:
    options = measuring.parser(__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ORDER)}")
    options.add_argument("--data", type=Path, help="folder of the real year")
    arguments = options.parse_args()
    unknown = sorted(set(arguments.names) - set(ORDER))
    if unknown:
        options.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(ORDER)}")
    failed = []
    began = time.perf_counter()
    with measuring.working_folder() as folder:
        for name in [name for name in ORDER if name in (arguments.names or ORDER)]:
            print(f"== {name}", flush=True)
            since = time.perf_counter()
            try:
                RUNS[name](arguments, folder / "home")
            except SystemExit as problem:
                failed.append(name)
                print(f"{name} failed: {problem}", flush=True)
            print(f"== {name}: {time.perf_counter() - since:.0f} s\n", flush=True)
    print(f"all together: {(time.perf_counter() - began) / 60:.1f} minutes")
    if not arguments.tiny and not arguments.results:
        report.render(measuring.RESULTS, report.DOCUMENT)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
