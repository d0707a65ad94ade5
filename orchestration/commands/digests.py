"""`omniflow digests`."""

from __future__ import annotations

from orchestration.commands._opening import Json, report
from orchestration.commands._reading import show, stored


def command(json: Json = False) -> None:
    """A digest of each table's business content: equal after an equal replay."""
    from resources.operational_store.digests import table_digests

    with stored() as connection:
        digests = table_digests(connection)
    if json:
        report(digests)
        return
    rows = [
        {"table": table, "rows": digest.split(":")[0], "digest": digest.split(":")[1]}
        for table, digest in digests.items()
    ]
    show(rows, ("table", "rows", "digest"))
