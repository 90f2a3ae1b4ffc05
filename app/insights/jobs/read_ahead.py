"""Reading a stream in a thread of its own, so that whoever passes it on is never stuck behind a silent provider."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from flask import Flask, current_app

_END = object()


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class ReadAhead:
    """Pieces of a stream as they come, with None for each tick that passed without one."""

    def __init__(self, make: Callable[[], Any], *, tick_seconds: float) -> None:
        self._make = make
        self._tick_seconds = tick_seconds
        self._pieces: queue.Queue[Any] = queue.Queue()
        self._left = threading.Event()
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def start(self) -> None:
        context = contextvars.copy_context()  # the tenant and the job go along
        threading.Thread(target=context.run, args=(self._read,), name="answer-reader", daemon=True).start()

    def leave(self) -> None:
        """Nobody reads on: the stream is closed at its next piece."""
        self._left.set()

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                piece = self._pieces.get(timeout=self._tick_seconds)
            except queue.Empty:
                yield None
                continue
            if piece is _END:
                return
            if isinstance(piece, _Failed):
                raise piece.error
            yield piece

    def _read(self) -> None:
        with self._app.app_context():  # a database session of this thread's own
            try:
                with closing(self._make()) as stream:
                    for piece in stream:
                        if self._left.is_set():
                            return
                        self._pieces.put(piece)
            except BaseException as error:
                self._pieces.put(_Failed(error))
                return
            self._pieces.put(_END)


@contextmanager
def read_ahead(make: Callable[[], Any], *, tick_seconds: float) -> Iterator[Iterator[Any]]:
    """Read what `make()` yields in a thread while the block runs."""
    reader = ReadAhead(make, tick_seconds=tick_seconds)
    reader.start()
    try:
        yield iter(reader)
    finally:
        reader.leave()
