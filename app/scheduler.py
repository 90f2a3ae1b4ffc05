"""The scheduler process: RQ's cron over the table of periodic work. Run one; two only do work twice."""

from __future__ import annotations

import time

from redis.exceptions import RedisError
from rq.cron import CronScheduler

from app.core import logs
from app.core.redis import get_redis
from app.core.schedule import table
from app.worker import get_app, run_periodic

log = logs.get_logger()


def make_scheduler() -> CronScheduler:
    """A scheduler holding every entry of the table; what no worker takes in time is dropped, not piled up."""
    cron = CronScheduler(connection=get_redis(), logging_level="WARNING")
    for entry in table.values():
        cron.register(
            run_periodic,
            entry.queue,
            args=(entry.name,),
            interval=entry.every_seconds,
            job_timeout=entry.timeout_seconds,
            ttl=max(10, entry.every_seconds * 2),
            result_ttl=0,
            failure_ttl=60,
            name=entry.name,
        )
    return cron


def main() -> None:
    get_app()
    while True:
        try:
            make_scheduler().start()
            return
        except RedisError as error:
            log.warning("scheduler_lost_redis", reason=str(error))
            time.sleep(1)


if __name__ == "__main__":
    main()
