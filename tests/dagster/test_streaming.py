from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.contracts.admission import Submission
from assets.errors import EnvironmentProblem
from assets.ports import CaseType
from orchestration.environment import PROJECT
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.connection import connect
from resources.operational_store.door import Door
from resources.operational_store.store import write_clock
from resources.partners import PartnerBook
from resources.store_access import StoreAccess
from tests.no_sinks import no_sinks


def node_registered(node_id: str) -> Submission:
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "erp",
        "type": "retail.node.registered.v1",
        "subject": node_id,
        "time": "2026-03-02T12:00:00Z",
        "datacontenttype": "application/json",
        "legalentity": "brand_uk",
        "brand": "brand",
        "region": "uk",
        "channel": "web_shop",
        "correlationid": node_id,
        "data": {
            "node_id": node_id,
            "kind": "warehouse",
            "zone": "Europe/London",
            "country": "GB",
        },
    }
    return Submission("erp", json.dumps(event).encode(), "test")


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[StoreAccess]:
    opened = StoreAccess(database_url, tmp_path, lambda: PartnerBook([]), no_sinks)
    yield opened
    opened.store.engine.dispose()


def admit(access: StoreAccess, node_id: str) -> None:
    with access.store.transaction() as connection:
        (receipt,) = Door().admit(connection, [node_registered(node_id)])
    assert receipt.outcome == "accepted", receipt


def nodes(access: StoreAccess) -> list[str]:
    with access.store.transaction() as connection:
        return [row[0] for row in fetch(connection, "select node_id from node order by 1")]


def test_what_waits_is_handled_once_and_then_nothing_waits(access: StoreAccess) -> None:
    admit(access, "dc_one")
    assert [(name, tally.applied) for name, tally in access.drain_waiting()] == [("master_data", 1)]
    assert nodes(access) == ["dc_one"]
    assert list(access.drain_waiting()) == []
    assert access.drain("master_data").applied == 0


def test_a_listener_hears_of_an_event_within_a_moment(access: StoreAccess) -> None:
    with access.listening("omniflow_inbox") as listener:
        assert not listener.heard(0.05)
        later = threading.Timer(0.1, admit, (access, "dc_one"))
        later.start()
        started = time.monotonic()
        assert listener.heard(5.0)
        assert time.monotonic() - started < 1.0
        # It is heard at the commit, before the connection is back where it is closed.
        later.join()


def test_two_who_drain_do_not_handle_events_beside_each_other(access: StoreAccess) -> None:
    admit(access, "dc_one")
    with connect(access._url) as other:
        other.execute("select pg_advisory_lock(6170401983)")
        assert list(access.drain_waiting()) == []
        assert nodes(access) == []
        # A connection that is closed gives its lock back only when the server has noticed.
        other.execute("select pg_advisory_unlock(6170401983)")
    assert [name for name, _ in access.drain_waiting()] == ["master_data"]


def test_a_home_belongs_to_real_time_from_its_first_event(access: StoreAccess) -> None:
    assert not access.time_is_simulated()
    admit(access, "dc_one")
    list(access.drain_waiting())
    with access.store.transaction() as connection:
        ((mode, instant),) = fetch(connection, "select mode, effective_at from home_clock")
    assert mode == "wall"
    assert abs((datetime.now(UTC) - instant).total_seconds()) < 60


def test_in_simulated_time_a_drain_by_hand_takes_the_time_of_the_home(
    access: StoreAccess,
) -> None:
    simulated = datetime(2011, 3, 4, tzinfo=UTC)
    with access.store.transaction() as connection:
        write_clock(connection, "simulated", simulated)
    assert access.time_is_simulated()
    admit(access, "dc_one")
    assert access.drain("master_data").applied == 1
    with access.store.transaction() as connection:
        assert fetch(connection, "select effective_at from node") == [(simulated,)]
        assert fetch(connection, "select mode, effective_at from home_clock") == [
            ("simulated", simulated)
        ]


def test_in_simulated_time_no_real_partner_is_spoken_to(database_url: str, tmp_path: Path) -> None:
    from resources.partners import Partner

    real = Partner(code="erp", kind="erp", base_url="https://erp.example", owner="platform")
    access = StoreAccess(database_url, tmp_path, lambda: PartnerBook([real]), no_sinks)
    with access.store.transaction() as connection:
        write_clock(connection, "simulated", datetime(2011, 3, 4, tzinfo=UTC))
    with pytest.raises(EnvironmentProblem, match="sandbox partners"):
        access.dispatch()
    access.store.engine.dispose()


