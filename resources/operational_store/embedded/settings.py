"""What the server is told at every start; `alter system` wins over it."""

from __future__ import annotations

import os
from pathlib import Path

from resources.operational_store.embedded.account import Account
from resources.operational_store.embedded.programs import has_lz4

SETTINGS: dict[str, str] = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # Statements here are short; compiling them costs more than it saves.
    "jit": "off",
    "random_page_cost": "1.1",
    # The cores belong to the workers that asked; /dev/shm of a container is too small for more.
    "max_parallel_workers_per_gather": "0",
    # Inbox and outbox turn over completely; the default waits for a fifth of the table.
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.03",
    # A worker that was killed must not hold its claims until the TCP stack notices.
    "idle_in_transaction_session_timeout": "10min",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %a '",
    "log_min_duration_statement": "5s",
    "log_checkpoints": "off",
}


def write_settings(
    data_dir: Path, socket_dir: Path, account: Account | None, *, durable: bool
) -> None:
    """Write what the server reads at its start."""
    settings = {**SETTINGS, "unix_socket_directories": _quoted(f'"{socket_dir}"')}
    if has_lz4():
        settings["wal_compression"] = "lz4"
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    path = data_dir / "omniflow.conf"
    path.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    path.chmod(0o600)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
