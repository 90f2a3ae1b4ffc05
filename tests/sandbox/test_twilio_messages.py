import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2
import pytest

WA = {"To": "whatsapp:+14155550101", "From": "whatsapp:+14155238886"}


def soon(**delta):
    return (datetime.now(UTC) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_message_is_taken_with_201_and_texts_for_counts(twilio):
    answer = twilio.send()
    row = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"SM[0-9a-f]{32}", row["sid"])
    assert (row["status"], row["direction"], row["num_segments"], row["num_media"]) == (
        "queued",
        "outbound-api",
        "1",
        "0",
    )
    assert (row["price"], row["error_code"], row["to"], row["from"]) == (None, None, "+14155550101", "+15005550006")
    assert abs(parsedate_to_datetime(row["date_created"]) - datetime.now(UTC)) < timedelta(seconds=5)
    assert row["date_created"].endswith("+0000")


def test_a_messaging_service_accepts_first_and_names_its_sender_later(twilio, sandbox):
    row = twilio.send(From=None, MessagingServiceSid=twilio.service).json()
    assert (row["status"], row["from"], row["messaging_service_sid"]) == ("accepted", None, twilio.service)
    sandbox.control.advance(60)
    assert twilio.message(row["sid"])["from"].startswith("+")


def test_pictures_make_it_an_mms(twilio):
    row = twilio.send(MediaUrl=["https://example.com/a.jpg", "https://example.com/b.jpg"]).json()
    assert row["sid"].startswith("MM")
    assert row["num_media"] == "2"


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("a" * 160, "1"),
        ("a" * 161, "2"),
        ("a" * 306, "2"),
        ("a" * 307, "3"),
        ("€" * 80, "1"),
        ("€" * 81, "2"),
        ("a" * 152 + "€" + "a" * 152, "3"),  # the escaped sign is not cut in two
        ("ł" * 70, "1"),
        ("ł" * 71, "2"),
        ("ł" * 134, "2"),
        ("ł" * 135, "3"),
        ("😀" * 35, "1"),
        ("😀" * 36, "2"),
        ("😀" * 67, "3"),  # neither is a pair of surrogates: 33 fit into a part of 67
        ("`" + "a" * 69, "1"),
        ("`" + "a" * 70, "2"),
    ],
)
def test_parts_are_counted_as_carriers_count_them(twilio, body, segments):
    assert twilio.send(Body=body).json()["num_segments"] == segments


def test_smart_encoding_spares_a_part(twilio):
    body = "It’s " + "a" * 100
    assert twilio.send(Body=body).json()["num_segments"] == "2"
    smart = twilio.send(Body=body, SmartEncoded="true").json()
    assert (smart["num_segments"], smart["body"][:5]) == ("1", "It's ")


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"To": None}, 21604, 400),
        ({"To": "4155550101"}, 21211, 400),
        ({"To": "+0155550101"}, 21211, 400),
        ({"To": "whatsapp:4155550101", "From": WA["From"]}, 21211, 400),
        ({"From": None}, 21603, 400),
        ({"From": "+1"}, 21212, 400),
        ({"From": "+14155550199"}, 21606, 400),
        ({"From": "whatsapp:+14155550199", "To": WA["To"]}, 63007, 400),
        ({"To": WA["To"]}, 21910, 400),
        ({"From": WA["From"]}, 21910, 400),
        ({"From": None, "MessagingServiceSid": "MG" + "0" * 32}, 21701, 404),
        ({"Body": None}, 21602, 400),
        ({"Body": "  "}, 21602, 400),
        ({"Body": "a" * 1601}, 21617, 400),
        ({"MediaUrl": ["https://example.com/a.jpg"] * 11}, 21623, 400),
        ({"MediaUrl": "a.jpg"}, 21620, 400),
        ({"StatusCallback": "not-a-url"}, 21609, 400),
        ({"ValidityPeriod": "36001"}, 20001, 400),
        ({"ContentSid": "HX" + "0" * 32, "Body": None}, 21655, 400),
        ({"To": "+15005550001"}, 21211, 400),
        ({"To": "+15005550002"}, 21612, 400),
        ({"To": "+15005550003"}, 21408, 400),
        ({"To": "+15005550004"}, 21610, 400),
        ({"To": "+15005550009"}, 21614, 400),
        ({"From": "+15005550001"}, 21212, 400),
        ({"From": "+15005550007"}, 21606, 400),
        ({"From": "+15005550008"}, 21611, 429),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_code(twilio, sandbox, fields, code, status):
    answer = twilio.send(**fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status
    assert answer.json()["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert answer.json()["message"]
    assert sandbox.control.messages()["messages"] == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"SendAt": None}, 35111),
        ({"SendAt": soon(minutes=4)}, 35114),
        ({"SendAt": soon(days=-1)}, 35114),
        ({"SendAt": "tomorrow"}, 35114),
        ({"SendAt": soon(days=36)}, 35115),
        ({"SendAt": soon(days=1), "MessagingServiceSid": None, "From": "+15005550006"}, 35118),
    ],
)
def test_a_schedule_keeps_to_the_rules(twilio, fields, code):
    scheduled = {"From": None, "MessagingServiceSid": twilio.service, "ScheduleType": "fixed"}
    assert twilio.send(**{**scheduled, **fields}).json()["code"] == code


