"""An open stream of live updates, read as a browser reads it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Heard:
    """One frame of a stream."""

    event: str = ""
    data: str = ""
    id: str = ""
    comments: list[str] = field(default_factory=list)


def parse(frame: str) -> Heard:
    heard = Heard()
    for line in frame.strip("\n").split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "":
            heard.comments.append(value)
        elif name in ("event", "data", "id"):
            setattr(heard, name, value)
    return heard


class Stream:
    """An open stream as a browser reads it."""

    def __init__(self, client, channels: str = "channel=audience", **headers: str) -> None:
        self.answer = client.get(f"/stream?{channels}", headers=headers, buffered=False)
        assert self.answer.status_code == 200, self.answer.text
        self._frames = iter(self.answer.response)
        self.hello = parse(next(self._frames).decode())

    def frames(self, seconds: float = 5.0):
        """Every frame that comes, heartbeats too, until the stream ends or time is up."""
        deadline = time.monotonic() + seconds
        for frame in self._frames:
            yield parse(frame.decode())
            if time.monotonic() > deadline:
                return

    def next(self, seconds: float = 5.0) -> Heard:
        """The next event; comments are passed over."""
        for heard in self.frames(seconds):
            if heard.event:
                return heard
        raise AssertionError("no event came")

    def silence(self) -> bool:
        """Whether nothing but a heartbeat comes."""
        return not next(self.frames()).event

    def close(self) -> None:
        self.answer.close()
