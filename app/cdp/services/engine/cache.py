"""What this process has read or worked out, up to a number of bytes, the least used going first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from app.core.config import get_settings

MEGABYTE = 1 << 20


class ByteLru:
    """A map bounded by the bytes its values are said to take, a share of INDEX_CACHE_MB. Safe from several threads."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.used_bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def limit_bytes(self) -> int:
        return int(get_settings().index_cache_mb * MEGABYTE * self.share)

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


slices = ByteLru(1.0)
leaves = ByteLru(0.25)
