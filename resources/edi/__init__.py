"""Suppliers' messages as EDI: X12 and EDIFACT in, X12 out, each interchange whole or not at all."""
