"""The Lambda: events come in, a backup or a check is done, telemetry goes out.

A door: may import the rooms that are shipped, `wiring` and the entrance; an adapter only where
`pyproject.toml` lists it. Start at `handler`; `events` and `actions` are what it can do.
"""
