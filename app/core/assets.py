"""Static files: addresses that change when the file does, so browsers may keep them for good, and compression."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from flask_compress import Compress

# Files only: a compressed page that holds both a secret and a reader's words would give the secret's length away.
COMPRESSED = ["text/css", "text/javascript", "application/javascript", "image/svg+xml"]


def asset(filename: str) -> str:
    """The URL of a file under static/, with its content's hash; a missing file raises."""
    path = Path(current_app.static_folder or "") / filename
    return url_for("static", filename=filename, v=_digest(str(path), path.stat().st_mtime_ns))


@lru_cache(maxsize=256)
def _digest(path: str, modified_ns: int) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:10]


def _keep_for_good(response: Response) -> Response:
    """An address with a hash never changes what it answers, so it need not be asked again."""
    if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def init_app(app: Flask) -> None:
    """Give templates `asset(filename)`, let browsers keep what it names, and send it compressed."""
    app.config["COMPRESS_MIMETYPES"] = COMPRESSED
    app.config["COMPRESS_ALGORITHM_STREAMING"] = ["br", "gzip"]  # files are streamed
    Compress(app)
    app.jinja_env.globals["asset"] = asset
    app.after_request(_keep_for_good)
