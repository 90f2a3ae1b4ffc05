"""Background work of messaging."""

from importlib import import_module
from importlib.util import find_spec

for _name in ("campaigns", "sending", "receipts", "uploads", "templates", "alarms", "reconcile", "erasure", "consent"):
    if find_spec(f"app.messaging.jobs.{_name}"):
        import_module(f"app.messaging.jobs.{_name}")
