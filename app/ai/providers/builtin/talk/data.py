"""The tables of the conversation engine, read once from the TOML files beside this module."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The table `name`.toml as plain data."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A compiled, case-blind pattern."""
    return re.compile(text, re.IGNORECASE)


@cache
def any_of(name: str, *path: str) -> re.Pattern[str]:
    """One pattern that matches any of the patterns listed under `path` in a table."""
    node: Any = table(name)
    for step in path:
        node = node[step]
    return pattern("|".join(f"(?:{item})" for item in node))


@cache
def word_set(name: str, *path: str) -> frozenset[str]:
    """The words of one whitespace-separated entry of a table."""
    node: Any = table(name)
    for step in path:
        node = node[step]
    return frozenset(str(node).split())
