"""The lake: an append-only Parquet copy of the operational facts, by table and recorded day.

Facts are found by the transaction that wrote them, never by a timestamp: a row is exported once
every transaction that could still precede it has ended (`pg_snapshot_xmin`), so one that commits
late is late, not lost. All tables of one export share one snapshot and one upper bound; whoever
reads up to `lake_watermark` therefore sees a consistent cut, an order with its lines or neither.

Master data change in place and are written as whole snapshots. Personal data never come here, and
neither do binary columns, which only a decision's recomputation needs. What the facts mean is the
dbt project's subject, not this module's.
"""
