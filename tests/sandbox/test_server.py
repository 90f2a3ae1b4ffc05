import socket

import pytest


@pytest.fixture
def connection(sandbox):
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        yield line


def ask(line, path="/healthz", method="GET", body=b"", more=""):
    head = f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    line.sendall(head.encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += line.recv(4096)
    head, rest = answer.split(b"\r\n\r\n", 1)
    length = next(
        (int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")), 0
    )
    while method != "HEAD" and len(rest) < length:
        rest += line.recv(4096)
    return head.decode(), rest


def test_one_connection_serves_many_requests(connection):
    for _ in range(3):
        head, body = ask(connection)
        assert head.startswith("HTTP/1.1 200")
        assert body == b'{"status": "ok"}'


def test_a_body_nobody_read_is_not_taken_for_the_next_request(connection):
    assert ask(connection, "/nowhere", "POST", b"GET /healthz HTTP/1.1\r\n\r\n")[0].startswith("HTTP/1.1 404")
    assert ask(connection)[0].startswith("HTTP/1.1 200")


def test_an_answer_without_a_body_leaves_the_connection_in_step(connection):
    assert ask(connection, "/_control/reset", "POST")[0].startswith("HTTP/1.1 204")
    assert ask(connection, method="HEAD")[1] == b""
    assert ask(connection)[0].startswith("HTTP/1.1 200")


def test_a_connection_that_is_to_close_closes(connection):
    head, _ = ask(connection, more="Connection: close\r\n")
    assert "Connection: close" in head
    assert connection.recv(10) == b""