def test_facts_are_unexported_until_the_lake_has_them(access: StoreAccess) -> None:
    assert not access.has_unexported_facts()
    with access.store.transaction() as connection:
        execute(
            connection,
            "insert into price (sku, channel, unit_price, currency_code, occurred_at, effective_at)"
            " values ('MUG', 'web_shop', 1, 'GBP', now(), now())",
        )
    assert access.has_unexported_facts()
    with access.store.transaction() as connection:
        execute(
            connection,
            "insert into lake_watermark (table_name, exported_below_xid, exported_rows)"
            " values ('price', pg_snapshot_xmin(pg_current_snapshot()), 1)",
        )
    assert not access.has_unexported_facts()


def test_a_case_that_happens_again_is_counted_up_and_open_again(access: StoreAccess) -> None:
    access.open_case(CaseType.RUN_FAILED, "publish_marts", "run 1")
    with access.store.transaction() as connection:
        execute(connection, "update exception_case set status = 'closed', closed_at = now()")
    access.open_case(CaseType.RUN_FAILED, "publish_marts", "run 2")
    with access.store.transaction() as connection:
        found = fetch(connection, "select status, case_count, reason from exception_case")
    assert found == [("open", 2, "run 2")]


def test_every_law_can_be_asked_by_its_checks(access: StoreAccess) -> None:
    from assets.finance.checks import LAWS as MONEY
    from assets.inventory.checks import LAWS as STOCK
    from assets.order_to_fulfillment.checks import LAWS as FLOW

    for law in (*STOCK, *MONEY, *FLOW):
        result = access.check_law(law.id)
        assert (result.id, result.holds) == (law.id, True)


# The real thing: a code server and a daemon


@contextmanager
def process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def until(condition: Callable[[], Any], seconds: float, what: str, log: Path) -> float:
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            pytest.fail(f"{what} took more than {seconds} s: {log.read_text()[-2000:]}")
        time.sleep(0.02)
    return time.monotonic() - started


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_an_event_is_handled_within_seconds_of_its_commit(
    access: StoreAccess, database_url: str
) -> None:
    with tempfile.TemporaryDirectory(prefix="omniflow-daemon-") as name, ExitStack() as running:
        folder = Path(name)
        (folder / "dagster").mkdir()
        port = free_port()
        (folder / "dagster" / "dagster.yaml").write_text(
            "sensors: {use_threads: true, num_workers: 8}\ntelemetry: {enabled: false}\n"
        )
        workspace = folder / "workspace.yaml"
        workspace.write_text(
            "load_from:\n- grpc_server: {host: 127.0.0.1, port: "
            f"{port}, location_name: operations}}\n"
        )
        environment = {
            **os.environ,
            "OMNIFLOW_HOME": str(folder / "home"),
            "OMNIFLOW_DATABASE_URL": database_url,
            "DAGSTER_HOME": str(folder / "dagster"),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
        }
        python, log = sys.executable, folder / "daemon.log"
        server = [python, "-m", "dagster", "api", "grpc", "-m", "orchestration.operations"]
        server += ["-h", "127.0.0.1", "-p", str(port), "--location-name", "operations"]
        running.enter_context(process(server, environment, folder / "server.log"))

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        until(answers, 30, "the code server", folder / "server.log")
        daemon = [python, "-m", "dagster._daemon", "run", "-w", str(workspace)]
        running.enter_context(process(daemon, environment, log))

        def listens() -> bool:
            with access.store.transaction() as connection:
                query = (
                    "select 1 from pg_stat_activity where datname = current_database()"
                    " and query ilike 'listen%%omniflow_inbox%%'"
                )
                return bool(fetch(connection, query))

        until(listens, 30, "the first tick", log)
        for number in range(3):
            admit(access, f"dc_{number}")
            until(lambda: len(nodes(access)) > number, 4, "the event", log)  # noqa: B023

        with dg.DagsterInstance.from_config(str(folder / "dagster")) as instance:

            def events_told() -> int:
                records = instance.fetch_materializations(dg.AssetKey("product"), limit=9).records
                return sum(
                    int(str(record.asset_materialization.metadata["events_applied"].value))
                    for record in records
                    if record.asset_materialization is not None
                )

            until(lambda: events_told() == 3, 5, "the report", log)
