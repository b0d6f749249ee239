"""Whether this computer can run the tagger: what set-up asks before it installs anything.

Owns the needs and, for each, the one line that names the remedy. Standard library only.
"""

import importlib.util
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
# What the wheels of torch are made for: (sys.platform, platform.machine()).
TORCH_MACHINES = {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")}
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts about a computer and its Python that decide whether set-up can succeed.

    Args:
        python: Its version, (major, minor).
        system: As sys.platform has it.
        architecture: As platform.machine() has it.
        is_64_bit: Whether this Python is; a 64-bit machine may run a 32-bit one.
        is_musl: Whether it is built for musl in place of glibc.
        has_venv: Whether the modules venv and ensurepip are there.
        free_bytes: Free space where `.venv` is to be.
    """

    python: tuple[int, int]
    system: str
    architecture: str
    is_64_bit: bool
    is_musl: bool
    has_venv: bool
    free_bytes: int


def inspect_machine(folder: Path) -> Machine:
    """Read the facts off the running Python and the disk that holds a folder."""
    build = f"{sysconfig.get_config_var('HOST_GNU_TYPE')} {sysconfig.get_config_var('SOABI')}"
    modules = ("venv", "ensurepip")  # Debian ships the first without the second
    return Machine(
        python=sys.version_info[:2],
        system=sys.platform,
        architecture=platform.machine(),
        is_64_bit=sys.maxsize > 2**32,
        is_musl="musl" in build,
        has_venv=all(importlib.util.find_spec(name) is not None for name in modules),
        free_bytes=shutil.disk_usage(folder).free,
    )


def unmet_needs(machine: Machine, needed_bytes: int) -> Iterator[str]:
    """Give, for each need that a machine does not meet, one line that names the remedy."""
    version = "{}.{}".format(*machine.python)
    if machine.python < OLDEST_PYTHON:
        yield f"Python {version} is too old: name one of 3.11 or newer, make PYTHON=python3.12"
    if not machine.is_64_bit or (machine.system, machine.architecture) not in TORCH_MACHINES:
        bits = 64 if machine.is_64_bit else 32
        yield (
            f"there is no torch for this {bits}-bit Python on {machine.system} "
            f"{machine.architecture}: use a 64-bit Python on Linux (x86_64, aarch64) "
            "or macOS (arm64)"
        )
    if machine.is_musl:
        yield "there is no torch for musl (Alpine Linux): use a Linux with glibc, or a container"
    if not machine.has_venv:
        yield (
            f"this Python {version} lacks venv: apt install python3-venv (Debian, Ubuntu), "
            "or name another one, make PYTHON=/path/to/python3"
        )
    if machine.free_bytes < needed_bytes:
        yield (
            f"{needed_bytes / GIB:.0f} GiB of free disk space are needed, here are "
            f"{machine.free_bytes / GIB:.1f}: free some, or clone to a larger disk"
        )
