"""Listing, information and counts: filters, order, and letters of any script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tagger.catalog import Catalog, CatalogEntry, FailedFile, SortKey, TrackQuery
from tagger.reasons import Reason
from tagger.records import Stage, Status, TagsFound, TrackFailure
from tests.catalogs import MODEL, MUSIC, Location, audio_file, begin, entry
from tests.conftest import make_location


def track(name: str, title: str, artist: str, genre: str, **changes: object) -> CatalogEntry:
    tags = TagsFound((genre,), None, title, artist, "Album", "")
    return replace(entry(name, tags=tags, genres=(genre,)), **changes)  # type: ignore[arg-type]


TRACKS = [
    track("Björk/a.mp3", "Jóga", "Björk", "Pop", confidence=0.9),
    track("Сплин/b.mp3", "Выхода нет", "Сплин", "Rock", confidence=0.6),
    track("100%/c_d.mp3", "ode", "100%_Silk", "Rock", confidence=0.8, status=Status.UNCHANGED),
    # Somebody tagged it Jazz; the tagger hears Rock.
    track("Kept/e.mp3", "Zawinul", "joe zawinul", "Jazz", status=Status.KEPT, genres=("Rock",)),
    # Nothing stands in the file; the tagger's guess was not written.
    entry(
        "Bjork/f.mp3",
        tags=TagsFound(title="Ähnlich"),
        genres=("Pop",),
        confidence=0.7,
        status=Status.PREDICTED,
    ),
]
BAD = audio_file("bad.mp3")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def catalog(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Catalog]:
    with Catalog.open(make_location(request, tmp_path_factory.mktemp("catalog"))) as opened:
        run_id = begin(opened)
        opened.record(run_id, TRACKS)
        failure = TrackFailure(BAD.path, Stage.DECODE, Reason.told("it is text"))
        opened.record_failures(run_id, [FailedFile(BAD, failure)])
        yield opened


def titles(catalog: Catalog, **query: object) -> list[str]:
    return [row.title for row in catalog.tracks(TrackQuery(**query))]  # type: ignore[arg-type]


def test_all_tracks_and_failures_are_listed_by_path(catalog: Catalog) -> None:
    rows = list(catalog.tracks())
    assert [row.path for row in rows] == sorted([one.file.path for one in TRACKS] + [BAD.path])


def test_a_failed_file_is_listed_with_its_reason(catalog: Catalog) -> None:
    (row,) = catalog.tracks(TrackQuery(status=Status.FAILED))
    assert (row.path, row.reason, row.genres, row.confidence) == (
        BAD.path,
        Reason.told("it is text"),
        (),
        None,
    )


def test_the_genre_in_the_file_comes_before_the_taggers(catalog: Catalog) -> None:
    (kept,) = catalog.tracks(TrackQuery(status=Status.KEPT))
    assert (kept.genres, kept.confidence) == (("Jazz",), None)
    (guess,) = catalog.tracks(TrackQuery(status=Status.PREDICTED))
    assert (guess.genres, guess.confidence) == (("Pop",), 0.7)


def test_blank_is_what_bears_no_genre_in_its_file_whatever_was_heard(catalog: Catalog) -> None:
    blank = catalog.tracks(TrackQuery(is_blank=True))
    assert [row.path for row in blank] == [one.file.path for one in TRACKS if not one.tags.genres]


def test_genres_are_found_whatever_their_case(catalog: Catalog) -> None:
    assert titles(catalog, genre="ROCK", sort=SortKey.TITLE) == ["ode", "Выхода нет"]
    assert titles(catalog, genre="jazz") == ["Zawinul"]
    assert titles(catalog, genre="Roc") == []


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("BJÖRK", ["Jóga"]),
        ("bjo\u0308", ["Jóga"]),  # an o and a combining diaeresis, as macOS writes it
        ("ПЛИ", ["Выхода нет"]),
        ("%", ["ode"]),
        ("%_", ["ode"]),
        ("_", ["ode"]),
        ("Joe", ["Zawinul"]),
        ("nobody", []),
    ],
)
def test_part_of_an_artist_is_found_whatever_its_case_and_script(
    catalog: Catalog, part: str, found: list[str]
) -> None:
    assert titles(catalog, artist=part) == found


def test_an_album_artist_is_found_too(location: Location) -> None:
    with Catalog.open(location) as catalog:
        tags = TagsFound(artist="Guest", album_artist="Host")
        catalog.record(begin(catalog), [entry("a.mp3", tags=tags)])
        assert len(titles(catalog, artist="host")) == 1
        assert len(titles(catalog, artist="guesthost")) == 0


def test_only_guesses_that_are_sure_enough_pass_min_confidence(catalog: Catalog) -> None:
    assert titles(catalog, min_confidence=0.8, sort=SortKey.CONFIDENCE) == ["Jóga", "ode"]


@pytest.mark.parametrize(
    ("folder", "n"),
    [
        (MUSIC, 6),
        (Path("/"), 6),
        (Path("/mus"), 0),
        (Path("/musical"), 0),
        (MUSIC / "Björk", 1),
        (MUSIC / "100%", 1),
        (MUSIC / "100%" / "c_d.mp3", 1),
        (MUSIC / "Kept" / ".." / "Kept", 1),
        (MUSIC / "Kep", 0),
    ],
)
def test_under_lists_a_folder_and_no_neighbour(catalog: Catalog, folder: Path, n: int) -> None:
    assert len(titles(catalog, under=folder)) == n


def test_under_covers_several_roots(location: Location) -> None:
    with Catalog.open(location) as catalog:
        run_id = begin(catalog)
        for root in ("/m/Rock/Live", "/m/Rock", "/m/Pop", "/n"):
            catalog.record(run_id, [entry("a.mp3", root=Path(root))])
        assert len(titles(catalog, under=Path("/m"))) == 3
        assert len(titles(catalog, under=Path("/m/Rock"))) == 2


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        (SortKey.TITLE, "Jóga", ""),
        (SortKey.ARTIST, "Ähnlich", ""),
        (SortKey.CONFIDENCE, "Jóga", ""),
        (SortKey.GENRE, "Zawinul", ""),
        (SortKey.STATUS, "", "Выхода нет"),
    ],
)
def test_a_listing_is_sorted(catalog: Catalog, sort: SortKey, first: str, last: str) -> None:
    listed = titles(catalog, sort=sort)
    assert (listed[0], listed[-1]) == (first, last)


@pytest.mark.parametrize("sort", SortKey)
def test_every_order_lists_everything_once(catalog: Catalog, sort: SortKey) -> None:
    assert len(titles(catalog, sort=sort)) == 6


def test_a_limit_ends_a_listing(catalog: Catalog) -> None:
    assert len(titles(catalog, limit=2)) == 2
    assert titles(catalog, limit=0) == []


def test_information_on_a_track_names_what_was_heard_and_when(catalog: Catalog) -> None:
    info = catalog.info(TRACKS[3].file.path)
    assert info is not None
    assert info.tags == TRACKS[3].tags
    assert info.probabilities == {MODEL.model_id: {"Pop": 0.25, "Rock": 0.75}}
    assert info.embedded_by == (MODEL.model_id,)
    assert [run.command for run in info.runs] == ["tag /music"]


def test_information_on_a_failed_file_names_the_run(catalog: Catalog) -> None:
    info = catalog.info(BAD.path)
    assert info is not None
    assert info.row.status is Status.FAILED
    assert len(info.runs) == 1


def test_nothing_is_known_of_an_unknown_file(catalog: Catalog) -> None:
    assert catalog.info(MUSIC / "unknown.mp3") is None
    assert catalog.info(Path("/elsewhere.mp3")) is None


def test_counts_add_up(catalog: Catalog) -> None:
    counts = catalog.counts()
    assert (counts.n_tracks, counts.n_failures) == (5, 1)
    assert sum(counts.by_status.values()) == 6
    assert counts.by_genre == {"Pop": 2, "Rock": 2, "Jazz": 1}


def test_a_folder_holds_what_lies_in_it_and_no_neighbour_with_a_longer_name(
    location: Location,
) -> None:
    names = ["a/one.mp3", "a/0/two.mp3", "a.mp3", "a/", "a0", "a0/three.mp3", "a-b/four.mp3"]
    with Catalog.open(location) as catalog:
        catalog.record(
            begin(catalog), [entry(name, n) for n, name in enumerate(names) if name[-1] != "/"]
        )
        found = catalog.tracks(TrackQuery(under=MUSIC / "a"))
        assert [str(row.path.relative_to(MUSIC)) for row in found] == ["a/0/two.mp3", "a/one.mp3"]
