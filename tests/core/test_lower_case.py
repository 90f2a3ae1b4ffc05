"""Small letters of a database are those of every alphabet, whichever database it is."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.core.db import db


@pytest.mark.parametrize(
    ("said", "small"), [("ÄRZTE im März", "ärzte im märz"), ("ΣΟΦΊΑ Ж", "σοφία ж"), ("ABC", "abc")]
)
def test_capitals_of_every_alphabet_have_small_letters(app_context, said, small):
    assert db.session.scalar(text("SELECT lower(:said)"), {"said": said}) == small
