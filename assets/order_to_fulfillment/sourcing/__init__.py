"""Sourcing: which node ships which units of an order. Pure; who calls it keeps what it saw.

`tables` says what goes in, `deciding.source` decides, `explaining` shows why. The design is the
decision record ``sourcing`` in ``docs/adr``.
"""
