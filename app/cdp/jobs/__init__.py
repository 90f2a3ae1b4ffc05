"""Background work of customer data."""

from importlib import import_module
from importlib.util import find_spec

for _name in ("fold", "imports", "lifecycle", "refresh", "segments"):
    if find_spec(f"app.cdp.jobs.{_name}"):
        import_module(f"app.cdp.jobs.{_name}")
