"""The shared words of the trade: money, identifiers, days. No flow, no storage, no framework."""
