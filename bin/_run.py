"""bin/run: brings up everything the product needs on this machine, watches over it, and takes it down again."""

from __future__ import annotations

import fcntl
import os
import resource
import shlex
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import _store
from _options import Options, parse
from _screen import banner, say, step
from _settings import (
    CannotStart,
    free_port,
    kept_secrets,
    prepare_folder,
    require_free_port,
    sandbox_services,
    write_private,
)
from _supervisor import Child, Stopped, Supervisor, stop_leftovers

WORKERS = {
    "worker-1": "critical,default,bulk,ai",
    "worker-2": "ai,critical,default",
    "worker-3": "ai,critical",
}
FIRST_WORKER = "worker-1"
CRASHES_BEFORE_READY = 4
LONGEST_START = 300.0


def lock(folder: Path) -> TextIO:
    """Hold the data folder for as long as the file stays open; refuse when another bin/run has it."""
    handle = open(folder / "run.lock", "a+")  # noqa: SIM115 - it stays open until the process ends
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        raise CannotStart(
            f"Another bin/run (process {owner}) already uses {folder}; stop it, or choose another with --data-dir."
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def raise_file_limit() -> None:
    """Open event streams cost a descriptor each; the usual soft limit of 1,024 is too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft != resource.RLIM_INFINITY and soft < goal:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))


def shared_environment(options: Options) -> tuple[dict[str, str], str]:
    """What every process gets, and the password of the embedded store."""
    kept = kept_secrets(options.folder)
    environment = dict(options.environment)
    environment |= {
        "DATA_DIR": str(options.folder),
        "PORT": str(options.port),
        "SANDBOX_PORT": str(options.sandbox_port),
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("SECRET_KEY", "FIELD_KEYS"):
        environment[name] = environment.get(name) or kept[name]
    if options.demo and not environment.get("DEMO_MODE") and environment.get("ENVIRONMENT") != "production":
        environment["DEMO_MODE"] = "true"
    if options.sandbox:
        environment["SANDBOX_URL"] = environment.get("SANDBOX_URL") or f"http://127.0.0.1:{options.sandbox_port}"
        environment |= sandbox_services(environment, environment["SANDBOX_URL"].rstrip("/"), options.port)
    return environment, kept["STORE_PASSWORD"]


def start_store(supervisor: Supervisor, password: str) -> None:
    """Start the embedded store unless REDIS_URL names one, and wait until it answers."""
    if url := supervisor.environment.get("REDIS_URL"):
        return _store.require_reachable(url)
    port = free_port()
    supervisor.environment["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{port}/0"
    with step("Starting the store"):
        child = supervisor.start("store", _store.command(supervisor.folder, port, password), rank=2, grace=15)
        while not _store.answers("127.0.0.1", port, password):
            give_up_on(child, crashes=2)
            supervisor.tick(0.02)
    return None


def give_up_on(child: Child, *, crashes: int) -> None:
    """Refuse to go on with a process that only crashes."""
    if child.crashes >= crashes:
        words = "\n".join(f"    {line}" for line in child.tail[-8:])
        raise CannotStart(f"{child.name} cannot start; all it said is in {child.log}:\n{words}")


def flask(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]


def migrate(supervisor: Supervisor) -> None:
    with step("Migrating the database"):
        code = supervisor.run("migrate", flask("db", "upgrade"))
    if code:
        words = (supervisor.folder / "logs" / "migrate.log").read_text().splitlines()[-8:]
        raise CannotStart("The database could not be migrated:\n" + "\n".join(f"    {line}" for line in words))


def start_processes(supervisor: Supervisor, options: Options) -> None:
    """What readiness needs: web and a worker; and the sandbox. Each is restarted when it crashes."""
    if options.sandbox:
        say("Starting the sandbox ...")
        port = str(options.sandbox_port)
        supervisor.start("sandbox", [sys.executable, "-m", "app.sandbox", "--port", port], rank=1, grace=4)
    say("Starting web, workers and scheduler ...")
    host = f"[{options.host}]" if ":" in options.host else options.host
    web = ["-m", "gunicorn", "wsgi:app", "--config", "gunicorn.conf.py", "--workers", "1"]
    supervisor.start("web", [sys.executable, *web, "--bind", f"{host}:{options.port}"])
    start_worker(supervisor, FIRST_WORKER)


def start_others(supervisor: Supervisor) -> None:
    """The processes nobody waits for: begun later, they do not slow down the first."""
    for name in WORKERS:
        if name != FIRST_WORKER:
            start_worker(supervisor, name)
    supervisor.start("scheduler", [sys.executable, "-m", "app.scheduler"])


def start_worker(supervisor: Supervisor, name: str) -> None:
    supervisor.start(name, [sys.executable, "-m", "app.worker", "--queues", WORKERS[name]])


def readiness(port: int, host: str) -> tuple[bool, str]:
    """Whether the product says it is ready, and its words."""
    reach = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    try:
        with urllib.request.urlopen(f"http://{reach}:{port}/readyz", timeout=2) as answer:
            return True, answer.read(500).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return False, error.read(500).decode(errors="replace")
    except OSError as error:
        return False, str(error)


def wait_until_ready(supervisor: Supervisor, options: Options) -> None:
    """Return when /readyz is happy; tell what is missing when that takes long, and give up in the end."""
    began = told_at = time.monotonic()
    while True:
        ready, words = readiness(options.port, options.host)
        if ready:
            return
        for child in supervisor.children:
            give_up_on(child, crashes=CRASHES_BEFORE_READY)
        if time.monotonic() - told_at > 15:
            told_at = time.monotonic()
            say(f"Still starting; /readyz says: {words}")
        if time.monotonic() - began > LONGEST_START:
            raise CannotStart(f"Parley did not become ready in {LONGEST_START:.0f} s; /readyz says: {words}")
        supervisor.tick()


def start_demo(supervisor: Supervisor) -> Child:
    """Fill the demo workspace, or find it filled; a process of its own, beside the others."""
    return supervisor.start("demo", flask("demo", "load"), once=True)


def known_sign_in(folder: Path) -> str:
    """The e-mail and password the demo workspace said last, parted by a blank; empty when it never did."""
    log = folder / "logs" / "demo.log"
    said = [line for line in log.read_text().splitlines() if line.startswith("demo: ")] if log.exists() else []
    return said[-1].removeprefix("demo: ") if said else ""


def wait_for_demo(supervisor: Supervisor, child: Child) -> str:
    """Wait until the demo workspace is filled; give its sign-in, or none when that failed."""
    told_at = time.monotonic()
    while child.alive:
        supervisor.tick()
        if time.monotonic() - told_at > 10:
            told_at = time.monotonic()
            say("Still filling the demo workspace; only the first start does this.")
    if child.process is None or child.process.returncode:
        say(f"The demo workspace could not be filled (see {child.log}); Parley runs without it.")
        return ""
    return known_sign_in(supervisor.folder)


def tell_operators(supervisor: Supervisor) -> None:
    """Leave a file a shell can read, so that commands such as `flask` reach the same database and store."""
    names = ["DATA_DIR", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "DEMO_MODE", "SANDBOX_URL", "PORT"]
    names += [name for name in supervisor.environment if name.startswith("TWILIO_")]
    known = {name: supervisor.environment[name] for name in names if supervisor.environment.get(name)}
    write_private(supervisor.folder / "run.env", "".join(f"{name}={shlex.quote(known[name])}\n" for name in known))


def bring_up(supervisor: Supervisor, options: Options, password: str, began: float) -> None:
    """Every step from nothing to ready, said on the screen."""
    has_database = bool(supervisor.environment.get("DATABASE_URL")) or (options.folder / "parley.db").exists()
    sign_in = known_sign_in(options.folder) if options.demo and has_database else ""
    start_store(supervisor, password)
    tell_operators(supervisor)
    migrate(supervisor)
    start_processes(supervisor, options)
    demo = None
    if options.demo and not sign_in:
        say("Filling the demo workspace ...")
        demo = start_demo(supervisor)
    wait_until_ready(supervisor, options)
    start_others(supervisor)
    if demo:
        sign_in = wait_for_demo(supervisor, demo)
    greet(options, sign_in, time.monotonic() - began)
    if options.demo and not demo:
        start_demo(supervisor)  # it was filled before: nobody needs to wait for that to be found out again


def greet(options: Options, sign_in: str, seconds: float) -> None:
    """Say where the product is and how to get in."""
    shown = "localhost" if options.host in ("127.0.0.1", "0.0.0.0", "::") else options.host
    sandbox = f"http://localhost:{options.sandbox_port}" if options.sandbox else ""
    if sign_in and options.host not in ("127.0.0.1", "::1", "localhost"):
        say("Whoever reaches this address can sign in to the demo workspace; --no-demo leaves it out.")
    banner(f"http://{shown}:{options.port}", sign_in, seconds, sandbox)


def serve(options: Options) -> int:
    """Bring up, watch, take down; 0 after a wished stop, 1 when it could not start."""
    began = time.monotonic()
    prepare_folder(options.folder)
    held = lock(options.folder)
    stop_leftovers(options.folder)
    require_free_port(options.host, options.port, "--port")
    if options.sandbox:
        require_free_port("127.0.0.1", options.sandbox_port, "--sandbox-port")
    raise_file_limit()
    environment, password = shared_environment(options)
    supervisor = Supervisor(options.folder, environment)
    try:
        bring_up(supervisor, options, password, began)
        while True:
            supervisor.tick(0.2)
    except Stopped:
        return 0
    finally:
        supervisor.stop_all()
        (options.folder / "run.env").unlink(missing_ok=True)
        say("Stopped.")
        held.close()


def main() -> int:
    try:
        return serve(parse(sys.argv[1:]))
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
