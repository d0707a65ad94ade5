"""How much the gateway takes, durably: ``make bench-gateway``.

Starts a PostgreSQL with fsync and one gateway process, sends signed orders of three lines from a
load generator in C, singly over 64 connections and in batches of 100, and prints medians of three
runs with the server's processor time per request. The gateway, the database and the generator
share the machine, so this is what one small server does with everything on it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil

from assets.contracts.signing import sign

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
SOURCE = "web_shop"
KEY = "k" * 64


@dataclass(frozen=True)
class Load:
    """One way to send: so many requests, each with so many events."""

    name: str
    requests: int
    events: int
    connections: int


LOADS = (Load("single posts", 6_000, 1, 64), Load("batches of 100", 300, 100, 8))


def order(number: str) -> dict[str, Any]:
    lines = [
        {"line_number": line, "sku": f"SKU-{line:04}", "quantity": line, "unit_price": "2.55"}
        for line in range(1, 4)
    ]
    return {
        "specversion": "1.0",
        "id": number,
        "source": SOURCE,
        "type": "retail.order.placed.v1",
        "subject": number,
        "time": "2026-03-01T10:00:00Z",
        "datacontenttype": "application/json",
        "legalentity": "uk_ltd",
        "brand": "main",
        "region": "uk",
        "channel": SOURCE,
        "correlationid": number,
        "data": {
            "order_number": number,
            "currency": "GBP",
            "lines": lines,
            "ship_to": {"country": "GB"},
        },
    }


def write_requests(path: Path, load: Load, run: int) -> None:
    """Every request signed beforehand: the generator must not compete for the processor."""
    now = datetime.now(UTC)
    with path.open("wb") as file:
        for number in range(load.requests):
            orders = [order(f"{load.name}-{run}-{number}-{i}") for i in range(load.events)]
            body = json.dumps(orders if load.events > 1 else orders[0]).encode()
            kind = "cloudevents-batch+json" if load.events > 1 else "cloudevents+json"
            headers = {
                "host": "127.0.0.1",
                "content-type": f"application/{kind}",
                "content-length": str(len(body)),
                **sign(KEY, body, now, SOURCE),
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            request = f"POST /v1/events/{SOURCE} HTTP/1.1\r\n{head}\r\n".encode() + body
            file.write(f"{len(request)}\n".encode() + request)


def compile_generator(folder: Path) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("the load generator needs a C compiler")
    program = folder / "load_generator"
    source = str(HERE / "load_generator.c")
    subprocess.run(
        [compiler, "-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", source, "-o", str(program)],
        check=True,
    )
    return program


@contextmanager
def gateway(folder: Path, url: str) -> Iterator[tuple[int, psutil.Process]]:
    keys = folder / "sources.json"
    keys.write_text(json.dumps({SOURCE: {"current": KEY, "previous": "p" * 64}}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = folder / "gateway.json"
    settings.write_text(
        json.dumps(
            {
                "database_url": url,
                "keys_file": str(keys),
                "port": port,
                "log_level": "WARNING",
                "limits": {"events_per_second": 1e9, "burst_events": 1e9},
            }
        )
    )
    command = [sys.executable, "-m", "orchestration.gateway", "--settings", str(settings)]
    with subprocess.Popen(command, cwd=PROJECT) as process:
        try:
            await_ready(port)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def await_ready(port: int) -> None:
    for _ in range(200):
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the gateway did not get ready")


def processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(
    program: Path, folder: Path, port: int, server: psutil.Process, load: Load, run: int
) -> dict[str, Any]:
    requests = folder / "requests"
    write_requests(requests, load, run)
    before = processor_seconds(server)
    result = subprocess.run(
        [str(program), "127.0.0.1", str(port), str(load.connections), str(requests)],
        check=True,
        capture_output=True,
        text=True,
    )
    spent = processor_seconds(server) - before
    measured: dict[str, Any] = json.loads(result.stdout)
    if measured["statuses"] != {"202": load.requests}:
        raise SystemExit(f"not everything was accepted: {measured['statuses']}")
    measured["cpu_ms_per_request"] = spent * 1000 / load.requests
    measured["events_per_second"] = measured["rate"] * load.events
    return measured


def main() -> int:
    sys.path.insert(0, str(PROJECT))
    from resources.operational_store import embedded
    from resources.operational_store.migrate import upgrade

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="omniflow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        data_dir = folder / "postgres"
        program = compile_generator(folder)
        try:
            url = embedded.start(data_dir)
            upgrade(url)
            with gateway(folder, url) as (port, server):
                measure(program, folder, port, server, Load("warm up", 300, 1, 16), 0)
                for load in LOADS:
                    runs = [
                        measure(program, folder, port, server, load, run)
                        for run in range(arguments.runs)
                    ]
                    keys = ("rate", "events_per_second", "p50_ms", "p99_ms", "cpu_ms_per_request")
                    figures[load.name] = {
                        key: round(statistics.median(run[key] for run in runs), 2) for key in keys
                    }
        finally:
            embedded.stop(data_dir, immediately=True)
    print(f"{'':16}{'requests/s':>12}{'events/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'CPU ms':>10}")
    for name, found in figures.items():
        print(
            f"{name:16}{found['rate']:12.0f}{found['events_per_second']:12.0f}"
            f"{found['p50_ms']:10.1f}{found['p99_ms']:10.1f}{found['cpu_ms_per_request']:10.2f}"
        )
    print(json.dumps(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
