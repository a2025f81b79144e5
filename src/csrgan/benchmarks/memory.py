"""Peak memory."""

from __future__ import annotations

from pathlib import Path

import torch


class Peak:
    """Measures the greatest memory in use beyond that at the start; on a CPU only where Linux reports it."""

    def __init__(self, device: str) -> None:
        self.cuda = device == "cuda"
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated() / 2**20
        elif Path("/proc/self/clear_refs").exists():
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # sets the peak to what is in use now
            self.before = self._status("VmRSS")

    def synchronise(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def megabytes(self) -> list[float]:
        """Return one number, or none if it cannot be measured."""
        if self.cuda:
            return [torch.cuda.max_memory_allocated() / 2**20 - self.before]
        return [self._status("VmHWM") - self.before] if hasattr(self, "before") else []

    @staticmethod
    def _status(field: str) -> float:
        lines = Path("/proc/self/status").read_text(encoding="ascii").split("\n")
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":"))
