"""Starts processes, restarts the ones that crash, and stops all of them in order. Standard library only."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from _screen import say, shorten

ROOT = Path(__file__).resolve().parent.parent
LOG_LIMIT = 20 * 1024 * 1024
HEALTHY_AFTER = 60.0  # seconds a process must live for its next crash to count as the first
LONGEST_PAUSE = 30.0
LINES_AT_ONCE = 6
PR_SET_PDEATHSIG = 1


class Stopped(Exception):
    """A person or the system asked everything to stop."""


@dataclass
class Child:
    """One process and what is known of it; `rank` orders the stop, lowest first."""

    name: str
    command: list[str]
    log: Path
    rank: int
    grace: float
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float | None = None
    crashes: int = 0
    read_to: int = 0
    once: bool = False
    tail: list[str] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def die_with_parent() -> Callable[[], None] | None:
    """What a Linux child does first: ask for SIGTERM should its parent be killed, so that none is orphaned."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def first() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return first


def send(process: subprocess.Popen[bytes], number: signal.Signals, *, group: bool = False) -> None:
    """Signal a child, or the whole group it leads; one that has just ended is fine."""
    with suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


class Supervisor:
    """The children of one bin/run. Everything happens in one thread, at each `tick`."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.children: list[Child] = []
        self.stops = 0
        self.before_exec = die_with_parent()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def _asked_to_stop(self, *_: object) -> None:
        self.stops += 1

    # -- starting ------------------------------------------------------------------------------------------------

    def start(self, name: str, command: list[str], *, rank: int = 0, grace: float = 8.0, once: bool = False) -> Child:
        """Start a process; unless it runs only once, it is started again whenever it ends."""
        log = self.folder / "logs" / f"{name}.log"
        child = Child(name, command, log, rank, grace, once=once)
        self.children.append(child)
        self._spawn(child)
        return child

    def _spawn(self, child: Child) -> None:
        self._rotate(child, at=LOG_LIMIT // 4)
        with open(child.log, "ab") as output:
            child.read_to = output.tell()
            child.process = subprocess.Popen(
                child.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal reaches bin/run alone, which stops them in order
                preexec_fn=self.before_exec,
            )
        child.started_at, child.start_again_at = time.monotonic(), None
        self._write_down()

    def _write_down(self) -> None:
        """Keep the ids for the next start, should this one be killed without a chance to stop its children."""
        alive = [
            {"name": child.name, "pid": child.process.pid, "program": child.command[0]}
            for child in self.children
            if child.alive and child.process
        ]
        (self.folder / "run.json").write_text(json.dumps(alive))

    def run(self, name: str, command: list[str]) -> int:
        """Run to the end and give the exit code; raises Stopped when asked to stop meanwhile."""
        child = self.start(name, command, once=True)
        while child.alive:
            self.tick()
        return child.process.returncode if child.process else 1

    # -- watching ------------------------------------------------------------------------------------------------

    def tick(self, pause: float = 0.1) -> None:
        """Look once at every child; raises Stopped when asked to stop."""
        if self.stops:
            raise Stopped
        for child in self.children:
            self._show_trouble(child)
            if not child.alive and not child.once:
                self._revive(child)
        time.sleep(pause)

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.start_again_at is None:
            child.crashes = 1 if now - child.started_at > HEALTHY_AFTER else child.crashes + 1
            pause = min(2.0 ** (child.crashes - 1), LONGEST_PAUSE)
            child.start_again_at = now + pause
            if child.process:
                send(child.process, signal.SIGKILL, group=True)  # what it had started may still hold its port
            code = child.process.returncode if child.process else "?"
            say(f"ended unexpectedly (exit {code}); starting it again in {pause:.0f} s. Its last words:", child.name)
            for line in child.tail[-3:]:
                say(f"  {line}", child.name)
        elif now >= child.start_again_at:
            self._spawn(child)
            say("started again", child.name)

    def _show_trouble(self, child: Child) -> None:
        """Put new warnings and errors of its log on the screen."""
        self._rotate(child, at=LOG_LIMIT)
        with open(child.log, "rb") as log:
            log.seek(child.read_to)
            fresh = log.read(256 * 1024)
        whole, newline, _ = fresh.rpartition(b"\n")
        if not newline:
            return
        child.read_to += len(whole) + 1
        lines = whole.decode(errors="replace").splitlines()
        child.tail = [*child.tail, *lines][-20:]
        shown = [short for line in lines if (short := shorten(line))]
        for line in shown[:LINES_AT_ONCE]:
            say(line, child.name)
        if len(shown) > LINES_AT_ONCE:
            say(f"and {len(shown) - LINES_AT_ONCE} more lines in {child.log}", child.name)

    def _rotate(self, child: Child, *, at: int) -> None:
        """Keep one older log; the file is emptied in place because its process holds it open for appending."""
        if child.log.exists() and child.log.stat().st_size > at:
            child.log.with_suffix(".log.1").write_bytes(child.log.read_bytes())
            os.truncate(child.log, 0)
            child.read_to = 0

    # -- stopping ------------------------------------------------------------------------------------------------

    def stop_all(self) -> None:
        """Stop rank by rank, the store last; a second Ctrl-C kills what is left at once."""
        asked = self.stops
        for rank in sorted({child.rank for child in self.children}):
            group = [child for child in self.children if child.rank == rank and child.alive]
            if group:
                say("Stopping " + ", ".join(child.name for child in group) + " ...")
                self._stop(group, asked)
        (self.folder / "run.json").unlink(missing_ok=True)

    def _stop(self, group: Iterable[Child], asked: int) -> None:
        group = list(group)
        for child in group:
            if child.process:
                send(child.process, signal.SIGTERM)
        began, hurried = time.monotonic(), False
        while waiting := [child for child in group if child.alive]:
            if self.stops > asked and not hurried:
                hurried = True
                say("Asked again: killing what is left.")
            for child in waiting:
                grace = min(child.grace, 3.0 if child.name == "store" else 0.0) if hurried else child.grace
                if time.monotonic() - began > grace and child.process:
                    if not hurried:
                        say(f"{child.name} does not stop by itself; killing it.")
                    send(child.process, signal.SIGKILL, group=True)
                    child.process.wait()
            time.sleep(0.03)


def stop_leftovers(folder: Path) -> None:
    """End what an earlier bin/run left when it was killed; two stores on one folder would spoil it."""
    path = folder / "run.json"
    try:
        leftovers = json.loads(path.read_text())
    except (OSError, ValueError):
        return
    for patience, number in ((3.0, None), (8.0, signal.SIGTERM), (3.0, signal.SIGKILL)):
        leftovers = [one for one in leftovers if _is_ours(one)]
        for one in leftovers:
            if number is not None:
                with suppress(ProcessLookupError):
                    os.kill(one["pid"], number)
        deadline = time.monotonic() + patience
        while leftovers and time.monotonic() < deadline:
            time.sleep(0.1)
            leftovers = [one for one in leftovers if _is_ours(one)]
    path.unlink(missing_ok=True)


def _is_ours(one: dict[str, object]) -> bool:
    """Whether this id still is the process that was written down, not a newer one that got its number."""
    return str(one["program"]) in command_line(str(one["pid"]))


def command_line(pid: str) -> str:
    """What a process was started with; empty when there is none. Small Linux images have /proc but no ps."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(["ps", "-o", "args=", "-p", pid], capture_output=True, text=True, check=False).stdout
