"""The owner's tool, `smugmug-backup`. Never imported by the Lambda function, nor shipped with it.

A door: parses, starts a room, tells its answer. May import the rooms, `wiring` and the entrance; an
adapter only where `pyproject.toml` lists it. Start at `main`; each command is a file of `commands`.
"""
