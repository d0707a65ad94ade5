"""The world wakes us: sensors and the gateway. They are given their inbox; they decide nothing."""
