"""A watched library that changes all the time: `python -m tests.soak_watch -n 300 --kills`.

Files are copied in at once and slowly, moved and deleted, folders are made, renamed and removed,
while ``tagger watch`` runs, and with ``--kills`` gets kill -9 and is started again now and then.
When all is still, every file must have its genre, and nothing must be left for ``tagger tag``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click
import mutagen

from tests.catalogs import assert_consistent
from tests.library import genre_of, make_model, make_track, run_tagger, start_tagger

_N_SOUNDS = 40
_SETTLE_S = 0.5
_DEADLINE_S = 90.0


class Soak:
    """A library, and a watcher of it.

    Args:
        folder: An empty folder.
        seed: Of the changes.
        kills: Whether the watcher is killed.
    """

    def __init__(self, folder: Path, *, seed: int, kills: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._music = folder / "music"
        self._music.mkdir()
        self._sounds = [make_track(folder / "sounds" / f"{i}.flac") for i in range(_N_SOUNDS)]
        self._common = ("--catalog", folder / "catalog.db", "--model", make_model(folder / "m.pt"))
        changes: dict[Callable[[], None], int] = {
            self.copy: 40,
            self.copy_slowly: 6,
            self.make_folder: 10,
            self.move: 10,
            self.delete: 8,
            self.rename_folder: 7,
            self.remove_folder: 4,
        }
        self._changes = changes | ({self.kill: 3} if kills else {})
        self._watcher = self._start()

    def run(self, n_changes: int) -> None:
        """Make changes, wait until all is still, and compare."""
        try:
            for number in range(n_changes):
                (change,) = self._random.choices(
                    list(self._changes), weights=list(self._changes.values())
                )
                self._number = number
                change()
                self.counts[change.__name__] += 1
                time.sleep(self._random.uniform(0, 0.3))
            self._wait_until_tagged()
        finally:
            self._watcher.send_signal(signal.SIGTERM)
            code = self._watcher.wait(60)
        assert code in (0, 130), code
        rest = run_tagger("tag", *self._common, "--format", "jsonl", self._music)
        assert set(rest.statuses.values()) <= {"unchanged"}, rest.statuses
        assert_consistent(Path(self._common[1]))

    def copy(self) -> None:
        """Copy a file in."""
        shutil.copy(self._random.choice(self._sounds), self._new_place())

    def copy_slowly(self) -> None:
        """Copy a file in bit by bit."""
        sound = self._random.choice(self._sounds).read_bytes()
        step = len(sound) // 4 + 1
        with self._new_place().open("wb") as file:
            for start in range(0, len(sound), step):
                file.write(sound[start : start + step])
                file.flush()
                time.sleep(0.1)

    def make_folder(self) -> None:
        """Make a folder."""
        (self._random.choice(self._folders()) / f"folder {self._number}").mkdir()

    def move(self) -> None:
        """Move a file."""
        for file in self._some(self._files()):
            file.rename(self._new_place())

    def delete(self) -> None:
        """Delete a file."""
        for file in self._some(self._files()):
            file.unlink()

    def rename_folder(self) -> None:
        """Move a folder, with all in it, to the top."""
        for folder in self._some(self._folders()[1:]):
            folder.rename(self._music / f"renamed {self._number}")

    def remove_folder(self) -> None:
        """Remove a folder, with all in it."""
        for folder in self._some(self._folders()[1:]):
            # A copy that the watcher makes at this moment may come in between.
            shutil.rmtree(folder, ignore_errors=True)

    def kill(self) -> None:
        """Kill the watcher and its workers, and start another."""
        os.killpg(self._watcher.pid, signal.SIGKILL)
        self._watcher.wait()
        self._watcher = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        # Quiet, since nobody reads what it says.
        patience = ("--settle", str(_SETTLE_S), "--rescan", "0.1", "--jobs", "2", "--quiet")
        return start_tagger("watch", *self._common, *patience, self._music)

    def _new_place(self) -> Path:
        return self._random.choice(self._folders()) / f"{self._number}.flac"

    def _some(self, paths: list[Path]) -> list[Path]:
        return [self._random.choice(paths)] if paths else []

    def _folders(self) -> list[Path]:
        return [self._music, *sorted(p for p in self._music.rglob("*") if p.is_dir())]

    def _files(self) -> list[Path]:
        return sorted(self._music.rglob("[!.]*.flac"))

    def _wait_until_tagged(self) -> None:
        deadline = time.monotonic() + _DEADLINE_S
        while left := [file for file in self._files() if not _is_tagged(file)]:
            assert time.monotonic() < deadline, left
            time.sleep(0.2)
        time.sleep(6 * _SETTLE_S)  # it may have to look at what was only moved


def _is_tagged(file: Path) -> bool:
    try:
        return genre_of(file) == ["Rock"]
    except mutagen.MutagenError:  # it is being written, or was when the watcher was killed
        return False


@click.command()
@click.option("-n", "n_changes", default=300, show_default=True, help="Changes.")
@click.option("--seed", default=0, show_default=True)
@click.option("--kills", is_flag=True, help="Kill the watcher now and then.")
def main(n_changes: int, seed: int, kills: bool) -> None:
    """Change a library at random while it is watched, and see that nothing is left undone."""
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), seed=seed, kills=kills)
        soak.run(n_changes)
    for change, n in sorted(soak.counts.items()):
        click.echo(f"{change}: {n}")


if __name__ == "__main__":
    main()
