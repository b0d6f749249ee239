"""Kill -9 at random moments, many times: `python -m tests.soak -n 300`.

A library of all formats, with and without tags, is tagged and then undone, over and over. Each of
these runs is a process that is killed at a moment chosen at random, until one comes through. After
each kill the next start must find, or make, every file old or new byte for byte, the catalogue
sound, and the journal and the chronicle of one mind with the files. In the end of each round all
files are new, and then old again.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import click

from tagger import cli
from tagger.catalog import Catalog, CatalogEntry, ModelRecord, WriteQuery, chronicle
from tagger.models.files import read_card
from tagger.records import AudioFile, Status, TrackPrediction
from tagger.tagging.recovery import close_pending
from tagger.tags import inplace, read_tags
from tests import tagged
from tests.catalogs import assert_consistent
from tests.library import LABELS, make_model

_AIMED = 0.8  # so many of the kills come while files are written; the others anywhere
_BATCH_S = 0.3
_SLOW_S = 0.002
KINDS = (*tagged.RICH, *tagged.BARE)


@dataclass
class Soak:
    """A library that is tagged and undone while it is killed.

    Args:
        folder: An empty folder.
        copies: Files of each kind.
        seed: Of the moments.
    """

    folder: Path
    copies: int
    seed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    batch_s = _BATCH_S
    kinds: ClassVar[tuple[str, ...]] = KINDS
    how: ClassVar[tuple[str, ...]] = ("--by", "track", "--overwrite")

    def __post_init__(self) -> None:
        self._music = self.folder / "music"
        self._place = self.folder / "catalog.db"
        self._model = make_model(self.folder / "model.pt")
        self._choose = random.Random(self.seed)
        self._old: dict[Path, bytes] = {}
        self._new: dict[Path, bytes] = {}
        self._lay_out()
        assert self._run(self._tag) == 0
        self._new = self._contents()
        assert all(self._new[path] != data for path, data in self._old.items())

    def run(self, n_kills: int) -> Counter[str]:
        """Kill so often; return what was met, by name."""
        while self.counts["kills"] < n_kills:
            self._lay_out()
            while self._killed(self._tag, n_kills):
                self._check()
            assert self._contents() == self._new
            while self._standing():
                if self._killed(self._undo, n_kills):
                    self._check()
            assert self._contents() == self._old
            self.counts["rounds"] += 1
        return self.counts

    def _lay_out(self) -> None:
        """Put all files back as they were, with a new catalogue in which all have been heard."""
        for path in self.folder.glob(f"{self._place.name}*"):
            path.unlink()
        for n, kind in enumerate(self.kinds):
            folder = self._music / f"{n:02d}"
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(self.copies):
                path = folder / f"{i:02d}{tagged.extension(kind)}"
                if path not in self._old:
                    self._old[path] = self._made(folder, kind).rename(path).read_bytes()
                path.write_bytes(self._old[path])
        self._hear()

    def _made(self, folder: Path, kind: str) -> Path:
        return tagged.make(folder, kind)

    def _hear(self) -> None:
        card = read_card(self._model)
        with Catalog.open(self._place) as catalog:
            record = ModelRecord(card.model_id, card.architecture, card.labels, 8)
            catalog.register_model(record)
            run_id = catalog.begin_run("tag", card.model_id)
            heard = [_entry(path, root, card.model_id) for path, root in self._heard().items()]
            catalog.record(run_id, heard)

    def _heard(self) -> dict[Path, Path]:
        return dict.fromkeys(self._old, self._music)

    def _tag(self) -> int:
        model = ("--model", str(self._model), *self.how)
        tag = ["tag", "--catalog", str(self._place), "--quiet", *model, str(self._music)]
        return cli.run(tag)

    def _undo(self) -> int:
        return cli.run(["undo", "--catalog", str(self._place), "--quiet"])

    def _killed(self, command: Callable[[], int], n_kills: int) -> bool:
        """Run a command in a process; return whether it was killed before it came to its end."""
        killed = self._run(command, to_the_end=self.counts["kills"] >= n_kills) < 0
        self.counts["kills"] += killed
        return killed

    def _run(self, command: Callable[[], int], *, to_the_end: bool = True) -> int:
        """Run a command in a process of its own; return its exit code, or minus the signal."""
        process = os.fork()
        if not process:
            _become(command)
        if not to_the_end:
            if self._choose.random() < _AIMED:
                self._wait_for_writing(process)
            time.sleep(self._choose.uniform(0, self.batch_s))
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, -signal.SIGKILL), code
        return code

    def _wait_for_writing(self, process: int) -> None:
        """Wait until a process touches files, or ends."""
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, process, ended) is None:
            with chronicle.path_of(self._place).open("ab") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
            time.sleep(0.001)

    def _check(self) -> None:
        """Look at what a kill left, start again, and look again."""
        torn = {p for p, data in self._contents().items() if data not in self._both(p)}
        self.counts["files half written"] += len(torn)
        with Catalog.open(self._place) as catalog:
            pending = catalog.pending_writes()
            self.counts["kills with writes under way"] += bool(pending)
            assert torn <= {entry.file.path for entry in pending if entry.overwritten}
            self.counts["copies left behind"] += len(list(self._music.glob("*/.*.tagger-copy")))
            close_pending(catalog)
            assert catalog.pending_writes() == []
        found = self._contents()
        assert set(found) == set(self._old), set(found) ^ set(self._old)
        assert all(data in self._both(path) for path, data in found.items())
        assert_consistent(self._place)
        new = {path for path, data in found.items() if data == self._new[path]}
        assert self._standing() == new
        if not self.counts["kills"] % 5:
            with Catalog.empty(self._place) as from_chronicle:
                assert _standing(from_chronicle) == new

    def _both(self, path: Path) -> tuple[bytes, bytes]:
        # A copy that was left behind is none of them.
        return self._old.get(path, b""), self._new.get(path, b"")

    def _contents(self) -> dict[Path, bytes]:
        paths = (path for path in self._music.rglob("*") if path.is_file())
        return {p: p.read_bytes() for p in paths if not p.name.endswith(".tagger-copy")}

    def _standing(self) -> set[Path]:
        with Catalog.open(self._place, read_only=True) as catalog:
            return _standing(catalog)


def _standing(catalog: Catalog) -> set[Path]:
    """Return the files in which a run's tag stands, as the journal has it."""
    tags = [run.run_id for run in catalog.runs() if run.command == "tag"]
    entries = [e for n in tags for e in catalog.standing_writes(WriteQuery(run_id=n))]
    return {entry.file.path for entry in entries}


