"""How many scans this machine runs side by side: by its cores, and by the memory that is free for them."""

from __future__ import annotations

from pathlib import Path

# Of one scan with T1, template space and scene, on one thread: the real series of the benchmark main_job held 1.45 GiB
# (51 pairs of 2D EPI) and 1.43 GiB (3D GRASE) at most; the rest is room.
SCAN_MEMORY = 2.0  # GiB
_GIB = 1024.0**3
_UNLIMITED = 2.0**60  # bytes; what a cgroup without a limit says is more


def cores() -> int:
    """The CPUs that this process may use: fewer than there are under an affinity, or a share of a container."""
    from dask.system import cpu_count

    return max(1, cpu_count())


def free_memory(cgroups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """GiB that new processes can hold: what the system has available, or the limit of a container or job leaves."""
    import psutil

    return min([psutil.virtual_memory().available / _GIB, *_left_by_limits(cgroups, own)])


def scans_side_by_side(threads: int = 1, memory: float = SCAN_MEMORY) -> int:
    """How many scans this machine runs at once, one at least.

    Args:
        threads: of one scan.
        memory: of one scan, GiB.
    """
    return max(1, min(cores() // threads, int(free_memory() / memory)))


def _left_by_limits(cgroups: Path, own: Path) -> list[float]:
    """GiB that each cgroup with a limit leaves, from this process's own (a job of a queue, say) up to a container's."""
    left = []
    for folder in _folders(cgroups, own):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            bytes_allowed, bytes_used = _number(folder / limit), _number(folder / used)
            if bytes_allowed is not None and bytes_allowed < _UNLIMITED:
                cache = _inactive_file(folder / "memory.stat")  # of files: given back when it is needed
                left.append(max(0.0, bytes_allowed - max(0.0, (bytes_used or 0.0) - cache)) / _GIB)
    return left


def _folders(cgroups: Path, own: Path) -> list[Path]:
    """The folders that say a limit of memory for this process: of version 2 and version 1."""
    found = {cgroups: None, cgroups / "memory": None}
    try:
        lines = own.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        root = cgroups if (number, controllers) == ("0", "") else cgroups / "memory"
        if root == cgroups or "memory" in controllers.split(","):
            parts = [part for part in path.split("/") if part not in ("", "..")]
            found |= {root.joinpath(*parts[: n + 1]): None for n in range(len(parts))}
    return list(found)


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text("utf-8"))
    except (OSError, ValueError):  # ValueError: "max"
        return None


def _inactive_file(path: Path) -> float:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return 0.0
    values = dict(line.split(" ", 1) for line in lines if " " in line)
    return float(values.get("total_inactive_file", values.get("inactive_file", 0)))
