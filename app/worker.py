"""One worker process: takes job ids from RQ and runs them inside the app, without a fork per job."""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys
import time
from functools import lru_cache

from flask import Flask
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq import SimpleWorker

from app import create_app
from app.core import logs, pulse
from app.core.db import db
from app.core.jobs import Queue, worker_stopping
from app.core.jobs_run import execute
from app.core.redis import new_redis
from app.core.schedule import table
from app.core.tenancy import platform_scope

log = logs.get_logger()


@lru_cache(maxsize=1)
def get_app() -> Flask:
    """The app of this process, made once."""
    return create_app()


def run_job(job_id: str) -> None:
    """What RQ calls: run one job row."""
    with get_app().app_context():
        execute(job_id)


def run_periodic(name: str) -> None:
    """What RQ's cron calls: one entry of the periodic table, as the platform."""
    with get_app().app_context(), platform_scope():
        try:
            table[name].function()
        finally:
            db.session.remove()


class Worker(SimpleWorker):
    """A SimpleWorker that gives its job back between two steps when it is asked to stop."""

    def __init__(self, queues: list[str]) -> None:
        connection = new_redis(socket_timeout=None)  # waiting for work is no silence; RQ sets how long it waits
        super().__init__([RqQueue(name, connection=connection) for name in queues], connection=connection)

    def handle_warm_shutdown_request(self) -> None:
        worker_stopping.set()
        super().handle_warm_shutdown_request()


def _set_aside() -> None:
    """Leave what the app is made of out of later searches for garbage: they took a fifth of the time of bulk work."""
    gc.collect()
    gc.freeze()


def main() -> None:
    parser = argparse.ArgumentParser(description="Run one worker process.")
    parser.add_argument("--queues", default=",".join(Queue), help="comma-separated, most urgent first")
    queues = parser.parse_args().queues.split(",")
    unknown = set(queues) - set(Queue)
    if unknown:
        sys.exit(f"There is no queue named {', '.join(sorted(unknown))}. Queues: {', '.join(Queue)}.")
    get_app()
    _set_aside()
    name = f"{socket.gethostname()}:{os.getpid()}"
    pulse.start(name)
    while True:
        try:
            Worker(queues).work(logging_level="WARNING")
            if worker_stopping.is_set():
                pulse.leave(name)
                return
            log.warning("worker_left_its_queues")  # RQ gives up on what it does not know; nobody told us to
        except RedisError as error:
            if worker_stopping.is_set():
                return
            log.warning("worker_lost_redis", reason=str(error))
        time.sleep(1)


if __name__ == "__main__":
    from app.worker import main as run  # under its own name, so that jobs and this process share one app

    run()
