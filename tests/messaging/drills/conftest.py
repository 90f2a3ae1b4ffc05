"""A world for each drill, over SQLite or whatever the drill asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.messaging.drills.world import World


@pytest.fixture
def make_world(tmp_path, sandbox) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**settings: str) -> World:
        made.append(World(tmp_path, sandbox, **settings))
        return made[-1].begin()

    yield make
    for world in made:
        world.stop()
