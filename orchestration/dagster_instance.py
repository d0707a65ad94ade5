"""Dagster's own configuration, generated into the home: dagster.yaml and workspace.yaml.

The workspace.yaml of the repository lists the code locations as modules, for `dagster dev`. A
running home lists the addresses of code servers instead, so that webserver and daemon share one
copy of each location.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from orchestration.home import Home

LOCATIONS = ("operations", "analytics")
# Dagster's word for "for ever": a tick that has only started is not over.
FOR_EVER = -1


def write(home: Home, ports: Mapping[str, int], locations: tuple[str, ...]) -> Path:
    """Write both files and return the path of the workspace.

    Raises:
        PolicyError: If the home's policy of retention cannot be used.
    """
    from resources.policy_book import FilePolicyBook

    days = FilePolicyBook(home.path / "policies").retention.dagster_tick_days_by_status
    ticks = {"purge_after_days": {**msgspec.structs.asdict(days), "started": FOR_EVER}}
    settings: dict[str, Any] = {
        "storage": {"postgres": {"postgres_url": home.dagster_database_url}},
        # A run starts as soon as it is asked for; the queue would add a daemon's round.
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "DefaultRunCoordinator",
        },
        "run_launcher": _launcher(home),
        "compute_logs": {
            "module": "dagster.core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(home.dagster / "compute_logs")},
        },
        "local_artifact_storage": {
            "module": "dagster.core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(home.dagster)},
        },
        # Without threads one slow tick keeps every other sensor waiting.
        "sensors": {"use_threads": True, "num_workers": 8},
        "schedules": {"use_threads": True, "num_workers": 2},
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": 300,
            "cancel_timeout_seconds": 120,
            "poll_interval_seconds": 30,
        },
        "retention": {
            "sensor": ticks,
            "schedule": ticks,
        },
        "code_servers": {"local_startup_timeout": 300, "reload_timeout": 120},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
    }
    # The URL may hold a password.
    _write_private(home.dagster / "dagster.yaml", settings)
    servers = [
        {"grpc_server": {"host": "127.0.0.1", "port": ports[name], "location_name": name}}
        for name in locations
    ]
    workspace = home.dagster / "workspace.yaml"
    _write_private(workspace, {"load_from": servers})
    return workspace


def _launcher(home: Home) -> dict[str, Any]:
    if not home.run_policy().warm_lane:
        return {"module": "dagster", "class": "DefaultRunLauncher"}
    return {
        "module": "orchestration.warm_lane.launcher",
        "class": "WarmLaneLauncher",
        "config": {"socket_path": str(home.warm_lane_socket)},
    }


def _write_private(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(content, file, sort_keys=False)
    temporary.replace(path)
