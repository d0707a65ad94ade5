"""Sourcing: which node ships which units of an order. Pure rules; who calls them keeps what they saw.

`tables` says what goes in, `deciding.source` decides, `explaining` shows why. The design is the
decision record ``sourcing`` in ``docs/adr``.
"""
