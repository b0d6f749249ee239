"""Kill -9, and then something else moves: `python -m tests.soak_moves --after rename -n 200`.

A run is killed while it writes, as in `tests.soak`. Before the next start all files are renamed,
or a backup of the catalogue is restored, or the catalogue is moved to another place. After that
start every file is old or new byte for byte, and no write is open.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click

from tagger.catalog import Catalog, back_up, chronicle, restore
from tagger.tagging.recovery import close_pending
from tests.catalogs import assert_consistent
from tests.soak import KINDS, Soak

AFTER = ("rename", "restore", "moved catalogue")


class MovingSoak(Soak):
    """A library in which something moves between a kill and the next start."""

    batch_s = 0.15

    def run_moving(self, after: str, n_kills: int) -> Counter[str]:
        """Kill so often while files are written; return what was met, by name."""
        then: Callable[[], dict[Path, Path]] = {
            "rename": self._rename_all,
            "restore": self._restore,
            "moved catalogue": self._move_catalogue,
        }[after]
        while self.counts["kills"] < n_kills:
            self._start_over()
            copy = back_up(self._place, self.folder / "backup.db")
            assert copy.exists()
            if not self._killed(self._tag, n_kills):
                continue
            torn = {p for p, data in self._contents().items() if data not in self._both(p)}
            self.counts["files half written"] += len(torn)
            with Catalog.open(self._place) as catalog:
                self.counts["kills with writes under way"] += bool(catalog.pending_writes())
            self._look(then())
        return self.counts

    def _wait_for_writing(self, process: int) -> None:
        """Wait until files are written, of which the chronicle tells before, or the run ends."""
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, process, ended) is None:
            if chronicle.has_lines(chronicle.path_of(self._place)):
                return
            time.sleep(0.001)

    def _start_over(self) -> None:
        for path in self._music.glob("*/*"):
            path.unlink()
        shutil.rmtree(self.folder / "elsewhere", ignore_errors=True)
        self._place = self.folder / "catalog.db"
        self._lay_out()

    def _rename_all(self) -> dict[Path, Path]:
        """Rename all files; return {where each is now: where it was}."""
        found: dict[Path, Path] = {}
        for path in sorted(self._contents()):
            new = path.with_name(f"renamed {path.name}")
            if self._choose.random() < 0.5:
                new = self._music / "elsewhere" / f"{path.parent.name} {path.name}"
            new.parent.mkdir(exist_ok=True)
            found[path.rename(new)] = path
        return found

    def _restore(self) -> dict[Path, Path]:
        restore(self._place, self.folder / "backup.db")
        return {path: path for path in self._contents()}

    def _move_catalogue(self) -> dict[Path, Path]:
        (self.folder / "elsewhere").mkdir()
        for path in self.folder.glob(f"{self._place.name}*"):
            if path != chronicle.path_of(self._place):
                path.rename(self.folder / "elsewhere" / path.name)
        self._place = self.folder / "elsewhere" / self._place.name
        return {path: path for path in self._contents()}

    def _look(self, was: dict[Path, Path]) -> None:
        """Start, and see that each file is old or new."""
        with Catalog.open(self._place) as catalog:
            close_pending(catalog, [self._music])
            assert catalog.pending_writes() == []
        contents = self._contents()
        assert len(contents) == len(self._old)
        torn = [path for path, data in contents.items() if data not in self._both(was[path])]
        assert torn == []
        assert_consistent(self._place)
        if all(path == before for path, before in was.items()):
            new = {path for path, data in contents.items() if data == self._new[path]}
            assert self._standing() == new


@click.command()
@click.option(
    "--after",
    type=click.Choice(AFTER),
    multiple=True,
    required=True,
    help="What moves after a kill; repeatable.",
)
@click.option("-n", "n_kills", default=200, show_default=True, help="How often to kill, of each.")
@click.option("--copies", default=1, show_default=True, help="Files of each kind.")
@click.option("--seed", default=0, show_default=True)
def main(after: tuple[str, ...], n_kills: int, copies: int, seed: int) -> None:
    """Kill a run, let something move, start again; print what was met."""
    started = time.monotonic()
    counts: Counter[str] = Counter()
    for what in after:
        with tempfile.TemporaryDirectory(prefix="tagger-soak-") as folder:
            met = MovingSoak(Path(folder), copies, seed).run_moving(what, n_kills)
        counts += met
        counts[f"kills before {what}"] = met["kills"]
    click.echo(f"{len(KINDS) * copies} files, {time.monotonic() - started:.0f} s")
    for name, n in counts.items():
        click.echo(f"{name}: {n}")


if __name__ == "__main__":
    sys.exit(main())
