"""One inbox sensor in a process of its own, as a benchmark starts it: ``URL FOLDER PHASE``.

It does what the sensor's tick does, tick after tick, until it is ended: listen, handle, report.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dagster as dg

from resources.partners import PartnerBook
from resources.store_access import StoreAccess
from sensors.inbox import MicroBatches, watch
from tests.no_sinks import no_sinks


def main() -> None:
    url, folder, phase = sys.argv[1:]
    access = StoreAccess(url, Path(folder), lambda: PartnerBook([]), no_sinks)
    access.time_is_simulated()
    with dg.DagsterInstance.ephemeral() as instance:
        print("ready", flush=True)
        while True:
            watch(access, MicroBatches(instance), float(phase))


if __name__ == "__main__":
    main()
