"""Background work of insights: making audiences, running simulations, answering in conversations."""

from importlib import import_module
from importlib.util import find_spec

for _name in ("answer", "departures", "generate", "simulate"):
    if find_spec(f"app.insights.jobs.{_name}"):
        import_module(f"app.insights.jobs.{_name}")
