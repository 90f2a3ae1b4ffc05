"""What every template must hold to: vendored icons, and nothing the Content-Security-Policy would refuse."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ICONS = set((ROOT / "static" / "icons.txt").read_text().split())
FORBIDDEN = re.compile(r"""\sstyle=["']|\son[a-z]+=["']|<style\b|javascript:|<script\b(?![^>]*\bsrc=)""", re.IGNORECASE)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_use_vendored_icons_and_nothing_inline(path):
    text = path.read_text()
    named = set(re.findall(r"""\bicon\(["']([a-z0-9-]+)["']""", text))
    assert named <= ICONS, f"run bin/vendor after adding to static/icons.txt: {named - ICONS}"
    assert not FORBIDDEN.search(text)
