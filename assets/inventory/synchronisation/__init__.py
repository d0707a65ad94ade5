"""Other systems' stock held against the ledger: what differs, why, and what becomes of it.

- ``service``: which snapshots are compared, when, and in which order;
- ``comparison``: one snapshot beside the ledger;
- ``rules`` and ``evidence``: what differs and the reason of every unit of it, both pure;
- ``correction``: what of it our own books follow, and what is taken back later;
- ``drift_cases``: what of it people have to look at;
- ``expectations``: what the gate asks of a closed window of it;
- ``policy``: what stock control may change about all this.
"""
