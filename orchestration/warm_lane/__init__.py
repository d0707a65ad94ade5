"""The warm lane: runs that start at once because a process for them waits ready.

Dagster starts an interpreter for every run, which takes seconds. Here one process has imported the
light code location already and forks for each run that is marked for it. Every such run is still a
process of its own; where the lane is closed, a run is started as any other.
"""

from __future__ import annotations

#: Marks a run that may take the lane.
LANE_TAG = "omniflow/lane"
WARM = "warm"
#: Which process a run became, as ``pid/seconds since the epoch at which it began``.
PROCESS_TAG = "omniflow/warm_process"
