"""What this process has read or worked out, up to a number of bytes, the least used going first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any


class ByteLru:
    """A map bounded by the bytes its values are said to take. Safe from several threads."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size_bytes: int) -> None:
        """Keep `value`; one larger than a quarter of the whole is not kept."""
        if size_bytes > self.limit_bytes // 4:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            self.used_bytes += size_bytes - (old[1] if old else 0)
            self._entries[key] = (value, size_bytes)
            while self.used_bytes > self.limit_bytes:
                _, (_, freed) = self._entries.popitem(last=False)
                self.used_bytes -= freed

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.used_bytes = 0


MEGABYTE = 1 << 20
slices = ByteLru(384 * MEGABYTE)
leaves = ByteLru(96 * MEGABYTE)
