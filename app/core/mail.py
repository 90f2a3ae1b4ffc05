"""Handing a mail to the SMTP server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr

from email_validator import EmailNotValidError, validate_email

from app.core.clock import utc_now
from app.core.config import Settings, get_settings
from app.core.errors import ProviderFailed, ValidationFailed

TIMEOUT_SECONDS = 15
AWAY = "The mail server cannot be reached."


def is_set_up() -> bool:
    """Whether this installation can send mail."""
    return bool(get_settings().smtp_host)


def send(to: str, subject: str, text: str, html: str = "", *, message_id: str) -> None:
    """Hand the mail over; blocks up to a quarter of a minute for each step of the server.

    The same `message_id` names the same mail, so that one sent twice can be recognised. Raises ProviderFailed,
    retryable when the server was away or said "later", and ValidationFailed for what is no address.
    """
    settings = get_settings()
    message = _compose(settings, to, subject, text, html, message_id)
    try:
        with _connect(settings) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(min(code for code, _ in error.recipients.values())) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code) from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise ProviderFailed("The mail server does not speak as SMTP_SECURITY asks.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise ProviderFailed(AWAY, retryable=True) from error


def _refused(code: int) -> ProviderFailed:
    """Codes of the four hundreds ask to come back later; those of the five hundreds are final."""
    return ProviderFailed(f"The mail server refused the mail ({code}).", retryable=code < 500)


def _compose(settings: Settings, to: str, subject: str, text: str, html: str, message_id: str) -> EmailMessage:
    """The mail. The policy refuses a line break in a header, so that nobody can add one of their own."""
    message = EmailMessage(policy=SMTP_POLICY)
    name, sender = parseaddr(settings.smtp_from)
    domain = sender.rpartition("@")[2]
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = _address(to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = f"<{message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def _address(text: str) -> Address:
    """One address, by the same rule that sign-up accepts one."""
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        raise ValidationFailed("to: is not an e-mail address.", field="to") from None
    return Address(username=found.local_part, domain=found.ascii_domain)


def _connect(settings: Settings) -> smtplib.SMTP:
    """A session with the server, secured and signed in as the settings say; certificates are verified."""
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_username:
            server.login(settings.smtp_username, settings.smtp_password)
    except BaseException:
        server.close()
        raise
    return server
