"""What bin/run was asked for: the command line, the environment and .env, in this order. Standard library only."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from _settings import CannotStart, read_env_file

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    """What the command line, the environment and .env ask for, in this order."""

    host: str
    port: int
    sandbox_port: int
    folder: Path
    demo: bool
    sandbox: bool
    environment: dict[str, str]


def parse(arguments: list[str]) -> Options:
    """Read the command line; a setting in .env counts unless the environment already has it."""
    from_file = read_env_file(ROOT / ".env")
    environment = from_file | dict(os.environ)
    parser = argparse.ArgumentParser(
        prog="bin/run",
        description="Starts Parley on this machine, with everything it needs. Ctrl-C stops all of it, losing nothing.",
        epilog="Every setting is explained in .env.example; put yours in .env. Logs are in DATA_DIR/logs.",
    )
    port, sandbox_port = environment.get("PORT") or "8080", environment.get("SANDBOX_PORT") or "8090"
    parser.add_argument("--port", default=port, help="of the product (PORT, else 8080)")
    parser.add_argument("--sandbox-port", default=sandbox_port, help="of the sandbox (SANDBOX_PORT, else 8090)")
    parser.add_argument("--host", default=environment.get("HOST") or "127.0.0.1", help="address to listen on (HOST)")
    parser.add_argument("--data-dir", help="folder of everything kept (DATA_DIR, else instance/ in the project)")
    parser.add_argument("--no-demo", action="store_true", help="do not fill the demo workspace")
    parser.add_argument("--no-sandbox", action="store_true", help="do not start the sandbox of the outside services")
    given = parser.parse_args(arguments)
    return Options(
        host=given.host,
        port=port_number(given.port, "--port"),
        sandbox_port=port_number(given.sandbox_port, "--sandbox-port"),
        folder=data_folder(given.data_dir, from_file),
        demo=not given.no_demo,
        sandbox=not given.no_sandbox,
        environment=environment,
    )


def port_number(text: str, flag: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"{flag} must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def data_folder(flag: str | None, from_file: dict[str, str]) -> Path:
    """The flag and the environment speak of the caller's folder, .env of the project's."""
    given = flag or os.environ.get("DATA_DIR")
    if given:
        return Path(given).expanduser().absolute()
    return (ROOT / Path(from_file.get("DATA_DIR") or "instance").expanduser()).absolute()
