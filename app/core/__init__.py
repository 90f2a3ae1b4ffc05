"""The shared kernel: settings, database, tenancy, jobs, events, live updates; it knows no feature."""
