"""An environment that holds what requirements.txt asks for and nothing else, linked from the one the tests run in."""

from __future__ import annotations

import site
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.commands.house import ROOT

Owners = dict[PurePosixPath, set[str]]


def runtime_requirements() -> str:
    return (ROOT / "requirements.txt").read_text()


def asked_for(text: str) -> list[Requirement]:
    """The lines of a requirements file; comments and lines of options are left out."""
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def closure(wanted: list[Requirement]) -> set[str]:
    """The distributions that installing these brings here, by name."""
    installed, found = _installed(), set()
    waiting = [(one, "") for one in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for of_it in ("", *requirement.extras):
            if (name, of_it) not in found:
                found.add((name, of_it))
                waiting += [(Requirement(line), of_it) for line in installed[name].requires or ()]
    return {name for name, _ in found}


def make_environment(folder: Path, requirements: str) -> Path:
    """A virtual environment of links to the files of what the requirements bring; without pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    target = next(folder.glob("lib/python*/site-packages"))
    _link(PurePosixPath(), target, closure(asked_for(requirements)))
    return folder


@cache
def _installed() -> dict[str, Distribution]:
    return {canonicalize_name(one.name): one for one in distributions(path=site.getsitepackages())}


@cache
def _owners() -> Owners:
    """Which distributions have files in a folder, or own a file, by its path in site-packages."""
    owners: Owners = {}
    for name, distribution in _installed().items():
        for file in distribution.files or ():
            if ".." not in file.parts:
                for path in (PurePosixPath(file), *PurePosixPath(file).parents):
                    owners.setdefault(path, set()).add(name)
    return owners


def _link(path: PurePosixPath, target: Path, chosen: set[str]) -> None:
    """A folder of chosen owners alone is one link, so that what Python compiled in it serves too."""
    for child in _children(path):
        theirs = _owners().get(path / child.name, set())
        if theirs and theirs <= chosen:
            (target / child.name).symlink_to(child)
        elif theirs & chosen and child.is_dir():
            (target / child.name).mkdir()
            _link(path / child.name, target / child.name, chosen)


def _children(path: PurePosixPath) -> Iterator[Path]:
    for folder in site.getsitepackages():
        if (Path(folder) / path).is_dir():
            yield from (Path(folder) / path).iterdir()
