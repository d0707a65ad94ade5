"""Tells people what they are to know: intents here, delivery in `resources.notifying`."""
