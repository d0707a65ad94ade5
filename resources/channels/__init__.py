"""One file per channel: its payloads, translated to our contracts."""
