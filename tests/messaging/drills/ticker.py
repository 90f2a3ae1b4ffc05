"""The scheduler's table at a drill's pace: what sees to campaigns, twice a second."""

from __future__ import annotations

import time

from app.core.logs import get_logger
from app.worker import run_periodic

ENTRIES = (
    "core.recover_jobs", "messaging.wake", "messaging.mark_lost", "messaging.wake_receipts",
    "messaging.take_held_callbacks",
)  # fmt: skip

if __name__ == "__main__":
    while True:
        for name in ENTRIES:
            try:
                run_periodic(name)
            except Exception as error:
                get_logger().warning("tick_failed", entry=name, reason=type(error).__name__)
        time.sleep(0.5)
