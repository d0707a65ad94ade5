"""A whole home in one file, and back: both databases, lake, warehouse, home.json and keys.

A backup is taken while everything runs. The database is dumped as of one snapshot, and the lake
is copied while its watermark is held still, so that the two agree; every file and every table's
row count goes into a manifest, against which a restore is verified. It holds keys and personal
data: the file is written for its owner's eyes only.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
import psycopg.sql
import sqlalchemy as sa

from assets.errors import BadInput, EnvironmentProblem
from orchestration import services as service_list
from orchestration import supervisor
from orchestration.environment import Environment, libpq_url
from orchestration.home import FOLDERS, Home, migrated, open_home
from resources.operational_store import connection, embedded
from resources.operational_store.embedded.programs import binaries

FORMAT = 1
MANIFEST = "manifest.json"
FOLDERS_COPIED = ("secrets", "policies", "lake", "warehouse")
#: The end of the audit's chain: without it a cut tail would not be noticed.
FILES_COPIED = ("audit_head.json",)
LOCK_PATIENCE = "2min"
Say = Callable[[str], None]

TABLES = """
    select quote_ident(schemaname) || '.' || quote_ident(tablename)
    from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
    order by 1
"""


@dataclass(frozen=True)
class Summary:
    """What a backup or a restore moved."""

    path: str
    files: int
    tables: int
    rows: int
    size_bytes: int


def backup(home: Home, target: Path, say: Say = lambda _: None) -> Summary:
    """Write the home into one new file.

    Raises:
        EnvironmentProblem: If the file exists or cannot be written, or the database is busy.
    """
    target = target.expanduser().absolute()
    if target.exists():
        raise EnvironmentProblem(f"{target} exists; a backup overwrites nothing")
    if not target.parent.is_dir():
        raise EnvironmentProblem(f"{target.parent} is not a folder")
    if target.is_relative_to(home.lake) or target.is_relative_to(home.warehouse):
        raise EnvironmentProblem(f"{target} lies in what is to be backed up")
    try:
        with (
            _running_database(home),
            tempfile.TemporaryDirectory(prefix=".omniflow-backup-", dir=target.parent) as folder,
        ):
            aside = Path(folder)
            summary = _write(home, aside, aside / "backup.tar", say)
            (aside / "backup.tar").rename(target)
    except OSError as error:
        raise EnvironmentProblem(
            f"the backup cannot be written to {target.parent}: {error.strerror or error}"
        ) from error
    return Summary(**{**summary.__dict__, "path": str(target)})


def restore(environment: Environment, source: Path, say: Say = lambda _: None) -> Summary:
    """Bring a backup back into a home that does not exist yet, verified; or leave nothing.

    Raises:
        BadInput: If the file is no backup or is damaged.
        EnvironmentProblem: If there is a home already, or this machine cannot hold it.
    """
    _require_nothing_at(environment)
    source = source.expanduser().absolute()
    path = environment.home
    try:
        path.mkdir(parents=True, exist_ok=True)
        home = Home(path=path, environment=environment)
        with supervisor.exclusive(home):
            _require_nothing_at(environment)
            try:
                return _restore(home, source, say)
            except BaseException:
                _remove(home)
                raise
    except OSError as error:
        raise EnvironmentProblem(
            f"the backup cannot be restored to {path}: {error.strerror or error}"
        ) from error


def _write(home: Home, aside: Path, archive: Path, say: Say) -> Summary:
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    files: dict[str, str] = {}
    descriptor = os.open(archive, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with (
        os.fdopen(descriptor, "wb") as output,
        tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as tar,
        connection.connect(home.database_url) as database,
    ):
        with database.transaction():
            database.execute("set transaction isolation level repeatable read")
            _hold_exports(database)
            snapshot = _scalar(database, "select pg_export_snapshot()")
            manifest["next_transaction"] = int(
                _scalar(database, "select pg_snapshot_xmax(pg_current_snapshot())::text")
            )
            manifest["rows"] = _row_counts(database)
            say("copying the operational store")
            _dump(home.database_url, aside / "omniflow.dump", f"--snapshot={snapshot}")
            say("copying lake and warehouse")
            for name in FILES_COPIED:
                if (home.path / name).is_file():
                    files[name] = _add(tar, home.path / name, name)
            for folder in FOLDERS_COPIED:
                for path in sorted((home.path / folder).rglob("*")):
                    if path.is_file() and not path.is_symlink():
                        name = path.relative_to(home.path).as_posix()
                        files[name] = _add(tar, path, name)
                    elif path.is_symlink():
                        # The published warehouse is a link to one of its builds.
                        tar.add(path, arcname=path.relative_to(home.path).as_posix())
        say("copying the history of runs")
        _dump(home.dagster_database_url, aside / "dagster.dump")
        for name in ("omniflow.dump", "dagster.dump"):
            files[name] = _add(tar, aside / name, name)
        files["home.json"] = _add(tar, home.path / "home.json", "home.json")
        manifest["files"] = files
        content = json.dumps(manifest, indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(content)
        entry.mode = 0o600
        tar.addfile(entry, io.BytesIO(content))
    with archive.open("rb") as written:
        os.fsync(written.fileno())
    rows: dict[str, int] = manifest["rows"]
    return Summary("", len(files), len(rows), sum(rows.values()), archive.stat().st_size)


def _restore(home: Home, source: Path, say: Say) -> Summary:
    say("checking the backup")
    aside = home.path / ".restoring"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    manifest = _extract(source, aside)
    migrated(json.loads((aside / "home.json").read_text()), home.path)
    say("starting the database")
    if home.embedded:
        embedded.start(home.postgres)
        embedded.stop(home.postgres)
        embedded.number_transactions_after(home.postgres, manifest["next_transaction"])
        embedded.start(home.postgres)
    for url in (home.database_url, home.dagster_database_url):
        connection.create_database(url)
    _require_fit(home, manifest["next_transaction"])
    say("restoring the operational store")
    _load(home.database_url, aside / "omniflow.dump")
    _load(home.dagster_database_url, aside / "dagster.dump")
    with connection.connect(home.database_url) as database:
        found = _row_counts(database)
    if found != manifest["rows"]:
        differing = sorted(
            name
            for name in found.keys() | manifest["rows"].keys()
            if found.get(name) != manifest["rows"].get(name)
        )
        raise BadInput(f"the restored database differs from the backup in {differing[0]}")
    for folder in FOLDERS_COPIED:
        if (aside / folder).exists():
            shutil.rmtree(home.path / folder, ignore_errors=True)
            (aside / folder).rename(home.path / folder)
    for name in FILES_COPIED:
        if (aside / name).exists():
            (aside / name).replace(home.path / name)
    # Last: from here on it is a home.
    (aside / "home.json").rename(home.path / "home.json")
    shutil.rmtree(aside)
    opened = open_home(home.environment)
    for path in opened.secrets.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    supervisor.start_database(opened)
    if opened.embedded:
        embedded.stop(opened.postgres)
    return Summary(
        str(home.path),
        len(manifest["files"]),
        len(found),
        sum(found.values()),
        source.stat().st_size,
    )


def _harmless(tar: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """The members, if all are files, folders and links that stay inside."""
    members = tar.getmembers()
    for member in members:
        paths = [Path(member.name)] + ([Path(member.linkname)] if member.issym() else [])
        is_known = member.isfile() or member.isdir() or member.issym()
        if not is_known or any(path.is_absolute() or ".." in path.parts for path in paths):
            raise tarfile.TarError(f"{member.name} does not belong into a backup")
    return members


def _extract(source: Path, aside: Path) -> dict[str, Any]:
    """Unpack the backup aside and check every file against the manifest."""
    try:
        with tarfile.open(source, "r:") as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extractall(aside, filter="data")
            else:  # Python before 3.11.4
                tar.extractall(aside, members=_harmless(tar))  # noqa: S202
        manifest: dict[str, Any] = json.loads((aside / MANIFEST).read_text())
        files: dict[str, str] = manifest["files"]
        number, _, _ = manifest["format"], manifest["rows"], manifest["next_transaction"]
    except FileNotFoundError as error:
        if not source.exists():
            raise BadInput(f"there is no file {source}") from error
        raise BadInput(f"{source} is damaged: it ends before its manifest") from error
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as error:
        raise BadInput(f"{source} is not a backup, or is damaged: {error}") from error
    if number != FORMAT:
        raise EnvironmentProblem(f"{source} was made by another version (format {number})")
    for name, digest in files.items():
        path = aside / name
        if not path.is_file() or _digest(path) != digest:
            raise BadInput(f"{source} is damaged: {name} is not what was backed up")
    return manifest


def _require_nothing_at(environment: Environment) -> None:
    home = environment.home
    if home.exists() and any(not entry.name.endswith(".lock") for entry in home.iterdir()):
        raise EnvironmentProblem(f"{home} is not empty; a backup is restored into a new home only")


def _require_fit(home: Home, next_transaction: int) -> None:
    with connection.connect(home.database_url) as database:
        if database.execute(TABLES).fetchall():
            raise EnvironmentProblem("the database is not empty; restore into an empty one")
        current = int(_scalar(database, "select pg_snapshot_xmax(pg_current_snapshot())::text"))
    if current < next_transaction:
        raise EnvironmentProblem(
            "this server numbers its transactions below those of the backup, so what is recorded"
            " from now on would never reach the lake: restore into an embedded database, or move"
            " the database with its server's own tools"
        )


def _remove(home: Home) -> None:
    """Leave the folder as empty as it was found; the databases of a foreign server stay."""
    if home.embedded:
        with suppress(EnvironmentProblem):
            embedded.stop(home.postgres, immediately=True)
        shutil.rmtree(home.postgres, ignore_errors=True)
    for name in (".restoring", *FOLDERS):
        shutil.rmtree(home.path / name, ignore_errors=True)
    (home.path / "home.json").unlink(missing_ok=True)


@contextmanager
def _running_database(home: Home) -> Iterator[None]:
    """The database of a home that is down is started for the copy and stopped again."""
    started = False
    with supervisor.exclusive(home):
        up = service_list.recorded(home, service_list.SUPERVISOR) is not None
        if home.embedded and not embedded.is_running(home.postgres):
            started = not up
        supervisor.start_database(home)
        connection.create_database(home.dagster_database_url)
        try:
            yield
        finally:
            if started:
                embedded.stop(home.postgres)


def _hold_exports(database: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Keep the lake still: an export moves its watermark in the transaction that ends it."""
    if _scalar(database, "select to_regclass('lake_watermark')::text") is None:
        return
    database.execute(
        psycopg.sql.SQL("set local lock_timeout = {}").format(psycopg.sql.Literal(LOCK_PATIENCE))
    )
    try:
        database.execute("lock table lake_watermark in exclusive mode")
    except psycopg.errors.LockNotAvailable as error:
        raise EnvironmentProblem(
            "the lake is being exported and did not finish in two minutes; try again"
        ) from error


