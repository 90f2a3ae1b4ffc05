"""Arrays in one blob: a line of JSON naming them, then their bytes, each where numpy may look at them in place."""

from __future__ import annotations

import json

import numpy as np

Arrays = dict[str, np.ndarray]
_ALIGN = 8


def pack(arrays: Arrays) -> bytes:
    """The arrays as bytes; `unpack` gives them back without copying."""
    names, body, position = [], [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        names.append([name, array.dtype.str, len(array), position])
        padding = -len(raw) % _ALIGN
        body += [raw, b"\0" * padding]
        position += len(raw) + padding
    header = json.dumps(names).encode()
    header += b" " * (-(len(header) + 4) % _ALIGN)
    return b"".join([len(header).to_bytes(4, "little"), header, *body])


def unpack(data: bytes) -> Arrays:
    """Read-only views into `data`."""
    length = int.from_bytes(data[:4], "little")
    start = 4 + length
    return {
        name: np.frombuffer(data, dtype=kind, count=count, offset=start + position)
        for name, kind, count, position in json.loads(data[4:start])
    }
