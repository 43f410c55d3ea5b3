"""Plain Python that everything stands on: errors, registries, settings, schedules. Imports no torch."""
