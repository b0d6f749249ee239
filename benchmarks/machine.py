"""What a figure was measured on: processor, memory, versions, and how busy the machine was."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("genre-tagger", "av", "soundfile", "soxr", "numpy", "torch", "joblib", "sqlalchemy")


def describe_machine() -> dict[str, str]:
    """Return the facts by name, in the order in which they are printed."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "processor": f"{_processor()}, {n_cores()} cores",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "versions": versions,
    }


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float:
    """Return how many processes wanted to run during the last minute, on average."""
    return os.getloadavg()[0]


def bytes_read() -> int:
    """Return the bytes that this process and its ended children have read; 0 if it is not told.

    From Linux's accounting: bytes handed out by read(2), whether or not a disk was asked for them.
    """
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return int(dict(line.split(": ") for line in lines)["rchar"])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
