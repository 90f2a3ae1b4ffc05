"""What bin/run shows: short lines with the process they come from, in colour where a terminal understands it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

TERMINAL = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ
COLOURS = {"web": 36, "store": 33, "sandbox": 35, "scheduler": 34, "demo": 32, "parley": 1}
TROUBLE = re.compile(r"\b(warning|error|critical|exception|traceback|fatal)\b", re.IGNORECASE)


LONGEST = 400
HARMLESS = ("overcommit_memory",)  # the store's advice for machines that hold gigabytes in it


def paint(text: str, code: int) -> str:
    return f"\033[{code}m{text}\033[0m" if TERMINAL else text


def say(text: str, source: str = "parley") -> None:
    """One line on the screen, cut to its width, prefixed with where it comes from."""
    if TERMINAL:
        text = text[: max(shutil.get_terminal_size().columns - 12, 40)]
    label = paint(f"{source:<9}", COLOURS.get(source, 37)) if text else ""
    try:
        print(f"{label} {text}", flush=True)
    except OSError:  # the terminal is gone (SIGHUP); the work of stopping goes on without it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what begins, and how long it took when that was noticeable."""
    say(f"{text} ...")
    started = time.monotonic()
    yield
    took = time.monotonic() - started
    if took > 1:
        say(f"  done in {took:.1f} s")


def banner(address: str, sign_in: str, seconds: float, sandbox: str) -> None:
    """The lines a person waits for: where to go and how to get in."""
    say("")
    say(paint(f"Ready in {seconds:.0f} s: {address}", 1))
    if sign_in:
        email, _, password = sign_in.partition(" ")
        say(f"Demo sign-in: {email}   password: {password}")
    if sandbox:
        say(f"Sandbox of the outside services: {sandbox}")
    say("Ctrl-C stops everything.")
    say("")


def shorten(line: str) -> str | None:
    """A log line as a person wants it on the screen: only trouble, and of JSON only what happened."""
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except ValueError:
            return line[:LONGEST]
        if entry.get("level") not in ("warning", "error", "critical"):
            return None
        first, *rest = str(entry.get("event", "")).splitlines() or [""]
        why = [f"{k}={v}" for k, v in entry.items() if k in ("error", "job", "job_id", "path", "reason", "status")]
        cause = next((text for text in reversed(rest) if re.match(r"\w[\w.]*(Error|Exception)\b", text)), "")
        return " ".join([f"{entry['level']}: {first}", *why, cause])[:LONGEST]
    trouble = TROUBLE.search(line) and not any(word in line for word in HARMLESS)
    return line[:LONGEST] if trouble else None
