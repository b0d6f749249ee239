"""A library that changes, with a scan after each change: `python -m tests.soak_rescans -n 1000`.

Files are added, retagged, replaced by another sound, moved, copied and deleted; the whole library
goes away, and an empty folder stands in its place. After each scan a model of what the catalogue
must say is compared with it: which files are there, by which rows, with which genres, what had to
be heard, and that no person's genre was touched.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import click
import mutagen

from tagger.catalog import Catalog
from tagger.errors import ScanError
from tagger.tagging.run import TagRun
from tests.catalogs import assert_consistent
from tests.library import genre_of, make_model, make_track, map_in_process, request_for, set_tags

_SUFFIXES = (".flac", ".mp3", ".ogg", ".wav", ".m4a", ".opus")
_MOST = 14


@dataclass
class Row:
    """What the catalogue must say of one file: its place, its sound, whether it is gone."""

    path: Path
    sound: int
    has_vanished: bool = False


@dataclass
class Soak:
    """A library, its catalogue, and the model of both.

    Args:
        folder: An empty folder.
        seed: Of the changes.
    """

    folder: Path
    seed: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._music = self.folder / "music"
        self._place = self.folder / "catalog.db"
        self._model = make_model(self.folder / "model.pt")
        self._n_made = 0
        self._sounds: dict[Path, int] = {}  # what lies on the disk
        self._genres: dict[Path, str] = {}  # what a person set
        self._rows: list[Row] = []  # what the catalogue must know, the oldest first
        (self._music / "b").mkdir(parents=True)
        (self._music / "keep").mkdir()
        for _ in range(4):
            self._add()

    def run(self, n_changes: int) -> None:
        """Make changes, and compare after each."""
        self._scan_and_compare()
        changes: list[tuple[Callable[[], None], int]] = [
            (self._add, 4),
            (self._retag, 4),
            (self._replace, 2),
            (self._move, 4),
            (self._copy, 2),
            (self._delete, 3),
            (self._delete_most, 1),
            (self._root_away, 1),
            (self._touch, 1),
        ]
        chances = [weight for _, weight in changes]
        for _ in range(n_changes):
            ((change, _),) = self._random.choices(changes, chances)
            if len(self._sounds) >= _MOST:
                change = self._delete
            elif len(self._sounds) < 2:
                change = self._add
            self.counts[change.__name__.strip("_")] += 1
            change()
            self._scan_and_compare()
        assert_consistent(self._place)

    # Changes

    def _any(self) -> Path:
        return self._random.choice(sorted(self._sounds))

    def _new_path(self, suffix: str) -> Path:
        self._n_made += 1
        folder = self._random.choice(["", "b", "keep", f"new {self._n_made}"])
        path = self._music / folder / f"{self._n_made:04d}{suffix}"
        path.parent.mkdir(exist_ok=True)
        return path

    def _add(self) -> None:
        path = make_track(self._new_path(self._random.choice(_SUFFIXES)), 0.8)
        self._sounds[path] = self._n_made

    def _retag(self) -> None:
        path = self._any()
        if self._random.random() < 0.5 and path.suffix != ".wav":
            self._genres[path] = f"Genre {self._n_made}"
            set_tags(path, genre=self._genres[path])
        elif path.suffix != ".wav":
            set_tags(path, title="la " * self._random.randrange(3000))

    def _replace(self) -> None:
        path = self._any()
        other = make_track(self._new_path(path.suffix), 0.8)
        other.replace(path)
        self._sounds[path] = self._n_made
        self._genres.pop(path, None)

    def _move(self) -> None:
        path = self._any()
        self._put(path, self._new_path(path.suffix), shutil.move)
        self._sounds.pop(path)
        self._genres.pop(path, None)

    def _copy(self) -> None:
        path = self._any()
        self._put(path, self._new_path(path.suffix), shutil.copy2)

    def _put(self, path: Path, new: Path, put: Callable[[Path, Path], object]) -> None:
        put(path, new)
        self._sounds[new] = self._sounds[path]
        if path in self._genres:
            self._genres[new] = self._genres[path]

    def _delete(self) -> None:
        path = self._any()
        path.unlink()
        self._sounds.pop(path)
        self._genres.pop(path, None)

    def _delete_most(self) -> None:
        for _ in range(len(self._sounds) - 1):
            self._delete()

    def _touch(self) -> None:
        self._any().touch()

    def _root_away(self) -> None:
        """Scan while the library is away, and while an empty folder stands in its place."""
        away = self._music.rename(self.folder / "away")
        before = self._catalogue()
        try:
            self._scan()
        except ScanError:
            pass
        else:
            raise AssertionError("a library that is away was scanned")
        assert self._catalogue() == before
        self._music.mkdir()
        self._scan()
        assert self._catalogue() == before
        self._music.rmdir()
        away.rename(self._music)

    # What a scan does, and must do

    def _scan(self) -> TagRun:
        with Catalog.open(self._place) as catalog:
            run = TagRun(request_for(self._model, self._music), catalog)
            failed = [result for result in run.results() if result.failure]
        assert not failed, failed
        return run

    def _scan_and_compare(self) -> None:
        n_unheard, n_marked = self._expect()
        run = self._scan()
        assert run.n_analysed == n_unheard, (run.n_analysed, n_unheard)
        assert run.summary.n_vanished == n_marked, (run.summary, n_marked)
        expected = [
            (n + 1, row.path.relative_to(self._music), row.has_vanished, self._genre(row))
            for n, row in enumerate(self._rows)
        ]
        assert self._catalogue() == expected, (self._catalogue(), expected)
        for path, genre in self._genres.items():
            assert self._stands(path) == [genre], path
        self._compare_copies()

    def _expect(self) -> tuple[int, int]:
        """Bring the model up to date; return how many tracks must be heard, and marked as gone."""
        known_sounds = {row.sound for row in self._rows}
        by_path = {row.path: row for row in self._rows}
        n_unheard = 0
        for path in self._walk():
            sound = self._sounds[path]
            row = by_path.get(path)
            n_unheard += sound not in known_sounds
            if row is None:
                row = next((r for r in self._rows if r.sound == sound and self._is_gone(r)), None)
                if row is None:
                    row = Row(path, sound)
                    self._rows.append(row)
            row.path, row.sound, row.has_vanished = path, sound, False
        there = [row for row in self._rows if not row.has_vanished]
        gone = [row for row in there if row.path not in self._sounds]
        if 2 * len(gone) > len(there):
            return n_unheard, 0
        for row in gone:
            row.has_vanished = True
        return n_unheard, len(gone)

    def _walk(self) -> list[Path]:
        """Return the files in the order of a scan: each folder's own, then its subfolders'."""
        return sorted(self._sounds, key=lambda path: (path.parent != self._music, path))

    def _is_gone(self, row: Row) -> bool:
        return row.has_vanished or row.path not in self._sounds

    def _genre(self, row: Row) -> str:
        """Return the genre that the catalogue must show."""
        if row.path in self._sounds:
            return self._genres.get(row.path, "Rock")
        return self._last_shown()[row.path.relative_to(self._music)]

    # What the catalogue says

    def _catalogue(self) -> list[tuple[int, Path, bool, str]]:
        with closing(sqlite3.connect(self._place)) as database:
            rows = database.execute(
                "SELECT file_id, files.name, vanished_at IS NOT NULL, genre "
                "FROM files JOIN tracks USING (track_id) ORDER BY file_id"
            ).fetchall()
        return [(file_id, Path(name), bool(gone), genre) for file_id, name, gone, genre in rows]

    def _last_shown(self) -> dict[Path, str]:
        return {name: genre for _, name, _, genre in self._catalogue()}

    def _compare_copies(self) -> None:
        """The same sound has the same identity, and no two sounds have one."""
        with closing(sqlite3.connect(self._place)) as database:
            found = dict(database.execute("SELECT name, audio FROM files"))
        by_sound: dict[int, set[str]] = {}
        for row in self._rows:
            audio = found[str(row.path.relative_to(self._music))]
            by_sound.setdefault(row.sound, set()).add(audio)
        assert all(len(audios) == 1 for audios in by_sound.values()), by_sound
        assert len(set().union(*by_sound.values())) == len(by_sound)

    def _stands(self, path: Path) -> list[str]:
        assert mutagen.File(path) is not None
        return genre_of(path)


@click.command()
@click.option("-n", "n_changes", default=1000, show_default=True, help="Changes.")
@click.option("--seed", default=0, show_default=True)
def main(n_changes: int, seed: int) -> None:
    """Change a library at random, scan it after each change, and compare with a model."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch("tagger.hearing.pool.map_unordered", map_in_process),
    ):
        soak = Soak(Path(folder), seed)
        soak.run(n_changes)
    for change, n in sorted(soak.counts.items()):
        click.echo(f"{change}: {n}")
    click.echo("differences: 0")


if __name__ == "__main__":
    main()
