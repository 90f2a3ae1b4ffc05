"""Mail: handed to a real server, refused softly and for good, safe against headers of somebody else's."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core import mail
from app.core.config import ConfigurationError, load_settings
from app.core.errors import ProviderFailed, ValidationFailed
from tests.support.mail import server_context


def send(to="ana@example.com", subject="Hello", text="Hello Ana,\n\nhow are you?\n", html="", message_id="job1"):
    mail.send(to, subject, text, html, message_id=message_id)


def test_a_mail_arrives_as_it_was_written(mail_server):
    send(subject="Grüße\r\nund mehr", html="<p>Hello <b>Ana</b></p>")
    (came,) = mail_server.mails
    assert mail_server.envelopes == [("parley@mail.example", ["ana@example.com"])]
    assert (came["From"], came["To"], came["Subject"]) == (
        "Parley <parley@mail.example>", "ana@example.com", "Grüße und mehr",
    )  # fmt: skip
    assert came["Message-ID"] == "<job1@mail.example>"
    assert came["Auto-Submitted"] == "auto-generated"
    assert came.get_body(("plain",)).get_content().replace("\r\n", "\n") == "Hello Ana,\n\nhow are you?\n"
    assert "<b>Ana</b>" in came.get_body(("html",)).get_content()


def test_the_same_mail_sent_again_bears_the_same_id(mail_server):
    send()
    send()
    assert [came["Message-ID"] for came in mail_server.mails] == ["<job1@mail.example>"] * 2


@pytest.mark.parametrize(
    "address",
    ["ana@example.com\r\nBcc: eve@example.com", "ana@example.com, eve@example.com", "Ana <ana@example.com>", "ana", ""],
)
def test_what_is_not_one_address_gets_no_mail(mail_server, address):
    with pytest.raises(ValidationFailed):
        send(to=address)
    assert mail_server.mails == []


def test_an_address_of_a_domain_in_other_letters_is_reached(mail_server):
    send(to="ana@bücher.example")
    assert mail_server.envelopes[0][1] == ["ana@xn--bcher-kva.example"]


@pytest.mark.parametrize(("answer", "retryable"), [("451 Try later", True), ("554 Never", False)])
def test_a_refused_mail_may_be_tried_again_only_when_the_server_said_later(mail_server, answer, retryable):
    mail_server.refusals = [answer]
    with pytest.raises(ProviderFailed) as refused:
        send()
    assert refused.value.retryable is retryable
    assert answer[:3] in refused.value.message
    send()
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize(("answer", "retryable"), [("450 Mailbox busy", True), ("550 No such user", False)])
def test_a_refused_recipient_is_told_from_a_busy_one(mail_server, answer, retryable):
    mail_server.refuses_recipients = answer
    with pytest.raises(ProviderFailed) as refused:
        send()
    assert refused.value.retryable is retryable


def test_a_server_that_is_away_is_tried_again(mail_server):
    mail_server.stop()
    with pytest.raises(ProviderFailed) as away:
        send()
    assert away.value.retryable


def test_a_server_without_encryption_gets_nothing_when_it_was_asked_for(mail_server, settings_override):
    settings_override(smtp_security="starttls", smtp_username="parley", smtp_password="right")
    with pytest.raises(ProviderFailed) as refused:
        send()
    assert not refused.value.retryable
    assert mail_server.mails == mail_server.logins == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    (folder / "key.pem").write_bytes(plain)
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_encrypted_session_signs_in_and_sends(
    start_mail_server, settings_override, monkeypatch, certificate, security
):
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    context = server_context(*certificate)
    tls = {"tls_context": context, "require_starttls": True} if security == "starttls" else {"ssl_context": context}
    server = start_mail_server(security, auth_required=True, auth_require_tls=security == "starttls", **tls)
    settings_override(smtp_username="parley", smtp_password="right")
    send()
    assert len(server.mails) == 1
    assert server.logins[0] == (b"parley", b"right")


def test_a_wrong_password_of_the_server_is_final(start_mail_server, settings_override):
    start_mail_server(auth_required=True, auth_require_tls=False)
    settings_override(smtp_username="parley", smtp_password="wrong")
    with pytest.raises(ProviderFailed) as refused:
        send()
    assert not refused.value.retryable


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(start_mail_server, certificate, security):
    context = server_context(*certificate)
    tls = {"tls_context": context} if security == "starttls" else {"ssl_context": context}
    server = start_mail_server(security, **tls)
    with pytest.raises(ProviderFailed) as refused:
        send()
    assert not refused.value.retryable
    assert server.mails == []


@pytest.mark.parametrize("sender", ["", "Parley", "Parley <>", "Parley <nobody>"])
def test_a_mail_server_without_a_sender_stops_the_start(monkeypatch, sender):
    monkeypatch.setenv("SMTP_HOST", "mail.example")
    monkeypatch.setenv("SMTP_FROM", sender)
    with pytest.raises(ConfigurationError, match="SMTP_FROM"):
        load_settings()
