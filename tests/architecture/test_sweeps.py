"""Rules about the tree as a whole: queues, templates, migrations, requirements, the commands."""

from __future__ import annotations

import ast
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.config import Settings

ROOT = Path(__file__).resolve().parents[2]
PARTIALS = sorted((ROOT / "templates").glob("*/**/_*.html"))  # those beside layout.html are pieces of the frame
INLINE = (r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", r"<style\b", r"\sstyle=", r"\son[a-z]+=")
VOID = set("area base br col embed hr img input link meta source track wbr".split())


def queue_names() -> set[str]:
    """The values of the Queue enum, read without importing the product."""
    tree = ast.parse((ROOT / "app/core/jobs.py").read_text())
    enum = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Queue")
    return {node.value.value for node in enum.body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]


def served(text: str) -> set[str]:
    """Every queue named after `--queues` or between quotes in a list of them."""
    lists = re.findall(r'(?:--queues |": ")([a-z]+(?:,[a-z]+)*)', text)
    return {name for names in lists for name in names.split(",")}


def test_each_queue_is_served_by_the_procfile():
    assert served((ROOT / "Procfile").read_text()) == queue_names()


def test_each_queue_is_served_by_bin_run():
    assert served((ROOT / "bin/_run.py").read_text()) == queue_names()


def test_the_procfile_names_the_processes_a_host_expects():
    names = {line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines() if line}
    assert {"web", "worker", "scheduler", "release"} <= names


class Roots(HTMLParser):
    """The elements that stand at the top of a fragment."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.roots: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.roots.append(dict(attrs))
        if tag not in VOID:
            self.depth += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.roots.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.depth -= 1


def without_jinja(text: str) -> str:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", text, flags=re.DOTALL)
    return re.sub(r"\{\{.*?\}\}", "x", text, flags=re.DOTALL)


def replaces_itself(root: dict[str, str | None]) -> bool:
    """Whether this element asks for its successor: what comes back must be findable by the same id."""
    return "outerHTML" in (root.get("hx-swap") or "") or "sse:" in (root.get("hx-trigger") or "")


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_each_partial_that_replaces_itself_has_one_root_with_an_id(path: Path):
    parser = Roots()
    parser.feed(without_jinja(path.read_text()))
    assert parser.depth == 0, "an element is not closed"
    in_band = [root for root in parser.roots if "hx-swap-oob" not in root]
    if any(replaces_itself(root) for root in in_band):
        assert {root.get("id") for root in in_band} != {None}, "the root has no id"
        assert len({root.get("id") for root in in_band}) == 1, "more than one root"


def test_no_template_carries_inline_script_or_style():
    found = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
        for pattern in (
            r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>",
            r"<style\b",
            r"\sstyle=",
            r"\son[a-z]+=",
        ):
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in re.finditer(pattern, text)]
    assert found == []


def migrations() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config)


def test_migrations_have_one_head():
    assert len(migrations().get_heads()) == 1


def test_migration_files_are_named_by_time_and_change():
    names = [path.name for path in (ROOT / "migrations/versions").glob("*.py")]
    assert [name for name in names if not re.fullmatch(r"\d{8}_\d{4}_[a-z0-9_]+\.py", name)] == []


def requirement_lines(name: str) -> list[str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_every_requirement_is_pinned_exactly(name: str):
    loose = [line for line in requirement_lines(name) if not re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^*]+$", line)]
    assert loose == []


@pytest.mark.parametrize("name", ["bin/run", "bin/test", ".ci/run"])
def test_each_command_can_be_executed(name: str):
    assert os.access(ROOT / name, os.X_OK)


def settings_of_the_product() -> set[str]:
    """Every field of Settings, in capitals, as the environment names it."""
    tree = ast.parse((ROOT / "app/core/config.py").read_text())
    settings = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    fields = [node.target.id for node in settings.body if isinstance(node, ast.AnnAssign)]  # type: ignore[union-attr]
    return {name.upper() for name in fields if name != "model_config"}


def test_every_setting_is_explained_in_the_example():
    explained = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert settings_of_the_product() - explained == set()


def test_the_example_can_be_used_as_it_stands():
    settings = Settings(_env_file=ROOT / ".env.example")  # type: ignore[call-arg]
    assert settings.max_body_bytes == Settings.model_fields["max_body_bytes"].default


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_in_the_documents_leads_somewhere(path: Path):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_setting_the_documents_name_is_in_the_example(path: Path):
    known = (ROOT / ".env.example").read_text()
    named = re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`", path.read_text())
    not_settings = {"PR_SET_PDEATHSIG", "PARLEY_VENV", "WEB_CONCURRENCY", "OPT_IN", "OPT_OUT"}
    assert {name for name in named if name not in known} <= not_settings
