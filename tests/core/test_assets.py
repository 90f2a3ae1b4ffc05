"""Addresses of static files."""

import gzip

import pytest
from flask import Flask

from app.core import assets


@pytest.fixture
def app(tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    app = Flask("assets", static_folder=str(tmp_path), static_url_path="/static")
    assets.init_app(app)
    return app


def url_of(app):
    with app.test_request_context():
        return assets.asset("a.css")


def test_the_address_changes_when_the_file_does(app, tmp_path):
    before = url_of(app)
    (tmp_path / "a.css").write_text("a { color: red }")
    assert url_of(app) != before


def test_a_hashed_address_may_be_kept_for_good_and_a_plain_one_not(app):
    client = app.test_client()
    assert "immutable" in client.get(url_of(app)).headers["Cache-Control"]
    assert "immutable" not in client.get("/static/a.css").headers.get("Cache-Control", "")


def test_a_large_style_sheet_travels_compressed_and_is_the_same(app, tmp_path):
    text = "a { color: red }\n" * 400
    (tmp_path / "a.css").write_text(text)
    answer = app.test_client().get(url_of(app), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert gzip.decompress(answer.data).decode() == text
    plain = app.test_client().get(url_of(app))
    assert "Content-Encoding" not in plain.headers
    assert plain.text == text


def test_what_is_no_file_is_not_compressed(app):
    app.add_url_rule("/page", "page", lambda: "<p>Hello</p>" * 400)
    answer = app.test_client().get("/page", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_a_missing_file_is_noticed(app):
    with app.test_request_context(), pytest.raises(FileNotFoundError):
        assets.asset("gone.css")
