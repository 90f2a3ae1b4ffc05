import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.messaging.providers import registry
from app.messaging.providers.base import ErrorClass, Outgoing
from tests.messaging.providers.conftest import ACCOUNT, SERVICE, TOKEN

HOUR_AGO = timedelta(hours=1)


def sent_forms(sandbox):
    return [row["body"] for row in sandbox.control.received("twilio") if row["method"] == "POST"]


def test_a_message_is_handed_over_as_it_was_meant(provider, sandbox, sms):
    message = sms(body="Grüße", status_callback="https://a.example/cb?x=1", validity_seconds=3600)
    answer = provider.send(message)
    assert (answer.sid[:2], answer.status, answer.segments) == ("SM", "queued", 1)
    assert (answer.price_micros, answer.currency) == (None, "USD")
    assert abs(answer.sent_at - datetime.now(UTC)) < timedelta(seconds=10)
    (form,) = sent_forms(sandbox)
    assert form == {
        "To": "+14155550101",
        "From": "+15005550006",
        "Body": "Grüße",
        "StatusCallback": "https://a.example/cb?x=1",
        "ValidityPeriod": "3600",
    }


def test_long_texts_are_counted_in_parts(provider, sms):
    assert provider.send(sms(body="a" * 400)).segments == 3


def test_a_messaging_service_stands_in_for_a_sender(provider, sandbox, sms):
    assert provider.send(sms(sender=SERVICE)).status == "accepted"
    assert sent_forms(sandbox)[0]["MessagingServiceSid"] == SERVICE
    assert "From" not in sent_forms(sandbox)[0]


def test_whatsapp_prefixes_both_numbers(provider, sandbox):
    provider.send(Outgoing("whatsapp", "+14155550101", "+14155238886", "Hello"))
    form = sent_forms(sandbox)[0]
    assert (form["To"], form["From"]) == ("whatsapp:+14155550101", "whatsapp:+14155238886")


def test_pictures_go_along(provider, sandbox, sms):
    urls = ("https://a.example/1.jpg", "https://a.example/2.jpg")
    assert provider.send(sms(media_urls=urls)).sid.startswith("MM")
    assert sent_forms(sandbox)[0]["MediaUrl"] == list(urls)


def test_a_template_is_registered_approved_and_sent_with_its_variables(provider, sandbox):
    sid = provider.create_content("Order ready", "en", "Hi {{1}}, {{2}} is here", {"1": "Ann", "2": "A-17"})
    assert provider.content_status(sid) == ("unsubmitted", "")
    assert provider.submit_content(sid, "Order ready!", "UTILITY") == "received"
    sandbox.control.advance(10)
    assert provider.content_status(sid) == ("approved", "")
    to, values = "+14155550101", {"1": "Bén", "2": "B-18"}
    message = Outgoing("whatsapp", to, "+14155238886", content_sid=sid, variables=values)
    sent = provider.send(message)
    found = provider.find(to, message.sender, "whatsapp", sent.sent_at)[0]
    assert found.body == "Hi Bén, B-18 is here"
    assert json.loads(sent_forms(sandbox)[-1]["ContentVariables"]) == values


def test_a_rejected_template_says_why(provider, sandbox):
    sid = provider.create_content("x", "en", "Win {{1}}", {"1": "now"})
    provider.submit_content(sid, "reject me", "MARKETING")
    sandbox.control.advance(10)
    status, reason = provider.content_status(sid)
    assert status == "rejected"
    assert reason


def test_a_message_is_looked_at_as_it_stands(provider, sandbox, sms):
    sandbox.control.twilio(numbers={"+14155550101": "undelivered:30005"})
    sent = provider.send(sms())
    sandbox.control.advance(60)
    (found,) = provider.find("+14155550101", "", "sms", sent.sent_at)
    assert (found.status, found.error_code, found.to, found.sender) == (
        "undelivered",
        30005,
        "+14155550101",
        "+15005550006",
    )


def test_find_reads_every_page_newest_first(provider, sms, sandbox):
    sids = [provider.send(sms(body=f"{number}")).sid for number in range(203)]
    provider.send(sms(to="+14155550102"))
    provider.send(sms(sender="+18445550100"))
    found = provider.find("+14155550101", "+15005550006", "sms", datetime.now(UTC) - HOUR_AGO)
    assert [row.sid for row in found] == sids[::-1]
    assert sum(row["method"] == "GET" for row in sandbox.control.received("twilio")) == 2


def test_find_leaves_out_what_is_older_and_what_the_person_wrote(provider, sms, sandbox):
    provider.send(sms(body="old"))
    sandbox.control.advance(7200)
    sandbox.control.write("+14155550101", "Hello")
    provider.send(sms(body="new"))
    found = provider.find("+14155550101", "+15005550006", "sms", datetime.now(UTC) + HOUR_AGO)
    assert [row.body for row in found] == ["new"]


def test_find_by_messaging_service_takes_only_its_own(provider, sms):
    mine = provider.send(sms(sender=SERVICE)).sid
    provider.send(sms())
    found = provider.find("+14155550101", SERVICE, "sms", datetime.now(UTC) - HOUR_AGO)
    assert [row.sid for row in found] == [mine]


def test_find_on_whatsapp_gives_bare_numbers(provider):
    provider.send(Outgoing("whatsapp", "+14155550101", "+14155238886", "Hello"))
    (found,) = provider.find("+14155550101", "+14155238886", "whatsapp", datetime.now(UTC) - HOUR_AGO)
    assert (found.to, found.sender) == ("+14155550101", "+14155238886")


def test_verify_gives_the_accounts_name(provider):
    assert provider.verify() == "Sandbox account"


def test_a_wrong_token_is_a_matter_of_credentials(at, sandbox, sms, failure):
    stranger = at(sandbox.url, token="wrong")
    assert failure(stranger.verify).error_class is ErrorClass.CREDENTIALS
    failed = failure(lambda: stranger.send(sms()))
    assert (failed.code, failed.is_ambiguous) == (20003, False)
    assert "wrong" not in str(failed)


def test_an_account_is_served_by_one_provider_and_another_token_by_another(provider, at, sandbox):
    assert registry.provider_for(ACCOUNT, TOKEN) is provider
    assert at(sandbox.url, token="other") is not provider
    assert at(sandbox.url, seconds=3) is not provider


def test_connections_are_kept_and_used_again(at):
    lines: list[object] = []

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            lines.append(self.request)
            super().setup()

        def do_GET(self) -> None:
            body = b'{"friendly_name": "Kept"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        provider = at(f"http://127.0.0.1:{server.server_port}")
        assert [provider.verify() for _ in range(5)] == ["Kept"] * 5
        server.shutdown()
    assert len(lines) == 1


def test_many_threads_share_a_provider(provider, sms, sandbox):
    numbers = [f"+1415555{number:04d}" for number in range(120)]
    with ThreadPoolExecutor(12) as threads:
        sids = set(threads.map(lambda number: provider.send(sms(to=number)).sid, numbers))
    counts = sandbox.control.messages()
    assert len(sids) == counts["messages"] == counts["distinct_to"] == 120


def test_sending_costs_little_of_the_processor(provider, sms):
    for number in range(20):
        provider.send(sms(to=f"+1415555{number:04d}"))
    begun, count = time.thread_time(), 150
    for number in range(count):
        provider.send(sms(to=f"+1415556{number:04d}"))
    assert (time.thread_time() - begun) / count < 0.003
