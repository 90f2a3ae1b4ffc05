"""Makes or mends the virtual environment, then becomes the given script inside it. Standard library only."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
ALL_REQUIREMENTS = ("constraints.txt", "requirements.txt", "requirements-dev.txt")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> None:
    say(text)
    raise SystemExit(1)


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def wanted(requirements: str) -> str:
    """A fingerprint of what the environment must hold: every requirement file up to the named one."""
    digest = hashlib.sha256()
    for name in ALL_REQUIREMENTS[: ALL_REQUIREMENTS.index(requirements) + 1]:
        path = ROOT / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def stamp(venv: Path, requirements: str) -> Path:
    return venv / f".installed-{requirements.removesuffix('.txt')}"


def is_current(venv: Path, requirements: str) -> bool:
    """Whether the environment is whole; the development one serves for running too."""
    if (venv / ".installing").exists() or not python_of(venv).exists():
        return False
    mark = stamp(venv, requirements)
    return mark.exists() and mark.read_text() == wanted(requirements)


def works(venv: Path) -> bool:
    """Whether its Python still starts: an upgrade or a move of the system's Python breaks the links."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python_of(venv), "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def only_one(venv: Path) -> Iterator[None]:
    """Hold the install lock; wait for another command that is installing."""
    with open(venv.with_name(venv.name + ".lock"), "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is installing; waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def create(venv: Path) -> None:
    """Make the empty environment; whatever an interrupted installation left is removed first."""
    if (venv / ".installing").exists():
        say("The last installation was interrupted; starting it afresh.")
        shutil.rmtree(venv)
    elif venv.exists() and not works(venv):
        say("The environment's Python no longer works; making it anew.")
        shutil.rmtree(venv)
    venv.mkdir(exist_ok=True)
    (venv / ".installing").touch()
    if not python_of(venv).exists():
        say(f"Making the environment {venv} with Python {sys.version.split()[0]} ...")
        run_quietly([sys.executable, "-m", "venv", str(venv)], venv)


def run_quietly(command: list[str], venv: Path) -> None:
    """Run to the end, showing how far it is; on failure show the last lines and stop."""
    log = venv / "install.log"
    with open(log, "a") as record:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        )
        try:
            follow(process, record)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        (venv / ".installing").unlink(missing_ok=True)  # pip undoes its own failures; only a kill leaves a mess
        tail = "\n".join("    " + line for line in log.read_text().splitlines()[-12:])
        fail(f"Installing failed; is the network there, and the disk not full? All of it: {log}\n{tail}")


def follow(process: subprocess.Popen[str], record: TextIO) -> None:
    """Turn pip's talk into a short line now and then, so that minutes of work are never silent."""
    assert process.stdout is not None
    collected, said_at = 0, time.monotonic()
    for line in process.stdout:
        record.write(line)
        if line.startswith("Collecting "):
            collected += 1
            if time.monotonic() - said_at > 3:
                say(f"  fetched {collected} packages, now {line.split()[1]}")
                said_at = time.monotonic()
        elif line.startswith("Installing collected packages"):
            say(f"  unpacking {line.count(',') + 1} packages ...")


def install(venv: Path, requirements: str) -> None:
    """Install the pinned requirements and leave the stamp that says so."""
    started = time.monotonic()
    say(f"Installing {requirements} (a minute or two, the first time only) ...")
    (venv / "install.log").write_text("")
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--python", str(python_of(venv)), "-r", requirements]
    else:
        pip = [str(python_of(venv)), "-m", "pip", "install"]
        command = [*pip, "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r", requirements]
    run_quietly(command, venv)
    for name in ALL_REQUIREMENTS[1 : ALL_REQUIREMENTS.index(requirements) + 1]:
        stamp(venv, name).write_text(wanted(name))
    (venv / ".installing").unlink()
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def ensure(venv: Path, requirements: str) -> None:
    """Bring the environment up to date; a no-op of milliseconds when it already is."""
    if is_current(venv, requirements):
        return
    try:
        with only_one(venv):
            if not is_current(venv, requirements):
                create(venv)
                install(venv, requirements)
    except PermissionError as error:
        fail(f"The environment cannot be made in {venv.parent}: no permission to write {error.filename}.")


def main() -> None:
    requirements, script, *arguments = sys.argv[1:]
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    ready_made = os.environ.get("PARLEY_VENV")
    venv = Path(ready_made or ROOT / ".venv").absolute()
    if not ready_made:
        try:
            ensure(venv, requirements)
        except KeyboardInterrupt:
            say("\nStopped while installing; the next start begins it again.")
            raise SystemExit(130) from None
    elif not works(venv):
        fail(f"PARLEY_VENV names {venv}, which holds no working Python 3.11 or newer.")
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)
    python = str(python_of(venv))
    os.execv(python, [python, str(ROOT / "bin" / script), *arguments])


if __name__ == "__main__":
    main()
