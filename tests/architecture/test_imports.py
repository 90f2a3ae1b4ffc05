"""Who imports whom: what the import contracts in pyproject.toml cannot say, because two names must be compared."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
KERNEL = {"core"}
ACROSS_FEATURES = {"services", "queries", "events", "guards", "personal_data"}
WHOLE_APP = {"features", "worker", "scheduler", "cli", "demo", "demo_content", "demo_messages"}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("app", exclude_type_checking_imports=True, cache_dir=None)


def features() -> set[str]:
    """Every feature package: a folder of app that is neither the kernel nor the sandbox."""
    folders = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    return folders - KERNEL - {"sandbox"}


def imports() -> list[tuple[list[str], list[str]]]:
    """Each import inside app as the parts of both names, without the leading `app`."""
    return [
        (importer.split(".")[1:], imported.split(".")[1:])
        for importer in graph().modules
        for imported in graph().find_modules_directly_imported_by(importer)
        if imported.split(".")[0] == "app"
    ]


def shown(pairs: list[tuple[list[str], list[str]]]) -> list[str]:
    return sorted(f"{'.'.join(importer)} imports {'.'.join(imported)}" for importer, imported in pairs)


def test_a_feature_uses_another_only_through_its_public_roles():
    wrong = [
        (importer, imported)
        for importer, imported in imports()
        if importer and imported and importer[0] in features() and imported[0] in features()
        if importer[0] != imported[0] and (len(imported) < 2 or imported[1] not in ACROSS_FEATURES)
    ]
    assert shown(wrong) == []


def test_the_kernel_knows_no_feature():
    wrong = [
        (importer, imported)
        for importer, imported in imports()
        if importer and importer[0] in KERNEL and imported and imported[0] in features() | WHOLE_APP
    ]
    assert shown(wrong) == []


def test_the_sandbox_and_the_product_know_nothing_of_each_other():
    wrong = [
        (importer, imported)
        for importer, imported in imports()
        if (importer[:1] == ["sandbox"]) != (imported[:1] == ["sandbox"]) and imported
    ]
    assert shown(wrong) == []


def test_an_edge_never_imports_another_kind_of_edge():
    edges = {"api", "pages", "jobs", "commands"}
    wrong = [
        (importer, imported)
        for importer, imported in imports()
        if len(importer) > 1 and len(imported) > 1 and {importer[1], imported[1]} <= edges
        if importer[0] == imported[0] and importer[1] != imported[1]
    ]
    assert shown(wrong) == []


def test_every_feature_is_listed_in_the_import_contracts():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    by_name = {contract["name"]: contract for contract in contracts}
    named = {f"app.{name}" for name in features()}
    assert set(by_name["Inside a feature: edges, services, models"]["containers"]) == named
    assert set(by_name["The sandbox stands alone"]["forbidden_modules"]) == named | {"app.core"}
    assert set(by_name["The product knows nothing of the sandbox"]["source_modules"]) == named | {"app.core"}
