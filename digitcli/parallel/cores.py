"""How many workers this process may have: its cores, the container's quota, and its memory."""

import os
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_WORKER_MEMORY = 128_000_000  # bytes, a worker and what it decodes of ordinary images


def default_jobs() -> int:
    """Count the cores that this process may use, no more than its memory has room for workers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    most = [cores or 1]
    # control groups of version 2, then of version 1
    quota = _limit("cpu", "cpu.max") or [
        *_limit("cpu", "cpu.cfs_quota_us"),
        *_limit("cpu", "cpu.cfs_period_us"),
    ]
    if len(quota) == 2:
        most.append(quota[0] // quota[1])
    memory = _limit("memory", "memory.max") or _limit("memory", "memory.limit_in_bytes")
    if memory:
        most.append(memory[0] // _WORKER_MEMORY - 1)
    return max(1, min(most))


def _limit(controller: str, name: str) -> list[int]:
    """Read a limit of the control group that this process is in; empty where it has none."""
    groups = ["/"]
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers or controller in controllers.split(","):
                groups.insert(0, group)
    for root in (_CGROUPS, _CGROUPS / controller):
        for group in groups:
            with suppress(OSError, ValueError):
                text = (root / group.lstrip("/") / name).read_text(encoding="ascii")
                numbers = [int(number) for number in text.split()]
                return numbers if numbers[0] > 0 else []
    return []
