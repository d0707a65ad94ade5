"""Assembles: definitions, jobs, schedules, the command line. Nothing imports this package."""
