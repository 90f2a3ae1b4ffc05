"""Files the product keeps for a while: uploads and what is made for download. Web and workers see one DATA_DIR."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from app.core.config import get_settings
from app.core.errors import PayloadTooLarge
from app.core.tenancy import current_tenant_id

CHUNK = 1024 * 1024


def path_of(kind: str, name: str) -> Path:
    """Where a file of the acting tenant stands, whether it is there or not. `name` is ours, never the uploader's."""
    return get_settings().data_dir / "files" / kind / str(current_tenant_id()) / name


def save(stream: IO[bytes], kind: str, name: str, limit: int) -> int:
    """Copy a stream to a file piece by piece; returns its size. Refuses, and keeps nothing, past `limit` bytes."""
    path = path_of(kind, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with path.open("wb") as file:
        while piece := stream.read(CHUNK):
            size += len(piece)
            if size > limit:
                break
            file.write(piece)
    if size > limit:
        path.unlink()
        raise too_large(limit, None)
    return size


def too_large(limit: int, size: int | None) -> PayloadTooLarge:
    """The refusal of a file past `limit` bytes; `size` is what the caller said they would send, if they did."""
    return PayloadTooLarge(
        f"The file is larger than {limit // CHUNK} MB.", field="file",
        provided=None if size is None else f"{size} bytes", expected=f"at most {limit} bytes",
    )  # fmt: skip


def remove(kind: str, name: str) -> None:
    """Forget a file; one that is not there is forgotten already."""
    path_of(kind, name).unlink(missing_ok=True)
