"""Same-day pickup: a part of order to fulfillment that a store and its customer work on.

Its steps use this flow's one state machine, ledgers and money; only what a pickup adds is here.
"""
