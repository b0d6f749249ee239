"""What a command costs for one more track: runs over two sizes, repeated, their difference.

Owns running commands and the arithmetic. What is run is for ``benchmarks.speed``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.machine import bytes_read

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost.

    Args:
        wall_s: Time that passed.
        cpu_s: Time on the processors, of the command and all its processes.
        n_bytes: Bytes read by them; 0 where the system does not tell.
        peak_mb: Megabytes that the largest of these processes held at most.
    """

    wall_s: float
    cpu_s: float
    n_bytes: float
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """A command run over few files and over many, one after the other."""

    n_few: int
    n_many: int
    few: Cost
    many: Cost

    @property
    def per_track(self) -> Cost:
        """What one more track costs; start-up falls out."""
        n_more = self.n_many - self.n_few
        return Cost(
            (self.many.wall_s - self.few.wall_s) / n_more,
            (self.many.cpu_s - self.few.cpu_s) / n_more,
            (self.many.n_bytes - self.few.n_bytes) / n_more,
        )

    @property
    def start_up_s(self) -> float:
        """What the run over few files took beyond its tracks."""
        return self.few.wall_s - self.n_few * self.per_track.wall_s


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians over the rounds of one contestant.

    Args:
        tracks_per_s: Tracks a second, start-up apart.
        cpu_ms: Processor time a track, milliseconds.
        read_mb: Megabytes read a track.
        start_up_s: Seconds before and after all tracks.
        rate_ratio: Its rate by the reference's of the same round.
        cpu_ratio: The reference's processor time by its own, of the same round.
        peak_mb: Megabytes that its largest process held at most, of any round.
    """

    tracks_per_s: float
    cpu_ms: float
    read_mb: float
    start_up_s: float
    rate_ratio: float
    cpu_ratio: float
    peak_mb: float


def summarise(rounds: Sequence[Round], reference: Sequence[Round]) -> Summary:
    """Return the medians of a contestant, and its ratios to the reference, round by round.

    >>> slow = Round(1, 3, Cost(2.0, 3.0, 1e6), Cost(4.0, 5.0, 3e6))
    >>> fast = Round(1, 3, Cost(1.0, 1.0, 1e6), Cost(2.0, 3.0, 3e6))
    >>> summarise([slow], [fast]).rate_ratio, summarise([slow], [fast]).start_up_s
    (0.5, 1.0)
    """
    own, other = [r.per_track for r in rounds], [r.per_track for r in reference]
    pairs = list(zip(own, other, strict=True))
    return Summary(
        tracks_per_s=median(1 / cost.wall_s for cost in own),
        cpu_ms=median(cost.cpu_s * 1e3 for cost in own),
        read_mb=median(cost.n_bytes / 1e6 for cost in own),
        start_up_s=median(r.start_up_s for r in rounds),
        rate_ratio=median(b.wall_s / a.wall_s for a, b in pairs),
        cpu_ratio=median(b.cpu_s / a.cpu_s for a, b in pairs),
        peak_mb=max(r.many.peak_mb for r in rounds),
    )


def run(words: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end, its output into a file, and return what it cost.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    read_before, began = bytes_read(), time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(words, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(encoding="utf-8", errors="replace")
        raise subprocess.CalledProcessError(process.returncode, words, said)
    cpu_s = usage.ru_utime + usage.ru_stime
    n_bytes = bytes_read() - read_before
    return Cost(wall_s, cpu_s, n_bytes, usage.ru_maxrss * _RSS_UNIT / 1e6)