def _row_counts(database: psycopg.Connection[tuple[Any, ...]]) -> dict[str, int]:
    names = [str(row[0]) for row in database.execute(TABLES).fetchall()]
    return {name: _scalar(database, f"select count(*) from {name}") for name in names}


def _scalar(database: psycopg.Connection[tuple[Any, ...]], statement: str) -> Any:
    row = database.execute(statement.encode()).fetchone()
    return row[0] if row else None


def _add(tar: tarfile.TarFile, path: Path, name: str) -> str:
    """Add one file and return its digest, made from the very bytes that were added."""
    with path.open("rb") as file:
        entry = tar.gettarinfo(arcname=name, fileobj=file)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        reader = _Hashing(file)
        try:
            tar.addfile(entry, reader)
        except OSError as error:
            if error.errno is not None:
                raise
            raise EnvironmentProblem(f"{path} changed while it was copied; try again") from error
    return reader.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """Reads a file and remembers the digest of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        content = self.file.read(size)
        self.digest.update(content)
        return content


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dump(url: str, target: Path, *options: str) -> None:
    arguments = ["--format=custom", "--compress=1", "--no-owner", f"--file={target}", *options]
    _postgres_program("pg_dump", url, arguments, "backed up")


def _load(url: str, source: Path) -> None:
    arguments = ["--no-owner", "--exit-on-error", "--single-transaction"]
    _postgres_program("pg_restore", url, [*arguments, str(source)], "restored")


def _postgres_program(name: str, url: str, arguments: list[str], what: str) -> None:
    parsed = sa.make_url(libpq_url(url))
    # By variable: a command line shows its password to everybody on the machine.
    variables = {**os.environ, "PGPASSWORD": parsed.password} if parsed.password else None
    target = parsed.set(password=None).render_as_string()
    result = subprocess.run(
        [str(binaries() / name), f"--dbname={target}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=variables,
    )
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if "error:" in line]
        reason = lines[0].split("error:", 1)[1].strip() if lines else result.stderr.strip()
        raise EnvironmentProblem(f"the database cannot be {what}: {reason}")
