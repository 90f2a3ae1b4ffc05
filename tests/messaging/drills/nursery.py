"""Has everything loaded and forks a worker when asked: twenty are killed in a drill, and each would load for seconds.

`start LOG` gives a process id, `kill PID` the signal it ended by: its own end, had it come before, is none.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback

from app import worker
from tests.messaging.drills.desk import ANSWER


def main() -> None:
    worker.get_app()
    print(f"{ANSWER}null", flush=True)
    for line in sys.stdin:
        wish, _, of = line.strip().partition(" ")
        print(f"{ANSWER}{_start(of) if wish == 'start' else _kill(int(of))}", flush=True)


def _start(log: str) -> int:
    pid = os.fork()
    if pid == 0:
        _become_worker(log)
    return pid


def _kill(pid: int) -> int:
    """A child that ended keeps its number until it is waited for, so nobody else is hit."""
    os.kill(pid, signal.SIGKILL)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def _become_worker(log: str) -> None:
    os.setsid()
    random.seed()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    quiet = os.open(os.devnull, os.O_RDONLY)
    for number, stream in enumerate((quiet, out, out)):
        os.dup2(stream, number)
    sys.argv = ["worker"]
    try:
        worker.main()
    finally:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
