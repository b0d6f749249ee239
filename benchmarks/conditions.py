"""How the speed changes with what is asked: `python -m benchmarks.conditions CORPUS -o build/c`.

CORPUS is made by ``benchmarks.make_corpus``, a folder a format. Measured are one worker against
two, a hundred files against all, a cold cache against a warm one, writing tags as well, and each
format; the time to the first result, of a run in which nothing has changed, and of ``--help``; and
the memory of parent and workers. Every pair is run one after the other, several times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.machine import describe_machine, load_average
from benchmarks.measuring import Cost, Round, run, summarise
from benchmarks.speed import clean_environment, link

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to run the tagger.

    Args:
        name: What it is called in the table.
        format_: Of its files.
        options: What ``tagger tag`` is told besides.
        is_cold: Whether the files are dropped from the system's cache before each run.
    """

    name: str
    format_: str = "mp3"
    options: tuple[str, ...] = ("--no-write", "--jobs", "2")
    is_cold: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What a condition gave, medians over the rounds.

    Args:
        name: The condition's.
        n_few, n_many: Files of the two runs whose difference counts.
        tracks_per_s: Start-up apart.
        cpu_ms: Processor time a track, milliseconds.
        read_mb: Megabytes read a track.
    """

    name: str
    n_few: int
    n_many: int
    tracks_per_s: float
    cpu_ms: float
    read_mb: float


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--few", "n_few", default=12, show_default=True, help="Files of the short runs.")
@click.option("--hundred", "n_hundred", default=100, show_default=True, help="Files of long runs.")
@click.option("--rounds", "n_rounds", default=3, show_default=True)
@click.option(
    "-o",
    "stem",
    type=click.Path(path_type=Path),
    default=Path("build/benchmarks/conditions"),
    show_default=True,
    help="Results go to this path with .json and .md behind it.",
)
def main(corpus: Path, n_few: int, n_hundred: int, n_rounds: int, stem: Path) -> None:
    """Measure the tagger under several conditions over CORPUS; print Markdown."""
    formats = {p.name: sorted(f for f in p.rglob("*") if f.is_file()) for p in corpus.iterdir()}
    if len(formats.get("mp3", ())) <= n_hundred or n_hundred <= n_few:
        raise click.UsageError(f"{corpus} needs a folder mp3 of more than {n_hundred} files")
    before = load_average()
    with tempfile.TemporaryDirectory(dir=corpus.absolute().parent, prefix="cond-") as scratch:
        folders = Folders(Path(scratch), formats)
        measured = [
            measure(condition, n_few, n_many, folders, n_rounds)
            for condition, n_many in conditions(folders, n_hundred)
        ]
        moments = measure_moments(folders("mp3", n_hundred), n_rounds, "--jobs", "2")
    report = {
        "machine": describe_machine(),
        "load": [before, load_average()],
        "conditions": [asdict(one) for one in measured],
        "moments": moments,
    }
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    stem.with_suffix(".md").write_text(markdown(report), encoding="utf-8")
    click.echo(markdown(report))


class Folders:
    """Folders of the first so many files of a format, each made when it is first asked for."""

    def __init__(self, scratch: Path, formats: Mapping[str, Sequence[Path]]) -> None:
        self._scratch = scratch
        self.formats = formats

    def __call__(self, format_: str, n_files: int) -> Path:
        """Return the folder with that many files of a format."""
        folder = self._scratch / f"{format_}-{n_files}"
        if not folder.exists():
            link(self.formats[format_][:n_files], folder)
        return folder


def conditions(folders: Folders, n_hundred: int) -> Iterator[tuple[Condition, int]]:
    """Yield what is measured, and over how many files."""
    n_all = len(folders.formats["mp3"])
    writing = ("--min-confidence", "0", "--genres", "all", "--jobs", "2")
    yield Condition("MP3, one worker", options=("--no-write", "--jobs", "1")), n_hundred
    yield Condition("MP3, two workers"), n_hundred
    yield Condition("MP3, two workers, all files"), n_all
    yield Condition("MP3, cold cache", is_cold=True), n_hundred
    yield Condition("MP3, every tag written", options=writing), n_hundred
    for name, files in sorted(folders.formats.items()):
        if name != "mp3":
            yield Condition(name.upper(), name), len(files)


def measure(
    condition: Condition, n_few: int, n_many: int, folders: Folders, n_rounds: int
) -> Measured:
    """Run one condition over few files and over many, and return what a track costs.

    Raises:
        subprocess.CalledProcessError: a run failed.
    """
    rounds = []
    for i in range(n_rounds):
        few, many = (_cost(condition, folders, n) for n in (n_few, n_many))
        rounds.append(Round(n_few, n_many, few, many))
        click.echo(f"{condition.name} {i + 1}: {1 / rounds[-1].per_track.wall_s:.1f}/s", err=True)
    found = summarise(rounds, rounds)
    return Measured(condition.name, n_few, n_many, found.tracks_per_s, found.cpu_ms, found.read_mb)


def _cost(condition: Condition, folders: Folders, n_files: int) -> Cost:
    """Run a condition once; where it writes, over copies of its own."""
    originals = folders.formats[condition.format_][:n_files]
    folder = folders(condition.format_, n_files)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="run-") as scratch:
        if "--no-write" not in condition.options:
            folder = Path(scratch, "copies")
            copy(originals, folder)
        if condition.is_cold:
            drop_from_cache(originals)
        words = tagger_words(folder, Path(scratch, "c.db"), *condition.options)
        return run(words, clean_environment(scratch), Path(scratch, "log"))


def copy(paths: Sequence[Path], folder: Path) -> None:
    """Copy files into a folder, to be written to, all of them on the disk."""
    for path in paths:
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    os.sync()


def drop_from_cache(paths: Sequence[Path]) -> None:
    """Let the system forget what it holds of files, so that the disk is asked."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def tagger_words(folder: Path, catalog: Path, *options: str) -> list[str]:
    """Return the words of a run over a folder."""
    tail = ["--format", "jsonl", "--catalog", str(catalog), "--", str(folder)]
    return [sys.executable, "-m", "tagger", "tag", *options, *tail]


