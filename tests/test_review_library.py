"""The catalogue behind a review: the page stands before it is opened whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tagger.catalog import Catalog, CatalogEntry, Reader
from tagger.errors import CatalogError
from tagger.records import Status, TagsFound
from tagger.review.library import Library
from tests.catalogs import entry, filled

_PAGE = """
import sys
from pathlib import Path
import tagger.cli.review as review
from tagger.review.app import Pages, _Shown
from tagger.review.guard import Keys

place = Path(sys.argv[1])
settings, _ = review.load_settings({"catalog": str(place)})
with review.Library(place) as library:
    session = review._session(library, settings, [], [], None, is_doubtful=False)
    filler = review.Filler(session, place)
    pages = Pages(session, filler, Keys(1), None, place, lambda: None, lambda: None, print)
    assert "Title 1" in _Shown(pages).page(None).body.decode()
    print(*(name for name in ("sqlalchemy", "torch", "numpy", "sklearn") if name in sys.modules))
    assert session.catalog.unfinished_answer(9) is None
"""


def tagged(name: str, number: int, *genres: str) -> CatalogEntry:
    """A track whose genres a person set, or that has none."""
    tags = TagsFound(genres, None, f"Title {number}", "Ann", "Album", "")
    return entry(name, number, tags=tags, status=Status.UNSURE, genres=())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.db"
    filled(path, tagged("a.mp3", 1), tagged("b.mp3", 2, "Jazz")).close()
    return path


def test_the_page_stands_before_anything_heavy_is_imported(place: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _PAGE, str(place)], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip() == ""


def test_once_it_is_open_whole_nothing_else_is_asked(place: Path) -> None:
    with Library(place) as library:
        assert isinstance(library.first, Reader)
        before = library.persons_genres()
        library.whole().record(1, [tagged("c.mp3", 3, "Polka")])
        with Catalog.open(place) as catalog:
            assert library.persons_genres() == catalog.persons_genres()
        assert library.persons_genres() != before
        assert library.whole() is library.whole()


def test_a_catalogue_of_an_older_version_is_opened_whole_at_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.catalog.sqlite.connecting.HEAD", "9999")
    with Library(place) as library:
        assert isinstance(library.first, Catalog)


def test_one_that_may_not_be_written_is_opened_whole_at_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _mode: path != place)
    with Library(place) as library:
        assert isinstance(library.first, Catalog)


def test_what_is_no_catalogue_is_told_before_there_is_a_page(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no catalogue here yet"):
        Library(tmp_path / "none.db")


def test_one_that_is_gone_when_it_is_to_be_opened_is_told_when_something_is_to_be_kept(
    place: Path,
) -> None:
    with Library(place) as library:
        place.unlink()
        library.open_soon()
        with pytest.raises(CatalogError, match="no catalogue here yet"):
            library.whole()


def test_what_is_stored_and_no_list_any_more_is_damage(place: Path) -> None:
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("UPDATE tracks SET mb_artists = '[\"x'")
    with Library(place) as library, pytest.raises(CatalogError, match="damaged"):
        list(library.first.unanswered((), only_blank=False))