def _entry(path: Path, root: Path, model_id: str) -> CatalogEntry:
    stat = path.stat()
    file = AudioFile(path, root, stat.st_size, stat.st_mtime_ns)
    probabilities = {label: 0.85 if label == "Rock" else 0.05 for label in LABELS}
    heard = TrackPrediction(path, probabilities, 0.85, None, 4, model_id, 1.0)
    return CatalogEntry(file, read_tags(path), Status.PREDICTED, prediction=heard)


def _write_slowly(descriptor: int, offset: int, data: bytes) -> None:
    """Overwrite bytes as a slow disk would, so that a kill can find them half written."""
    middle = len(data) // 2
    for start, part in ((0, data[:middle]), (middle, data[middle:])):
        os.pwrite(descriptor, part, offset + start)
        time.sleep(_SLOW_S)


def _become(command: Callable[[], int]) -> None:
    """Run a command in a process just forked, silently, and end it."""
    inplace._write_at = _write_slowly
    code = 70
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        code = command()
    finally:
        os._exit(code)


@click.command()
@click.option("-n", "n_kills", default=300, show_default=True, help="How often to kill.")
@click.option("--copies", default=4, show_default=True, help="Files of each kind.")
@click.option("--seed", default=0, show_default=True)
def main(n_kills: int, copies: int, seed: int) -> None:
    """Tag and undo a library while it is killed; print what was met."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tagger-soak-") as folder:
        counts = Soak(Path(folder), copies, seed).run(n_kills)
    tell(counts, len(KINDS) * copies, started)


def tell(counts: Counter[str], n_files: int, started: float) -> None:
    """Print what was met."""
    click.echo(f"{n_files} files, {time.monotonic() - started:.0f} s")
    for name, n in counts.items():
        click.echo(f"{name}: {n}")


if __name__ == "__main__":
    sys.exit(main())
