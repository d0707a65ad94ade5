"""Consent: what needs it, and whose it is. An event waits before the door until it is given."""
