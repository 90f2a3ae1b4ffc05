"""Read-only lists and reports of messaging."""
