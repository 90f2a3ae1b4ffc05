"""bin/test: runs every check, also after one has failed, and ends with what passed and what did not."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PYTHON = [sys.executable, "-m"]


@dataclass(frozen=True)
class Check:
    """One tool: `kind` is what --only selects."""

    name: str
    kind: str
    command: list[str]


@dataclass(frozen=True)
class Outcome:
    """How one check ended."""

    check: Check
    code: int
    seconds: float


# import-linter has no module to run with -m, and the script beside Python breaks when the folder is moved.
IMPORT_LINTER = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]


def checks(pytest_arguments: list[str]) -> list[Check]:
    pytest = [*PYTHON, "pytest", "-n", "auto", "--dist", "loadgroup", *pytest_arguments]
    return [
        Check("ruff check", "lint", [*PYTHON, "ruff", "check", "."]),
        Check("ruff format", "lint", [*PYTHON, "ruff", "format", "--check", "."]),
        Check("djlint", "lint", [*PYTHON, "djlint", "templates", "app/sandbox/templates", "--lint", "--quiet"]),
        Check("imports", "lint", IMPORT_LINTER),
        Check("mypy", "types", [*PYTHON, "mypy"]),
        Check("pytest", "tests", pytest),
    ]


def find_browser() -> str | None:
    """A Chromium on this machine: CHROMIUM, else one on PATH."""
    for name in (os.environ.get("CHROMIUM"), *BROWSERS):
        if name and (path := shutil.which(name)):
            return path
    return None


def install_browser() -> str | None:
    """Fetch a Chromium: the system's package as root, else the one Playwright brings; None when neither works."""
    print("No Chromium found; installing one for the browser tests ...", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in ("apt-get update -qq", "apt-get install -y -qq --no-install-recommends chromium"):
            subprocess.run(command.split(), env=quiet, stdin=subprocess.DEVNULL, check=False)
        if found := find_browser():
            return found
    subprocess.run([*PYTHON, "playwright", "install", "chromium"], stdin=subprocess.DEVNULL, check=False)
    return find_playwright_browser()


def find_playwright_browser() -> str | None:
    """The Chromium in Playwright's own folder, if it was ever fetched."""
    script = "from playwright.sync_api import sync_playwright as p\nwith p() as b: print(b.chromium.executable_path)"
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    path = asked.stdout.strip()
    return path if path and Path(path).exists() else None


def prepare_browser(environment: dict[str, str]) -> None:
    """Name the browser in CHROMIUM for the tests; without one their failure says so."""
    browser = find_browser() or find_playwright_browser() or install_browser()
    if browser:
        environment["CHROMIUM"] = browser
    else:
        print("No Chromium could be found or installed; the browser tests will fail. Set CHROMIUM to one.", flush=True)


def run(check: Check, environment: dict[str, str]) -> Outcome:
    print(f"\n== {check.name}", flush=True)
    started = time.monotonic()
    code = subprocess.run(check.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    return Outcome(check, code, time.monotonic() - started)


def summarise(outcomes: list[Outcome]) -> int:
    """Print one line a check; 1 when any failed."""
    print("\n== summary")
    for outcome in outcomes:
        word = "passed" if outcome.code == 0 else "FAILED"
        print(f"{word}  {outcome.check.name:<12} {outcome.seconds:6.1f} s")
    return int(any(outcome.code for outcome in outcomes))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description="Lint, format, types, import contracts and the whole test suite. All run, also when one fails.",
        epilog="Every other argument goes to pytest, for example: bin/test --only tests tests/insights -k refuses",
    )
    parser.add_argument("--only", choices=("lint", "types", "tests"), help="run only these checks")
    parser.add_argument("--fix", action="store_true", help="let ruff mend and format first")
    given, pytest_arguments = parser.parse_known_args()
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PARLEY_VENV": sys.prefix}
    if given.fix:
        subprocess.run([*PYTHON, "ruff", "check", "--fix", "--quiet", "."], cwd=ROOT, check=False)
        subprocess.run([*PYTHON, "ruff", "format", "--quiet", "."], cwd=ROOT, check=False)
    chosen = [check for check in checks(pytest_arguments) if given.only in (None, check.kind)]
    if any(check.kind == "tests" for check in chosen):
        prepare_browser(environment)
    return summarise([run(check, environment) for check in chosen])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
