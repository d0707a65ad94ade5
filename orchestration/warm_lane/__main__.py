"""``python -m orchestration.warm_lane SOCKET``: opens the lane, as the supervisor does."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Without threads: numpy starts them when it is imported, unless it is told before."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from orchestration.warm_lane.lane import open_lane

    open_lane(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