def measure_moments(
    folder: Path, n_rounds: int, *options: str, n_helped: int = 5
) -> dict[str, float]:
    """Return what else a user waits for, seconds, and the memory of the processes, MB.

    Args:
        folder: What is listened to.
        n_rounds: How often.
        options: What ``tagger tag`` is told besides.
        n_helped: How often a round asks for help.
    """
    first: list[float] = []
    again: list[float] = []
    memory: list[list[float]] = []
    for _ in range(n_rounds):
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="run-") as scratch:
            words = tagger_words(folder, Path(scratch, "c.db"), "--no-write", *options)
            environment = clean_environment(scratch)
            first.append(seconds_to_first_line(words, environment, memory.append))
            again.append(run(words, environment, Path(scratch, "log")).wall_s)
            helped = [
                run([*words[:3], "--help"], environment, Path(scratch, "log"))
                for _ in range(n_helped)
            ]
    return {
        "first result, s": median(first),
        "nothing has changed, s": median(again),
        "--help, s": median(cost.wall_s for cost in helped),
        "parent, MB": max(sizes[0] for sizes in memory),
        "a worker, MB": max(max(sizes[1:]) for sizes in memory),
    }


def seconds_to_first_line(
    words: Sequence[str],
    environment: Mapping[str, str],
    tell_memory: Callable[[list[float]], object],
) -> float:
    """Run a command to its end; return when its first line of output came, seconds.

    Args:
        words: The command.
        environment: Its environment.
        tell_memory: Given the most memory, MB, that the command held and that each of its
            children did.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        with _watched(process.pid) as peaks:
            assert process.stdout is not None
            process.stdout.readline()
            taken_s = time.perf_counter() - began
            process.stdout.read()
        own = peaks.pop(process.pid)
        tell_memory([own, *peaks.values()])
    return taken_s


@contextmanager
def _watched(pid: int) -> Iterator[dict[int, float]]:
    """Keep looking at the memory of a process and its children, MB, while the block runs."""
    peaks: dict[int, float] = {}
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(_POLL_S):
            for one in [pid, *_children(pid)]:
                peaks[one] = max(peaks.get(one, 0.0), _resident_mb(one))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        is_over.set()
        thread.join()


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _resident_mb(pid: int) -> float:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def markdown(report: Mapping[str, Any]) -> str:
    """Return the report as two tables with what it was measured on."""
    lines = ["| | files | tracks/s | CPU ms/track | MB read/track |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {one['name']} | {one['n_many']} less {one['n_few']} | {one['tracks_per_s']:.1f} "
        f"| {one['cpu_ms']:.1f} | {one['read_mb']:.2f} |"
        for one in report["conditions"]
    ]
    lines += ["", "| | |", "|---|--:|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in report["moments"].items()]
    lines += ["", *(f"- {name}: {fact}" for name, fact in report["machine"].items())]
    before, after = report["load"]
    return "\n".join([*lines, f"- load before and after: {before:.1f}, {after:.1f}", ""])


if __name__ == "__main__":
    main()
