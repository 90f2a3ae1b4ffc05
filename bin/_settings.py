"""The environment every process of bin/run shares: .env, folders, ports, secrets. Standard library only."""

from __future__ import annotations

import base64
import os
import secrets
import socket
from pathlib import Path

# The sandbox's Twilio account, as app/sandbox/services/twilio_account.py has it; it is worth nothing anywhere else.
SANDBOX_TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "5a4db0c5" * 4,
    "TWILIO_AUTH_TOKEN": "7e575a4db0c57e575a4db0c57e575a4d",
    "TWILIO_SMS_SENDER": "+15005550006",
    "TWILIO_WHATSAPP_SENDER": "+14155238886",
}


class CannotStart(Exception):
    """Something a person must change first, as one sentence."""


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines; quotes around a value and lines that begin with # are left out."""
    values: dict[str, str] = {}
    if not path.exists():
        return values
    for line in path.read_text().splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            values[name.strip()] = value
    return values


def prepare_folder(folder: Path) -> None:
    """Make the data folder, or say why it cannot be used."""
    try:
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        (folder / "store").mkdir(exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "choose another with --data-dir"
        raise CannotStart(f"The data folder {folder} cannot be written ({reason}); {advice}.") from error


def require_free_port(host: str, port: int, flag: str) -> None:
    """Refuse a port that something else listens on, and name one that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            advice = f"choose one above 1023 with {flag}"
            raise CannotStart(f"Port {port} needs the administrator's rights; {advice}.") from None
        except OSError as error:
            advice = f"choose another, for example {flag} {free_port()}"
            raise CannotStart(f"Port {port} cannot be used on {host} ({error.strerror}); {advice}.") from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    fresh.replace(path)


def kept_secrets(folder: Path) -> dict[str, str]:
    """The secrets of this data folder, made on its first start: sessions and encrypted fields outlive a restart."""
    path = folder / "secrets.env"
    kept = read_env_file(path)
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "STORE_PASSWORD": secrets.token_urlsafe(24),
    }
    if not made.keys() <= kept.keys():
        kept = made | kept
        lines = ["# Made by bin/run; without FIELD_KEYS the encrypted columns cannot be read."]
        write_private(path, "\n".join([*lines, *(f"{name}={value}" for name, value in kept.items())]) + "\n")
    return kept


def sandbox_services(environment: dict[str, str], sandbox_url: str, port: int) -> dict[str, str]:
    """What points the services without credentials of their own at the sandbox, and the sandbox back at the product."""
    own = environment.get("PUBLIC_URL") or f"http://localhost:{port}"
    chosen = {"SANDBOX_CALLBACK_URL": environment.get("SANDBOX_CALLBACK_URL") or own}
    if not environment.get("TWILIO_ACCOUNT_SID") and environment.get("ENVIRONMENT") != "production":
        chosen |= SANDBOX_TWILIO | {
            "TWILIO_BASE_URL": f"{sandbox_url}/twilio",
            "TWILIO_CONTENT_BASE_URL": f"{sandbox_url}/twilio/content",
            "TWILIO_MESSAGING_BASE_URL": f"{sandbox_url}/twilio/messaging",
        }
    return chosen
