"""From a routed case to its playbook's first action, in a run of its own: ``make bench-playbooks``.

A whole home as ``omniflow up`` starts it, three times: with the warm lane, with runs that are
started at once in an interpreter of their own, and as Dagster does it by itself (a sensor asks, its
loop looks every five seconds). Cases are opened one after the other, further apart than the way
takes. Times are those of commits, as PostgreSQL stamps them: from the case that is routed to the
row of its action.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from assets.ports import Case, CaseType
from orchestration.environment import Environment
from orchestration.home import open_home
from resources.operational_store import embedded
from resources.operational_store.bulk import fetch
from resources.operational_store.store import OperationalStore, create_engine
from resources.policy_book import SHIPPED
from tests.benchmarks import measuring
from tests.benchmarks.measuring import Result

#: (what it is called, warm lane, started at once, cases, seconds between them)
WAYS = (
    ("warm lane", True, True, 50, (1.5, 2.5)),
    ("stock launcher, started at once", False, True, 15, (6.0, 8.0)),
    ("stock sensor and launcher", False, False, 12, (12.0, 16.0)),
)
TINY = (("warm lane", True, True, 3, (1.5, 2.0)),)
#: Until both sensors have begun their first tick.
_SETTLE_SECONDS = 15
_LATENCY = """
select
    count(*),
    percentile_cont(0.5) within group (order by seconds),
    percentile_cont(0.95) within group (order by seconds),
    max(seconds)
from (
    select extract(epoch from
        pg_xact_commit_timestamp(a.recorded_xid::text::xid)
        - pg_xact_commit_timestamp(s.recorded_xid::text::xid)) as seconds
    from playbook_action a
    join service_level_movement s
        on s.case_id = a.case_id and s.cycle = a.cycle and s.movement_number = 1
) as measured
"""


def omniflow(home: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=measuring.PROJECT,
        env={**os.environ, "OMNIFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"omniflow {' '.join(arguments)}: {done.stderr or done.stdout}")


@contextmanager
def running(folder: Path, *, is_warm: bool, at_once: bool) -> Iterator[OperationalStore]:
    """A home of its own in which everything runs, and its store."""
    home = folder / f"home-{is_warm}-{at_once}"
    (home / "policies").mkdir(parents=True)
    operations = yaml.safe_load((SHIPPED / "operations.yaml").read_text())
    operations["values"]["runs"] = {"warm_lane": is_warm, "at_once": at_once}
    (home / "policies" / "operations.yaml").write_text(yaml.safe_dump(operations))
    omniflow(home, "up")
    try:
        omniflow(home, "down")
        measuring.stamp_commits(home / "postgres")
        embedded.stop(home / "postgres")
        omniflow(home, "up")
        os.environ["OMNIFLOW_HOME"] = str(home)
        store = OperationalStore(create_engine(open_home(Environment.read()).database_url))
        time.sleep(_SETTLE_SECONDS)
        yield store
        store.engine.dispose()
    finally:
        omniflow(home, "down")


def open_cases(store: OperationalStore, count: int, apart: tuple[float, float]) -> None:
    """Cases of which the playbook acts at once, one after the other, and wait for the last."""
    dice = random.Random(1)
    for number in range(count):
        with store.unit_of_work() as unit_of_work:
            key = f"web_shop/SKU-{number}"
            unit_of_work.open_cases([Case(CaseType.PRICE_PARITY, key, "another price is shown")])
        time.sleep(dice.uniform(*apart))
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with store.transaction() as connection:
            if fetch(connection, "select count(*) from playbook_action")[0][0] == count:
                return
        time.sleep(0.5)
    raise SystemExit("not every case was acted on within two minutes")


def main() -> None:
    arguments = measuring.parser(__doc__).parse_args()
    ways = TINY if arguments.tiny else WAYS
    result = Result(
        "playbooks",
        "A playbook's first action",
        "; ".join(f"{name}: {cases} cases" for name, _, _, cases, _ in ways),
    )
    table = result.table(
        "Case routed to its playbook's first action",
        "way",
        "cases",
        "p50 s",
        "p95 s",
        "longest s",
    )
    with measuring.working_folder() as folder:
        for name, is_warm, at_once, cases, apart in ways:
            with running(folder, is_warm=is_warm, at_once=at_once) as store:
                result.postgresql = str(measuring.query(url_of(store), "show server_version")[0][0])
                open_cases(store, cases, apart)
                with store.transaction() as connection:
                    ((count, middle, most, longest),) = fetch(connection, _LATENCY)
            table.add(name, count, float(middle), float(most), float(longest))
            if is_warm:
                target = "≤ 1.0 s"
                result.figure("warm lane, p95", target, f"{most:.2f} s", float(most) <= 1.0)
    measuring.keep(result, arguments)


def url_of(store: OperationalStore) -> str:
    return store.engine.url.render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
