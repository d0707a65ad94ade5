"""A small retailer's partner systems over HTTP: for the demo, tests, replays and game days.

One process plays ERP, warehouse, carrier, payment provider, CRM and the sales channels. Everything
that it says follows from its seed, its settings and what it was told, never from the order or the
size of requests; what it was told is in a journal, so it can be killed and started again. Nothing
here is used by the product against a real partner.
"""
