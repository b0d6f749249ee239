"""Power cuts, replayed from a trace: `python -m tests.soak_power --step tag -n 200`.

A run (tag, undo, or the restore of a backup after a kill) is traced by strace. What it did to files
is then done again up to a moment chosen at random, as a disk may have it after a power cut: what
was synced is there; of what was not, any part, each write whole or cut at a sector. Names change in
their order, as in a file system with a journal. After the next start every file is old or new byte
for byte, the catalogue is sound, and no write is open. Needs strace.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from tagger import cli
from tagger.catalog import Catalog, back_up
from tagger.tagging.recovery import close_pending
from tests.catalogs import assert_consistent
from tests.soak import Soak

STEPS = ("tag", "undo", "restore")
_SECTOR = 512
_CHANGING = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "link")
_CALLS = ",".join(("openat", "close", "lseek", "read", "linkat", *_CHANGING))
_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass
class _Inode:
    """A file's bytes on the disk, and the changes that may not be there yet."""

    data: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def synced(self) -> None:
        self.data = _changed(self.data, self.pending)
        self.pending = []

    def after_a_cut(self, choose: random.Random) -> bytes:
        kept = [one for one in self.pending if choose.random() < choose.choice((0.0, 0.5, 1.0))]
        torn = [(kind, at, self._cut(data, choose)) for kind, at, data in kept]
        return _changed(self.data, torn)

    @staticmethod
    def _cut(data: bytes, choose: random.Random) -> bytes:
        if choose.random() < 0.7:
            return data
        return data[: choose.randrange(0, len(data) + 1, _SECTOR)]


def _changed(data: bytes, changes: Sequence[tuple[str, int, bytes]]) -> bytes:
    found = bytearray(data)
    for kind, at, new in changes:
        if kind == "cut":
            found = found[:at].ljust(at, b"\0")
        elif new:
            found = found.ljust(at, b"\0")
            found[at : at + len(new)] = new
    return bytes(found)


@dataclass(frozen=True)
class _Call:
    process: int
    name: str
    arguments: str
    result: int

    @property
    def texts(self) -> list[bytes]:
        return [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(self.arguments)]

    @property
    def numbers(self) -> list[int]:
        plain = _TEXT.sub("", self.arguments)
        return [int(number) for number in re.findall(r"(?<![\w.])-?\d+(?![\w.])", plain)]


class Disk:
    """What a trace did to the files in a folder, up to any moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fsencode(folder)
        self._names = {os.fsencode(p): _Inode(p.read_bytes()) for p in _files(folder)}
        self._safe_names = dict(self._names)
        self._renamings: list[dict[bytes, _Inode]] = []
        self._open: dict[int, tuple[_Inode | None, int, bool]] = {}

    def do(self, call: _Call) -> None:
        """Do what a call did."""
        if call.result >= 0 or call.name == "close":
            getattr(self, f"_{call.name}", self._other)(call)

    def _other(self, call: _Call) -> None:
        raise AssertionError(call.name)

    def _openat(self, call: _Call) -> None:
        path = call.texts[0]
        if not path.startswith(self._folder + b"/"):
            self._open.pop(call.result, None)
            return
        if b"O_DIRECTORY" in call.arguments.encode() or os.path.isdir(path):  # noqa: PTH112
            self._open[call.result] = (None, 0, False)
            return
        if path not in self._names:
            if "O_CREAT" not in call.arguments:
                self._open[call.result] = (None, 0, False)
                return
            self._named({**self._names, path: _Inode()})
        inode = self._names[path]
        if "O_TRUNC" in call.arguments:
            inode.pending.append(("cut", 0, b""))
        self._open[call.result] = (inode, 0, "O_APPEND" in call.arguments)

    def _named(self, names: dict[bytes, _Inode]) -> None:
        self._names = names
        self._renamings.append(names)

    def _close(self, call: _Call) -> None:
        self._open.pop(call.numbers[0], None)

    def _moved(self, descriptor: int, at: int) -> None:
        if descriptor in self._open:
            inode, _, appends = self._open[descriptor]
            self._open[descriptor] = (inode, at, appends)

    def _lseek(self, call: _Call) -> None:
        self._moved(call.numbers[0], call.result)

    def _read(self, call: _Call) -> None:
        descriptor = call.numbers[0]
        if descriptor in self._open:
            self._moved(descriptor, self._open[descriptor][1] + call.result)

    def _write(self, call: _Call) -> None:
        descriptor = call.numbers[0]
        inode, at, appends = self._open.get(descriptor, (None, 0, False))
        if inode is None:
            return
        if appends:
            at = len(_changed(inode.data, inode.pending))
        inode.pending.append(("write", at, call.texts[0][: call.result]))
        self._moved(descriptor, at + call.result)

    def _pwrite64(self, call: _Call) -> None:
        inode, _, _ = self._open.get(call.numbers[0], (None, 0, False))
        if inode is not None:
            inode.pending.append(("write", call.numbers[-1], call.texts[0][: call.result]))

    def _ftruncate(self, call: _Call) -> None:
        inode, _, _ = self._open.get(call.numbers[0], (None, 0, False))
        if inode is not None:
            inode.pending.append(("cut", call.numbers[1], b""))

    def _fsync(self, call: _Call) -> None:
        if call.numbers[0] not in self._open:
            return
        inode, _, _ = self._open[call.numbers[0]]
        if inode is not None:
            inode.synced()
        self._safe_names, self._renamings = self._names, []

    _fdatasync = _fsync

    def _rename(self, call: _Call) -> None:
        old, new = call.texts
        if old in self._names:
            names = dict(self._names)
            names[new] = names.pop(old)
            self._named(names)

    def _unlink(self, call: _Call) -> None:
        if call.texts[0] in self._names:
            self._named({p: one for p, one in self._names.items() if p != call.texts[0]})

    def _link(self, call: _Call) -> None:
        old, new = call.texts
        if old in self._names:
            self._named({**self._names, new: self._names[old]})

    _linkat = _link

    def after_a_cut(self, choose: random.Random) -> dict[bytes, bytes]:
        """Return {path: bytes} as a power cut may leave them at this moment."""
        names = choose.choice([self._safe_names, *self._renamings])
        found = {id(one): one.after_a_cut(choose) for one in names.values()}
        return {path: found[id(one)] for path, one in names.items()}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def calls_of(trace: Path) -> Iterator[_Call]:
    """Give the calls of a trace, those that another thread's came between made whole."""
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii") as file:
        for line in file:
            process = line.split(maxsplit=1)[0]
            text = line.rstrip("\n")
            if text.endswith("<unfinished ...>"):
                begun[process] = text.removesuffix("<unfinished ...>")
                continue
            if "resumed>" in text:
                text = begun.pop(process) + text.partition("resumed>")[2]
            found = _LINE.match(text)
            if found:
                yield _Call(int(found[1]), found[2], found[3], int(found[4]))


