"""How many workers this process may have: by its cores, its container's quota, and its memory.

joblib's `cpu_count` knows the cores and the quota, but no memory, and takes 130 ms to import.
"""

import os
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_WORKER_MEMORY = 128_000_000  # bytes of a worker that decodes ordinary images


def default_jobs() -> int:
    """Return the number of cores that this process may use, at most one per worker's memory."""
    limits = [_cores(), _quota_in_cores(), _memory_in_workers()]
    return max(1, min(limit for limit in limits if limit is not None))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota_in_cores() -> int | None:
    """Return the container's share of the processors in whole cores; None where it has no quota."""
    quota = _read_limit("cpu", "cpu.max")  # control groups of version 2
    if not quota:
        quota = _read_limit("cpu", "cpu.cfs_quota_us") + _read_limit("cpu", "cpu.cfs_period_us")
    if len(quota) != 2:
        return None
    microseconds, period = quota
    return microseconds // period


def _memory_in_workers() -> int | None:
    """Return how many workers fit beside this process; None where its memory is not limited."""
    memory = _read_limit("memory", "memory.max")  # control groups of version 2
    if not memory:
        memory = _read_limit("memory", "memory.limit_in_bytes")
    return memory[0] // _WORKER_MEMORY - 1 if memory else None


def _read_limit(controller: str, name: str) -> list[int]:
    """Read a limit of this process's control group, one or two numbers; empty where it has none."""
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
