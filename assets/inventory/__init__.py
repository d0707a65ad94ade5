"""Stock that cannot be oversold: physical facts, available to promise, what channels are told."""