class PowerSoak(Soak):
    """A library whose run is traced once, and cut off at many moments."""

    def run_cuts(self, step: str, n_cuts: int) -> Counter[str]:
        """Cut the power so often; return what was met, by name."""
        self._begin(step)
        before = {path: path.read_bytes() for path in _files(self.folder) if path != self._trace}
        self._traced(step)
        self._put(before)
        disk = Disk(self.folder)
        moments = Counter(self._choose.choices(self._changing(), k=n_cuts))
        for n, call in enumerate(calls_of(self._trace)):
            disk.do(call)
            for _ in range(moments[n]):
                left = disk.after_a_cut(self._choose)
                self._put({Path(os.fsdecode(path)): data for path, data in left.items()})
                self._start(step)
        return self.counts

    def _changing(self) -> list[int]:
        """Return the places in the trace at which something of ours changes."""
        ours = os.fsencode(self.folder)
        opened: dict[int, bool] = {}
        found = []
        for n, call in enumerate(calls_of(self._trace)):
            if call.name == "openat":
                opened[call.result] = call.texts[0].startswith(ours)
            elif call.name in ("rename", "unlink", "link"):
                found += [n] * call.texts[0].startswith(ours)
            elif call.name in _CHANGING:
                found += [n] * opened.get(call.numbers[0], False)
        return found

    @property
    def _trace(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.trace")

    def _begin(self, step: str) -> None:
        """Leave things as they are when the traced run begins."""
        for path in self._music.glob("*/*"):
            path.unlink()
        self._lay_out()
        if step == "undo":
            assert self._run(self._tag) == 0
        if step == "restore":
            back_up(self._place, self.folder / "backup.db")
            self._killed(self._tag, 1_000_000)
            with Catalog.open(self._place) as catalog:
                has_some = any(entry.overwritten for entry in catalog.pending_writes())
            torn = [p for p, data in self._contents().items() if data not in self._both(p)]
            if not (has_some and torn):  # the kill came too soon, or too late
                self._begin(step)

    def _traced(self, step: str) -> None:
        asked = {
            "tag": ["tag", "--quiet", "--model", str(self._model), "--by", "track", "--overwrite"],
            "undo": ["undo", "--quiet"],
            "restore": ["catalog", "restore", str(self.folder / "backup.db")],
        }[step]
        command = [*asked, "--catalog", str(self._place)]
        command += [str(self._music)] if step == "tag" else []
        tracer = ["strace", "-f", "-o", str(self._trace), "-xx", "-s", "100000000"]
        tracer += ["-e", f"trace={_CALLS}", "-e", "signal=none"]
        subprocess.run(
            [*tracer, sys.executable, "-m", "tests.soak_power", "--as-tagger", *command],
            check=True,
            capture_output=True,
        )

    def _put(self, files: dict[Path, bytes]) -> None:
        """Let the folder hold these files, and no others."""
        for path in set(_files(self.folder)) - set(files):
            path.unlink()
        for path, data in files.items():
            path.write_bytes(data)

    def _start(self, step: str) -> None:
        """Start again after a cut, and look."""
        self.counts["cuts"] += 1
        torn = {p for p, data in self._contents().items() if data not in self._both(p)}
        self.counts["files half written"] += len(torn)
        assert self._place.exists(), "no catalogue stands at its place"
        with Catalog.open(self._place) as catalog:
            self.counts["cuts with writes under way"] += bool(catalog.pending_writes())
            close_pending(catalog)
            assert catalog.pending_writes() == []
        found = {p: d for p, d in self._contents().items() if p in self._old}
        assert set(found) == set(self._old), step
        wrong = [path for path, data in found.items() if data not in self._both(path)]
        assert wrong == [], (step, wrong)
        assert_consistent(self._place)


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--step", type=click.Choice(STEPS), default="tag", help="The run that is cut off.")
@click.option("-n", "n_cuts", default=200, show_default=True, help="How often to cut the power.")
@click.option("--seed", default=0, show_default=True)
def main(step: str, n_cuts: int, seed: int) -> None:
    """Trace a run, cut it off at many moments, start again; print what was met."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tagger-soak-") as folder:
        inner = Path(folder) / "inner"
        inner.mkdir()
        counts = PowerSoak(inner, 1, seed).run_cuts(step, n_cuts)
    click.echo(f"{time.monotonic() - started:.0f} s")
    for name, n in counts.items():
        click.echo(f"{name}: {n}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-tagger"]:
        sys.exit(cli.run(sys.argv[2:]))
    assert shutil.which("strace"), "strace is needed"
    sys.exit(main())
