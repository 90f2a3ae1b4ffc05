"""A real SMTP server in this process, which keeps what it takes and refuses what it is told to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class MailServer:
    """`refusals` are answered one by one to the next mails, before any is taken."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refusals: list[str] = []
        self.refuses_recipients = ""
        self.controller: Controller | None = None
        self.port = 0

    def start(self, **options: object) -> MailServer:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self.controller.start()
        return self

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        if self.refuses_recipients:
            return self.refuses_recipients
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 OK"

    def take_login(self, _server, _session, _envelope, _mechanism, given) -> AuthResult:
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"right", handled=False)


@pytest.fixture
def mail_server(settings_override) -> Iterator[MailServer]:
    """A server that the settings name, without TLS."""
    server = MailServer().start()
    use_server(settings_override, server)
    yield server
    server.stop()


@pytest.fixture
def start_mail_server(settings_override) -> Iterator[Callable[..., MailServer]]:
    """Start one with aiosmtpd's options; the settings name it, with the security that is asked for."""
    started: list[MailServer] = []

    def start(security: str = "none", host: str = "127.0.0.1", **options: object) -> MailServer:
        server = MailServer()
        started.append(server)
        if "auth_required" in options:
            options["authenticator"] = server.take_login
        use_server(settings_override, server.start(**options), security, host)
        return server

    yield start
    for server in started:
        server.stop()


def use_server(change, server: MailServer, security: str = "none", host: str = "127.0.0.1") -> None:
    change(
        smtp_host=host, smtp_port=server.port, smtp_from="Parley <parley@mail.example>", smtp_security=security
    )  # fmt: skip


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
