"""The processes of a running home: what they are, whether they live, whether they answer.

Shared by the supervisor, which keeps them alive, and by `status` and `down`, which must work when
the supervisor itself is gone.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from orchestration import dagster_instance
from orchestration.home import Home
from orchestration.warm_lane.talking import LaneClosed, ask

STOP_GRACE_SECONDS = 10
# Dagster's daemon reports itself every 30 s.
DAEMON_SILENCE_SECONDS = 150
SUPERVISOR = "supervisor"
WARM_LANE = "warm_lane"

State = Literal["healthy", "starting", "down"]


@dataclass(frozen=True)
class Service:
    """One supervised process.

    Attributes:
        name: Names its pid file, its log and its port.
        command: What to run, in the project's folder.
        probe: How it shows that it works: an HTTP path, ``tcp``, ``lane`` for the warm one, or
            ``heartbeat`` in Dagster's database.
        port: Where it listens, if it does.
    """

    name: str
    command: tuple[str, ...]
    probe: str
    port: int | None = None


@dataclass(frozen=True)
class ServiceHealth:
    """What `status` says of one process."""

    name: str
    state: State
    pid: int | None
    address: str | None
    uptime_seconds: int | None
    restarts: int


def locations() -> tuple[str, ...]:
    """The code locations of this installation."""
    return tuple(name for name in dagster_instance.LOCATIONS if _exists(f"orchestration.{name}"))


def gateway_module() -> str | None:
    """The module that runs the gateway; the assembled one where there is one."""
    for module in ("orchestration.gateway", "sensors.gateway"):
        if _exists(module):
            return module
    return None


def listening() -> tuple[str, ...]:
    """The services of this installation that need a port."""
    return (*(["gateway"] if gateway_module() else []), "webserver", *locations())


def services(home: Home, ports: Mapping[str, int]) -> tuple[Service, ...]:
    """Everything that `up` keeps running, in the order in which it starts."""
    python = sys.executable
    workspace = str(home.dagster / "workspace.yaml")
    wanted: list[Service] = []
    module = gateway_module()
    if module is not None:
        gateway = (python, "-m", module, "--settings", str(gateway_settings_path(home)))
        wanted.append(Service("gateway", gateway, "/healthz", ports["gateway"]))
    wanted += [
        Service(name, _code_server(name, ports[name]), "tcp", ports[name]) for name in locations()
    ]
    if home.run_policy().warm_lane:
        lane = (python, "-m", "orchestration.warm_lane", str(home.warm_lane_socket))
        wanted.append(Service(WARM_LANE, lane, "lane"))
    webserver = (python, "-m", "dagster_webserver", "-w", workspace)
    webserver_address = ("-h", home.environment.host, "-p", str(ports["webserver"]))
    wanted.append(
        Service("webserver", webserver + webserver_address, "/server_info", ports["webserver"])
    )
    daemon = (python, "-m", "dagster._daemon", "run", "-w", workspace)
    wanted.append(Service("daemon", daemon, "heartbeat"))
    return tuple(wanted)


def _code_server(name: str, port: int) -> tuple[str, ...]:
    where = ("-m", f"orchestration.{name}", "-h", "127.0.0.1", "-p", str(port))
    # Runs and ticks are started with our interpreter, not with whatever PATH offers.
    interpreter = ("--use-python-environment-entry-point", "--inject-env-vars-from-instance")
    # Streaming ticks hold a worker for up to 50 s each; the default is six on two cores.
    workers = ("--max-workers", "16")
    return (sys.executable, "-m", "dagster", "api", "grpc", *where, *interpreter, *workers)


def gateway_settings_path(home: Home) -> Path:
    """Where the gateway reads its parameters: a command line would show them to everybody."""
    return home.run / "gateway.json"


def write_gateway_settings(home: Home, ports: Mapping[str, int]) -> None:
    """Write the gateway's parameters for its owner's eyes only."""
    settings = {
        "home": str(home.path),
        "host": home.environment.host,
        "port": ports.get("gateway"),
        "database_url": home.database_url,
        "keys_file": str(home.secrets / "sources.json"),
        "policies": str(home.policies),
        "log_level": home.environment.log_level,
    }
    path = gateway_settings_path(home)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(settings, file, indent=2)


def address(home: Home, service: Service) -> str | None:
    """Where a person or a program finds the service."""
    if service.port is None:
        return None
    scheme = "http://" if service.probe.startswith("/") else ""
    return f"{scheme}{reachable_host(home)}:{service.port}"


def answers(home: Home, service: Service, since: float, timeout: float = 3.0) -> bool:
    """Whether the service works now; ``since`` is when its process started (wall clock)."""
    if service.probe == "heartbeat":
        return _heartbeat(home, since)
    if service.probe == "lane":
        with suppress(LaneClosed):
            return "runs" in ask(home.warm_lane_socket, {})
        return False
    host = reachable_host(home) if service.probe.startswith("/") else "127.0.0.1"
    if service.probe == "tcp":
        with suppress(OSError), socket.create_connection((host, service.port or 0), timeout):
            return True
        return False
    import httpx

    with suppress(httpx.HTTPError):
        answer = httpx.get(
            f"http://{host}:{service.port}{service.probe}", timeout=timeout, trust_env=False
        )
        return answer.status_code < 500
    return False


def listens(pid: int, port: int) -> bool:
    """Whether who answers at the port is this process or a child of it, and no stranger."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                held = member.net_connections("tcp")
                if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in held):
                    return True
    return False


