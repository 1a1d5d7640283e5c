"""What every service stands on: the Service object, HTTP, database, keys, clock, timers, notices, files, telemetry."""
