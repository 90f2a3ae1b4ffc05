import httpx2
import pytest
from twilio.request_validator import RequestValidator

ANN = "+14155550142"


@pytest.fixture
def listening(sandbox, hook):
    sandbox.control.twilio(inbound_url=hook.url)
    return sandbox


def test_what_somebody_writes_is_posted_signed_to_our_webhook(twilio, listening, hook):
    told = listening.control.write(ANN, "Hello, I need support")
    (call,) = hook.calls
    assert (call["From"], call["To"], call["Body"]) == (ANN, "+15005550006", "Hello, I need support")
    assert (call["NumMedia"], call["NumSegments"], call["FromCountry"]) == ("0", "1", "US")
    assert call["MessageSid"] == told["sid"] == call["SmsSid"]
    assert told["status"] == 200
    assert RequestValidator(twilio.token).validate(hook.url, call, hook.signatures[0])


def test_whatsapp_bears_the_name_and_the_prefix(listening, hook):
    listening.control.write(f"whatsapp:{ANN}", "Hi", profile_name="Ann", ButtonPayload="yes")
    (call,) = hook.calls
    assert (call["From"], call["To"]) == (f"whatsapp:{ANN}", "whatsapp:+14155238886")
    assert (call["ProfileName"], call["WaId"], call["ButtonPayload"]) == ("Ann", "14155550142", "yes")


@pytest.mark.parametrize("word", ["STOP", "stopall", " Unsubscribe ", "END", "quit", "cancel", "REVOKE", "optout"])
def test_after_a_stop_that_sender_and_its_services_are_refused_with_21610(twilio, listening, hook, word):
    listening.control.write(ANN, word)
    assert hook.calls[0]["Body"] == word, "the webhook comes all the same"
    assert twilio.send(To=ANN).json()["code"] == 21610
    assert twilio.send(To=ANN, From=None, MessagingServiceSid=twilio.service).json()["code"] == 21610
    assert twilio.send(To=ANN, From="+18445550100").status_code == 201, "another sender was not stopped"
    listening.control.write(ANN, "START")
    assert twilio.send(To=ANN).status_code == 201


def test_a_sentence_with_stop_in_it_stops_nothing(twilio, listening):
    listening.control.write(ANN, "Please stop by tomorrow")
    assert twilio.send(To=ANN).status_code == 201


def test_whatsapp_leaves_keywords_to_us(twilio, listening):
    told = listening.control.write(f"whatsapp:{ANN}", "STOP")
    assert told["twilio_reply"] == ""
    assert twilio.send(To=f"whatsapp:{ANN}", From="whatsapp:+14155238886").status_code == 201


def test_advanced_opt_out_names_the_kind_of_keyword(twilio, listening, hook):
    listening.control.twilio(advanced_opt_out=[twilio.service])
    twilio.send(To=ANN, From=None, MessagingServiceSid=twilio.service)
    for word in ("stop", "start", "help", "hello"):
        listening.control.write(ANN, word)
    assert [call.get("OptOutType") for call in hook.calls] == ["STOP", "START", "HELP", None]
    assert {call["MessagingServiceSid"] for call in hook.calls} == {twilio.service}


def test_a_services_own_address_goes_before_the_usual_one(twilio, listening, hook):
    service = twilio.post(
        "/messaging/v1/Services", {"FriendlyName": "Shop", "InboundRequestUrl": f"{hook.url}&own=1"}
    ).json()["sid"]
    twilio.send(To=ANN, From=None, MessagingServiceSid=service)
    assert listening.control.write(ANN, "Hi")["url"] == f"{hook.url}&own=1"
    twilio.post(f"/messaging/v1/Services/{service}", {"UseInboundWebhookOnNumber": "true"})
    assert listening.control.write(ANN, "Hi")["url"] == hook.url


def test_our_replies_are_read_out_of_the_answer(listening, hook):
    hook.answer = (200, "text/xml", "<Response><Message>Tom &amp; Ann</Message></Response>")
    assert listening.control.write(ANN, "Hi")["replies"] == ["Tom & Ann"]


def test_the_page_writes_and_shows_what_came_of_it_harmlessly(listening, hook):
    hook.answer = (200, "text/xml", "<Response><Message>&lt;script&gt;x</Message></Response>")
    form = {"from": ANN, "to": "+15005550006", "body": "<script>alert(1)</script>"}
    page = httpx2.post(f"{listening.url}/twilio/inbound", data=form, follow_redirects=True)
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "answered 200" in page.text
    httpx2.post(f"{listening.url}/twilio/inbound", data={**form, "quick": "STOP"})
    assert [call["Body"] for call in hook.calls] == ["<script>alert(1)</script>", "STOP"]
    assert listening.control.received("twilio") == [], "the page is no part of the service"


def test_the_page_writes_by_whatsapp_where_that_is_chosen_and_shows_what_the_person_was_sent(twilio, listening, hook):
    twilio.send(To=ANN, Body="Your order is here")
    form = {"from": ANN, "to": "whatsapp:+14155238886", "body": "Thanks"}
    page = httpx2.post(f"{listening.url}/twilio/inbound", data=form, follow_redirects=True)
    assert (hook.calls[0]["From"], hook.calls[0]["To"]) == (f"whatsapp:{ANN}", "whatsapp:+14155238886")
    assert "Your order is here" in page.text


def test_without_an_address_the_answer_says_so(sandbox):
    told = sandbox.control.write(ANN, "Hi")
    assert (told["status"], told["url"]) == (0, "")


@pytest.mark.parametrize("more", [{"channel": "fax"}, {"to": "+15005550006", "from": "Ann"}])
def test_who_writes_needs_a_number_and_a_known_channel(sandbox, more):
    answer = httpx2.post(f"{sandbox.url}/_control/twilio/inbound", json={"from": ANN, "body": "Hi", **more})
    assert answer.status_code == 400
