"""Kill -9 at random moments while the owner's tags decide: `python -m tests.soak_evidence -n 100`.

As `tests.soak`, but that the files are blank, and are filled as their artist's albums elsewhere are
called; the ear hears something else.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
import mutagen

from tests import tagged
from tests.library import genre_of, make_track, set_tags
from tests.soak import Soak, tell

_KINDS = ("flac", "ogg", "opus", "m4a", "mp3 v2.3", "mp3 v2.4")
_N_WITNESSES = 4


class EvidenceSoak(Soak):
    """A library of blanks, beside albums by the same artists that say what they are."""

    kinds = _KINDS
    how = ("--evidence", "album,artist")

    def _made(self, folder: Path, kind: str) -> Path:
        """Make a blank file by an artist of its folder, on an album of its own."""
        path = tagged.make(folder, kind)
        file = mutagen.File(path, easy=True)
        file.pop("genre", None)
        file.save()
        artist = _artist(folder)
        set_tags(path, artist=artist, albumartist=artist, album=f"Album {len(self._old)}")
        return path

    def _heard(self) -> dict[Path, Path]:
        """Return the blanks, and the files that say what they are; and the folder of each."""
        return super()._heard() | dict.fromkeys(self._witnesses(), self.folder / "elsewhere")

    def _witnesses(self) -> list[Path]:
        elsewhere = self.folder / "elsewhere"
        found = []
        for n in range(len(self.kinds)):
            for i in range(_N_WITNESSES):
                path = elsewhere / f"{n:02d}" / f"{i}.flac"
                if not path.exists():
                    artist = _artist(path.parent)
                    make_track(path, genre="Ambient", artist=artist, album=f"{i}", title=f"{i}")
                found.append(path)
        return found

    def run(self, n_kills: int) -> Counter[str]:
        """Kill so often; what was written is what the witnesses say, and these are untouched."""
        before = {path: path.read_bytes() for path in self._witnesses()}
        assert all(genre_of_bytes(path, data) == ["Ambient"] for path, data in self._new.items())
        counts = super().run(n_kills)
        assert {path: path.read_bytes() for path in before} == before
        return counts


def genre_of_bytes(path: Path, data: bytes) -> list[str]:
    """Return the genres in what a file held."""
    with tempfile.NamedTemporaryFile(suffix=path.suffix) as file:
        file.write(data)
        file.flush()
        return genre_of(Path(file.name))


def _artist(folder: Path) -> str:
    return f"Artist {folder.name}"


@click.command()
@click.option("-n", "n_kills", default=100, show_default=True, help="How often to kill.")
@click.option("--copies", default=4, show_default=True, help="Files of each kind.")
@click.option("--seed", default=0, show_default=True)
def main(n_kills: int, copies: int, seed: int) -> None:
    """Fill and undo a library while it is killed; print what was met."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tagger-soak-") as folder:
        counts = EvidenceSoak(Path(folder), copies, seed).run(n_kills)
    tell(counts, len(_KINDS) * copies, started)


if __name__ == "__main__":
    sys.exit(main())
