"""Figures against their targets, and the memory of processes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Report:
    """Targets as they were met or missed, told at once and again at the end."""

    lines: list[str] = field(default_factory=list)

    def at_most(self, what: str, figure: float, target: float, unit: str) -> None:
        self._add(what, figure, f"under {target:,g} {unit}", unit, is_met=figure < target)

    def at_least(self, what: str, figure: float, target: float, unit: str) -> None:
        self._add(what, figure, f"at least {target:,g} {unit}", unit, is_met=figure >= target)

    def tell(self) -> None:
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"\ntargets (load {load} on {os.cpu_count()} cores):")
        print("\n".join(self.lines) or "none measured", flush=True)

    def _add(self, what: str, figure: float, target: str, unit: str, *, is_met: bool) -> None:
        shown = f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"
        self.lines.append(f"{'met   ' if is_met else 'MISSED'} {what}: {shown} {unit} (target: {target})")
        print(f"  -> {self.lines[-1]}", flush=True)


def resident_mb(pid: int | str = "self") -> float:
    """Memory the process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def most_mb(pid: int | str = "self") -> float:
    """The most it ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def cpu_seconds(pid: int) -> float:
    """What it computed so far, in the system too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
