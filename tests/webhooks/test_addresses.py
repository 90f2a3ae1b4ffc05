"""A name that leads into a private network is refused at each send, however it looked when it was registered."""

from __future__ import annotations

import socket

import pytest

from tests.webhooks.conftest import URL

PUBLIC = "93.184.216.34"
NAME = "hooks.example"


@pytest.fixture
def leads_to(monkeypatch):
    """What the name service says of NAME, question after question; the last answer stands."""
    real, answers, asked = socket.getaddrinfo, [], []

    def resolve(host, port, *more, **options):
        if host != NAME:
            return real(host, port, *more, **options)
        asked.append(host)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def say(*addresses: str) -> list[str]:
        answers[:] = addresses
        asked.clear()
        return asked

    return say


@pytest.fixture
def connected_to(monkeypatch) -> list[str]:
    """Where this process opened connections to."""
    found: list[str] = []
    real = socket.create_connection

    def connect(address, *more, **options):
        found.append(address[0])
        if address[0] == PUBLIC:
            raise ConnectionRefusedError("not from a test")
        return real(address, *more, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    return found


@pytest.fixture
def hook(client, make_hook, receiver, settings_override, leads_to):
    leads_to(PUBLIC)
    settings_override(allow_private_urls=False)
    return make_hook(url=f"http://{NAME}:{receiver.port}/hook")


def test_a_name_that_was_public_when_registered_and_is_private_now_is_not_called(
    hook, leads_to, connected_to, happen, run_jobs, receiver, sent
):
    happen()
    leads_to("127.0.0.1")
    run_jobs()
    assert (receiver.received, connected_to) == ([], [])
    assert "private network" in sent(hook)[0]["error"]


def test_a_name_that_changes_between_the_check_and_the_connection_is_not_followed(
    hook, leads_to, connected_to, happen, run_jobs, receiver, sent
):
    happen()
    asked = leads_to(PUBLIC, "127.0.0.1")
    run_jobs()
    assert len(asked) == 2
    assert (receiver.received, connected_to) == ([], [])
    assert "private network" in sent(hook)[0]["error"]


def test_the_connection_goes_to_the_address_that_was_checked(hook, leads_to, connected_to, happen, run_jobs, sent):
    happen()
    leads_to(PUBLIC)
    run_jobs()
    assert connected_to == [PUBLIC]
    assert "No connection" in sent(hook)[0]["error"]


def test_the_receiver_is_called_by_its_name(
    hook, leads_to, connected_to, happen, run_jobs, receiver, settings_override
):
    settings_override(allow_private_urls=True)
    leads_to("127.0.0.1")
    happen()
    run_jobs()
    assert connected_to == ["127.0.0.1"]
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_name_that_is_gone_counts_as_a_failure_and_is_tried_again(hook, happen, run_jobs, monkeypatch, sent):
    happen()

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("no such name")

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **o: unknown() if host == NAME else real(host, *more, **o)
    )
    run_jobs()
    assert (sent(hook)[0]["state"], "cannot be found" in sent(hook)[0]["error"]) == ("pending", True)


def test_a_name_of_other_letters_is_kept_as_browsers_write_it(client, leads_to, settings_override):
    answer = client.post(URL, json={"url": "http://127.0.0.1:9/größe?q=ü", "events": ["segment.left"]})
    assert answer.json["url"] == "http://127.0.0.1:9/gr%C3%B6%C3%9Fe?q=%C3%BC"
