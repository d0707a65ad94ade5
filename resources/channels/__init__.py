"""One file or package per channel: its payloads, translated to our contracts."""
