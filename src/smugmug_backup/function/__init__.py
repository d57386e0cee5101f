"""The Lambda: events come in, a backup or a check is done, telemetry goes out. See `handler`."""
