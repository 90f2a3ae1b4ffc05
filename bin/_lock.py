"""Writes constraints.txt: the exact versions of what the requirements bring along, as installed here and tested."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = {"pip", "uv", "setuptools", "wheel"}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(path: Path) -> set[str]:
    """The packages a requirements file names itself."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {plain(re.split(r"[\[=<>;! ]", line, maxsplit=1)[0]) for line in lines if line and not line.startswith("-")}


def main() -> None:
    direct = named(ROOT / "requirements.txt") | named(ROOT / "requirements-dev.txt") | TOOLS
    found = {plain(one.metadata["Name"]): one.version for one in distributions()}
    lines = [f"{name}=={found[name]}" for name in sorted(found) if name not in direct]
    head = "# What the requirements bring along, pinned. Written by: .venv/bin/python bin/_lock.py"
    (ROOT / "constraints.txt").write_text("\n".join([head, *lines]) + "\n")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