def reachable_host(home: Home) -> str:
    """Where this machine reaches what listens on the home's host."""
    host = home.environment.host
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared, not bound


def _heartbeat(home: Home, since: float) -> bool:
    """Every kind of daemon reported after the process started, and lately."""
    from assets.errors import EnvironmentProblem
    from resources.operational_store import connection

    age = "extract(epoch from localtimestamp - max(timestamp))"
    try:
        with connection.connect(home.dagster_database_url) as database:
            found = connection.rows(
                database, f"select {age} from daemon_heartbeats where daemon_type = 'SENSOR'"
            )
    except EnvironmentProblem:
        return False
    if not found or found[0][0] is None:
        return False
    return float(found[0][0]) <= min(DAEMON_SILENCE_SECONDS, max(0.0, time.time() - since))


def record(home: Home, name: str, pid: int) -> None:
    """Write the pid file of a process that just started."""
    created = psutil.Process(pid).create_time()
    path = home.run / f"{name}.pid"
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"pid": pid, "created": created}))
    temporary.replace(path)


def recorded(home: Home, name: str) -> psutil.Process | None:
    """The living process of a pid file; not another that was given its number since."""
    try:
        content = json.loads((home.run / f"{name}.pid").read_text())
        process = psutil.Process(content["pid"])
        if abs(process.create_time() - content["created"]) > 1:
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def recorded_names(home: Home) -> list[str]:
    """The names of all pid files but the supervisor's."""
    names = sorted(path.stem for path in home.run.glob("*.pid"))
    return [name for name in names if name != SUPERVISOR]


def stop(home: Home, names: Iterable[str]) -> list[str]:
    """End these processes and whatever they started: asked first, killed after a grace.

    Returns:
        The names of those that were alive.
    """
    alive = {name: process for name in names if (process := recorded(home, name)) is not None}
    families = list(alive.values())
    for process in alive.values():
        with suppress(psutil.Error):
            families += process.children(recursive=True)
    for process in alive.values():
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGTERM)
    _, remaining = psutil.wait_procs(families, timeout=STOP_GRACE_SECONDS)
    for process in remaining:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(remaining, timeout=5)
    for name in names:
        (home.run / f"{name}.pid").unlink(missing_ok=True)
    return sorted(alive)


def stop_one(process: psutil.Process, timeout: float) -> bool:
    """Ask one process to end, and kill it when it does not."""
    with suppress(psutil.Error):
        process.terminate()
        _, remaining = psutil.wait_procs([process], timeout=timeout)
        for stubborn in remaining:
            stubborn.kill()
        return True
    return False


def health(home: Home) -> list[ServiceHealth]:
    """What each service of this home is doing."""
    ports = {name: home.port(name) for name in listening()}
    restarts = restart_counts(home)
    report: list[ServiceHealth] = []
    for service in services(home, ports):
        process = recorded(home, service.name)
        state: State = "down"
        created = 0.0
        if process is not None:
            with suppress(psutil.Error):
                created = process.create_time()
            ours = service.port is None or listens(process.pid, service.port)
            state = "healthy" if ours and answers(home, service, created) else "starting"
        report.append(
            ServiceHealth(
                name=service.name,
                state=state,
                pid=process.pid if process else None,
                address=address(home, service),
                uptime_seconds=int(time.time() - created) if process else None,
                restarts=restarts.get(service.name, 0),
            )
        )
    return report


def restarts_path(home: Home) -> Path:
    """Where the supervisor counts how often it restarted each service."""
    return home.run / "restarts.json"


def restart_counts(home: Home) -> dict[str, int]:
    """How often the present supervisor had to restart each service."""
    with suppress(OSError, ValueError):
        counts: dict[str, int] = json.loads(restarts_path(home).read_text())
        return counts
    return {}


def as_json(report: Iterable[ServiceHealth]) -> list[dict[str, object]]:
    """The report as plain values."""
    return [asdict(entry) for entry in report]


def last_line(path: Path) -> str:
    """The last thing a process wrote to its log."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
        written = [line for line in lines if line]
        return written[-1] if written else ""
    return ""


def _exists(module: str) -> bool:
    with suppress(ModuleNotFoundError):
        return importlib.util.find_spec(module) is not None
    return False
