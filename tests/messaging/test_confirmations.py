"""What is answered to STOP, START and HELP: once, in the language of the word, and never where the provider answers."""

from __future__ import annotations

import pytest

from app.core.db import unit_of_work
from app.messaging.services import gate, rules
from app.messaging.services.keywords import LANGUAGES, PROVIDERS_OWN
from tests.messaging.provider import EMPTY, PERSON, installation, other_workspace, provider, workspace

__all__ = ["installation", "other_workspace", "provider", "workspace"]
FOREIGN = sorted(code for code in LANGUAGES if code != "en")


@pytest.fixture
def person(workspace) -> int:
    return workspace.person()


def beginning(text: str) -> str:
    return text.split("{name}")[0]


@pytest.mark.parametrize("code", FOREIGN)
def test_an_sms_stop_the_provider_does_not_know_is_confirmed_in_the_language_of_the_word(
    provider, workspace, person, code
):
    answer = provider.inbound(LANGUAGES[code].stop[0])
    assert f"<Message>{beginning(LANGUAGES[code].stopped)}" in answer.text
    assert workspace.consent(person) == "denied"


@pytest.mark.parametrize("word", sorted(PROVIDERS_OWN))
def test_the_providers_own_words_are_left_to_it_on_sms(provider, workspace, person, word):
    provider.inbound("Abmelden", number=1)
    for number, written in enumerate((word, f" {word.lower()}\n"), 2):
        assert provider.inbound(written, number=number).text == EMPTY


def test_a_word_with_a_mark_behind_it_is_not_the_providers(provider, workspace, person):
    assert beginning(LANGUAGES["en"].stopped) in provider.inbound("Stop!").text


@pytest.mark.parametrize("channel", ["inbound", "whatsapp"])
def test_what_the_provider_named_a_keyword_it_has_answered(provider, workspace, person, channel):
    say = getattr(provider, channel)
    for number, (word, kind) in enumerate((("Hilfe", "HELP"), ("Abmelden", "STOP"), ("Anmelden", "START")), 1):
        assert say(word, number=number, OptOutType=kind).text == EMPTY


def test_a_start_the_provider_does_not_know_is_confirmed(provider, workspace, person):
    provider.inbound("Abmelden", number=1)
    assert f"<Message>{beginning(LANGUAGES['de'].started)}" in provider.inbound("Anmelden", number=2).text
    assert workspace.consent(person) == "granted"


def test_a_start_with_nothing_to_lift_is_not_answered(provider, workspace, person):
    assert provider.inbound("Anmelden").text == EMPTY


def test_a_cry_for_help_the_provider_does_not_know_gets_the_workspaces_words(provider, workspace, person, in_tenant):
    with in_tenant(workspace.tenant_id), unit_of_work():
        rules.save(help_text="Ann's Shoes, call 555 0100")
    assert "<Message>Ann's Shoes, call 555 0100</Message>" in provider.inbound("Hilfe").text


def test_whoever_said_stop_before_is_not_told_again_until_they_began_again(provider, workspace, person):
    told = [provider.inbound(word, number=n).text != EMPTY
            for n, word in enumerate(("Abmelden", "Baja", "Anmelden", "Baja"), 1)]  # fmt: skip
    assert told == [True, False, True, True]


def test_whoever_said_no_in_another_way_is_told_once(provider, workspace, person, in_tenant):
    from app.cdp.services import consent

    with in_tenant(workspace.tenant_id), unit_of_work():
        consent.record(person, "sms", "denied", "preference page", {})
    assert provider.inbound("Abmelden", number=1).text != EMPTY
    assert provider.inbound("Abmelden", number=2).text == EMPTY


def test_a_call_made_twice_is_answered_alike_whatever_came_between(provider, workspace, person):
    first = provider.inbound("Abmelden", number=1).text
    again = provider.inbound("Abmelden", number=2).text
    provider.inbound("Anmelden", number=3)
    assert provider.inbound("Abmelden", number=1).text == first != EMPTY
    assert provider.inbound("Abmelden", number=2).text == again == EMPTY
    assert [one.source for one in workspace.statements(person)].count("stop") == 2
    assert len(workspace.received()) == 3


def test_a_stop_heard_again_after_a_start_stops_nobody(provider, workspace, person, in_tenant):
    for number, word in ((1, "STOP"), (2, "START"), (1, "STOP")):
        provider.inbound(word, number=number)
    assert workspace.consent(person) == "granted"
    with in_tenant(workspace.tenant_id):
        assert gate.take([], "sms", [PERSON], gate.epoch()).goes == [True]


def test_a_start_heard_again_after_a_stop_lets_nothing_go(provider, workspace, person, in_tenant):
    for number, word in ((1, "STOP"), (2, "START"), (3, "STOP"), (2, "START")):
        provider.inbound(word, number=number)
    assert workspace.consent(person) == "denied"
    with in_tenant(workspace.tenant_id):
        assert gate.take([], "sms", [PERSON], gate.epoch()).goes == [False]


def test_on_a_shared_sender_a_stop_is_confirmed_once_and_by_a_repeat_alike(provider, workspace, other_workspace):
    for number, one in enumerate((workspace, other_workspace), 1):
        one.sent(one.campaign(), one.person(), number=number)
    first = provider.inbound("Abmelden", number=9).text
    assert first.count("<Message>") == 1
    assert provider.inbound("Abmelden", number=9).text == first


def test_on_a_shared_sender_a_yes_heard_again_after_a_stop_lifts_it_for_nobody(provider, workspace, other_workspace):
    people = [(one, one.person()) for one in (workspace, other_workspace)]
    for number, (one, person) in enumerate(people, 1):
        one.sent(one.campaign(), person, number=number)
    for number, word in ((8, "Yes"), (9, "STOP"), (8, "Yes")):
        provider.inbound(word, number=number)
    assert {one.consent(person) for one, person in people} == {"denied"}