def test_a_scheduled_message_waits_for_its_time_and_can_be_canceled_until_then(twilio, sandbox):
    scheduled = {"From": None, "MessagingServiceSid": twilio.service, "ScheduleType": "fixed", "SendAt": soon(hours=1)}
    first, second = (twilio.send(**scheduled).json() for _ in range(2))
    assert first["status"] == "scheduled"
    canceled = twilio.post(f"{twilio.messages}/{second['sid']}.json", {"Status": "canceled"})
    assert canceled.json()["status"] == "canceled"
    sandbox.control.advance(3700)
    assert twilio.message(first["sid"])["status"] == "delivered"
    assert twilio.message(second["sid"])["status"] == "canceled"
    late = twilio.post(f"{twilio.messages}/{first['sid']}.json", {"Status": "canceled"})
    assert (late.status_code, late.json()["code"]) == (400, 30409)


@pytest.mark.parametrize("auth", [None, ("AC" + "0" * 32, "7e575a4db0c57e575a4db0c57e575a4d"), ("own", "wrong")])
def test_without_the_right_credentials_nothing_is_answered(twilio, auth):
    name = (twilio.account, "wrong") if auth == ("own", "wrong") else auth
    answer = httpx2.get(f"{twilio.root}{twilio.messages}.json", auth=name)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_another_accounts_messages_cannot_be_asked_for(twilio):
    answer = twilio.get(f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json")
    assert answer.status_code == 401


def test_a_message_has_its_price_and_date_once_it_has_gone(twilio, sandbox):
    sid = twilio.send(Body="a" * 200).json()["sid"]
    assert twilio.message(sid)["date_sent"] is None
    sandbox.control.advance(60)
    row = twilio.message(sid)
    assert (row["status"], row["price"]) == ("delivered", "-0.01660")
    assert row["date_sent"]


def test_an_unknown_message_is_20404(twilio):
    answer = twilio.get(f"{twilio.messages}/SM{'0' * 32}.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_a_list_is_filtered_by_number_and_date_and_goes_newest_first(twilio, sandbox):
    first = twilio.send(To="+14155550111", Body="one").json()
    sandbox.control.advance(86400)
    twilio.send(To="+14155550111", Body="two", From="+18445550100")
    twilio.send(To="+14155550112", Body="three")
    day = parsedate_to_datetime(first["date_created"])

    def bodies(**query):
        return [row["body"] for row in twilio.get(**query).json()["messages"]]

    assert bodies() == ["three", "two", "one"]
    assert bodies(To="+14155550111") == ["two", "one"]
    assert bodies(To="+14155550111", From="+18445550100") == ["two"]
    assert bodies(DateSent=f"{day:%Y-%m-%d}") == ["one"]
    assert bodies(**{"DateSent<": f"{day:%Y-%m-%d}"}) == ["one"]
    assert bodies(**{"DateSent>": f"{day + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}) == ["three", "two"]
    assert twilio.get(DateSent="yesterday").status_code == 400


def test_pages_hang_together_while_messages_come_in(twilio):
    for number in range(5):
        twilio.send(Body=f"old {number}")
    page = twilio.get(PageSize=2).json()
    seen = [row["body"] for row in page["messages"]]
    while page["next_page_uri"]:
        twilio.send(Body="new")
        page = twilio.get(page["next_page_uri"]).json()
        seen += [row["body"] for row in page["messages"]]
    assert seen == [f"old {number}" for number in reversed(range(5))]


def test_the_summary_counts_every_message_and_number(twilio, sandbox):
    for number in ("+14155550121", "+14155550122", "+14155550121", "+14155550121"):
        twilio.send(To=number)
    counts = sandbox.control.messages()
    assert (counts["messages"], counts["distinct_to"], counts["by_to_duplicates"]) == (4, 2, 2)
    sandbox.control.reset()
    assert sandbox.control.messages()["messages"] == 0


@pytest.mark.parametrize(
    ("action", "code", "status"),
    [("queue_full", 21611, 429), ("status_429", 20429, 429), ("daily_limit", 63038, 429), ("status_503", 20503, 503)],
)
def test_each_limit_can_be_met_on_purpose(twilio, sandbox, action, code, status):
    sandbox.control.fault("twilio", action, times=1)
    answer = twilio.send()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert twilio.send().status_code == 201


def test_an_answer_can_be_lost_after_the_message_was_taken(twilio, sandbox):
    sandbox.control.fault("twilio", "lost_answer", times=1)
    with pytest.raises(httpx2.TransportError):
        twilio.send(Body="Was I sent?")
    assert [row["body"] for row in twilio.get().json()["messages"]] == ["Was I sent?"]


def test_a_messaging_service_is_made_changed_and_forgotten(twilio):
    made = twilio.post("/messaging/v1/Services", {"FriendlyName": "Shop", "InboundRequestUrl": "https://a.example/in"})
    row = made.json()
    assert made.status_code == 201
    assert (row["friendly_name"], row["inbound_request_url"], row["sticky_sender"]) == (
        "Shop",
        "https://a.example/in",
        True,
    )
    path = f"/messaging/v1/Services/{row['sid']}"
    assert twilio.post(path, {"StickySender": "false"}).json()["sticky_sender"] is False
    assert twilio.post(path, {"ValidityPeriod": "abc"}).json()["code"] == 20001
    listed = [one["sid"] for one in twilio.get("/messaging/v1/Services").json()["services"]]
    assert listed == [twilio.service, row["sid"]]
    assert twilio.send(From=None, MessagingServiceSid=row["sid"]).status_code == 201
    assert httpx2.delete(f"{twilio.root}{path}", auth=(twilio.account, twilio.token)).status_code == 204
    assert twilio.get(path).status_code == 404
