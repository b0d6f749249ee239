"""Damaged files by chance: ``python -m tests.fuzz_tags N`` mutates and cuts N files of all formats.

Each is read and written. It must either carry the new genre afterwards or be byte for byte what it
was, with a reason; nothing may crash, hang, ask for memory without bound or leave a file behind.
A file is known by its kind and number, so that a failure can be had again:
``python -m tests.fuzz_tags --again "mp3 v2.3" 17``.
"""

from __future__ import annotations

import faulthandler
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import click

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import read_tags
from tests import tagged
from tests.writing import write_genres

GENRE = "Folk"
_TIME_LIMIT_S = 20
_MEMORY = 4 << 30
_TAILS = tagged.ape([("Genre", b"Blues")]) + tagged.LYRICS3 + tagged.id3v1(0)
_INFO = tagged.info((b"IGNR", "Soul"), (b"INAM", "A title"))

KINDS: dict[str, Callable[[], bytes]] = {
    **tagged.RICH,
    **{kind: partial(tagged.sound, kind.removeprefix("bare ")) for kind in tagged.BARE},
    "mp3 with all tags": lambda: tagged.rich_id3(4, "Fado") + tagged.sound("mp3") + _TAILS,
    "aac with all tags": lambda: tagged.rich_id3(3) + tagged.sound("aac") + _TAILS,
    "ape with all tags": lambda: tagged.rich_id3(3) + tagged.sound("ape") + _TAILS,
    "wav with INFO": lambda: tagged.with_chunks(tagged.sound("wav"), _INFO),
    "flac with ID3": lambda: tagged.rich_id3(4) + tagged.rich_flac(),
    "dff with texts": tagged.edited_dsdiff,
    "m4a_fragmented": lambda: tagged.rich_mp4("m4a_fragmented"),
}


class BrokenPromiseError(Exception):
    """A file was changed though a failure was reported, or not written though none was."""


@cache
def whole(kind: str) -> bytes:
    """Return the file of a kind that mutants are made of."""
    return KINDS[kind]()


def mutant(kind: str, number: int) -> bytes:
    """Return a file with bytes changed, cut out, doubled or cut off, mostly in its tags."""
    chance = random.Random(f"{kind} {number}")
    data = bytearray(whole(kind))
    for _ in range(chance.randint(1, 4)):
        if data:
            _damage(data, chance)
    return bytes(data)


def _damage(data: bytearray, chance: random.Random) -> None:
    near_an_end = chance.choice([40, 300, 5000, 40_000, len(data)])
    at = chance.randrange(min(near_an_end, len(data)))
    at = len(data) - 1 - at if chance.random() < 0.4 else at
    kind = chance.randrange(8)
    if kind == 0:
        data[at] = chance.randrange(256)
    elif kind in (1, 2):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 3:
        size = chance.choice([b"\xff" * 4, bytes(4), b"\0\0\0\1", b"\x7f" * 4, b"\xff" * 8])
        data[at : at + len(size)] = size
    elif kind == 4:
        del data[at : at + chance.randint(1, 64)]
    elif kind == 5:
        data[at:at] = data[at : at + chance.choice([1, 16, 128, 4096])]
    elif kind == 6:
        data[at:at] = chance.randbytes(chance.randint(1, 64))
    else:
        del data[max(at, 1) :]


def outcome(path: Path, data: bytes) -> str:
    """Read and write a file; return "written" or "refused", or raise what is wrong.

    Args:
        path: Where to put it; in a folder of its own.
        data: What to put there.
    """
    path.write_bytes(data)
    try:
        before = read_tags(path)
        write_genres(path, [GENRE], provenance=f"{GENRE}; 0.50; cnn-1", expected=before)
        result = "written"
    except (TagReadError, TagWriteError):
        result = "refused"
        if path.read_bytes() != data:
            raise BrokenPromiseError("changed though refused") from None
    if result == "written" and read_tags(path).genres != (GENRE,):
        raise BrokenPromiseError("not written though it said so")
    if list(path.parent.iterdir()) != [path]:
        raise BrokenPromiseError("a file was left behind")
    return result


def numbered(n_files: int) -> Iterator[tuple[str, int]]:
    """Give as many kinds and numbers, all kinds in turn."""
    kinds = list(KINDS)
    for n in range(n_files):
        yield kinds[n % len(kinds)], n // len(kinds)


def _fuzz(n_files: int, folder: Path) -> None:
    """Try as many files and say what came of them; the first that goes wrong ends it."""
    counts: Counter[tuple[str, str]] = Counter()
    started, slowest_s = time.monotonic(), 0.0
    for kind, number in numbered(n_files):
        begun = time.monotonic()
        counts[kind, _tried(kind, number, folder)] += 1
        slowest_s = max(slowest_s, time.monotonic() - begun)
    _report(counts, time.monotonic() - started, slowest_s)


def _tried(kind: str, number: int, folder: Path) -> str:
    """Return the outcome of a file; if it goes wrong or hangs, say how to have it again."""
    path = folder / f"song{tagged.extension(kind)}"
    result = ""
    faulthandler.dump_traceback_later(_TIME_LIMIT_S, exit=True)
    try:
        result = outcome(path, mutant(kind, number))
    finally:
        faulthandler.cancel_dump_traceback_later()
        if not result:
            click.echo(f"went wrong: --again {kind!r} {number}", err=True)
    path.unlink()
    return result


def _report(counts: Counter[tuple[str, str]], elapsed_s: float, slowest_s: float) -> None:
    click.echo(f"{'kind':28s}{'files':>8s}{'written':>9s}{'refused':>9s}")
    totals = [0, 0]
    for kind in KINDS:
        row = [counts[kind, "written"], counts[kind, "refused"]]
        totals = [total + n for total, n in zip(totals, row, strict=True)]
        click.echo(f"{kind:28s}{sum(row):8d}{row[0]:9d}{row[1]:9d}")
    click.echo(f"{'all':28s}{sum(totals):8d}{totals[0]:9d}{totals[1]:9d}")
    click.echo(f"in {elapsed_s:.0f} s, the slowest {slowest_s:.2f} s; nothing went wrong")


@click.command()
@click.argument("n", type=click.IntRange(1), default=5000)
@click.option("--again", nargs=2, type=(click.Choice(list(KINDS)), int), metavar="KIND NUMBER")
def main(n: int, again: tuple[str, int] | None) -> None:
    """Mutate and cut N files of all formats, read and write each, and check what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        if again is None:
            _fuzz(n, Path(folder))
        else:
            click.echo(_tried(*again, Path(folder)))


if __name__ == "__main__":
    main()
