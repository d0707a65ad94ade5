"""Whether a file writes the month or the day first, which no single date of it can tell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from resources.layouts.uci_online_retail.files import File
from resources.layouts.uci_online_retail.values import Times


def settle_slash_dates(files: Iterable[File], times: Times, declared: str) -> dict[Path, bool]:
    """Decide for each file whether 1/2/2011 is in January; one that cannot tell is refused.

    A file in which every day is below 13 is read as all the others are, if they agree.

    Args:
        files: The accepted ones.
        times: What each text of the date column could mean.
        declared: ``from_file``, or the order that all of them have.

    Returns:
        By file, whether the day comes first; those that are refused now are left out.
    """
    day_first: dict[Path, bool] = {}
    tellers: set[bool] = set()
    unsure = []
    for file in files:
        told = set(np.unique(times.told[file.codes["InvoiceDate"]]).tolist())
        if declared != "from_file":
            day_first[file.path] = declared == "day_first"
        elif {1, -1} <= told:
            file.refuse("has dates with the month first and dates with the day first")
        elif told & {1, -1}:
            day_first[file.path] = -1 in told
            tellers.add(-1 in told)
        elif 2 in told:
            unsure.append(file)
        else:
            day_first[file.path] = False
    for file in unsure:
        if len(tellers) == 1:
            day_first[file.path] = next(iter(tellers))
        else:
            file.refuse(
                "has dates like 1/2/2011 only, from which it cannot be told whether the day "
                "or the month comes first"
            )
    return day_first
