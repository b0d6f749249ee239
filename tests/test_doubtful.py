"""Tracks whose genre looks wrong: by the owner's own tags, with no learning, and by sound."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.catalog import Action, Catalog, CatalogEntry, GivenAnswer
from tagger.evidence.library import Library
from tagger.evidence.outliers import Lone, lone_tracks
from tagger.evidence.trials import TAKEN, Class, Kind, Rate, Rates, Rest, measure
from tagger.evidence.weighing import weigh
from tagger.evidence.witnesses import Witnesses, about
from tagger.learning.doubting import Doubtful, Heard, find_doubtful, heard_by
from tagger.records import TagsFound
from tests.catalogs import MODEL, entry, filled, prediction
from tests.library import run_tagger

NOTHING_MEASURED = Rates({}, {})
pytestmark = pytest.mark.usefixtures("in_process", "one_thread")

Song = tuple[str, str, str]  # artist, album, genre


def library_of(songs: Sequence[Song], blank: Sequence[str] = ()) -> Library:
    witnesses = Witnesses(blank)
    for n, (artist, album, genre) in enumerate(songs):
        tags = TagsFound((genre,), None, f"Title {n}", artist, album)
        witnesses.add(n, about(Path(f"/m/{artist}/{album}/{n}.flac"), tags), (genre,))
    return witnesses.library()


def album(*genres: str, artist: str = "A", on: str = "One") -> list[Song]:
    return [(artist, on, genre) for genre in genres]


def alone(*songs: Song, rates: Rates = NOTHING_MEASURED) -> list[Lone]:
    return lone_tracks(library_of(songs), rates)


def test_a_track_stands_alone_against_its_album() -> None:
    (one,) = alone(*album("Rock", "Rock", "Jazz", "Rock"))
    assert one == Lone((2,), Kind.ALBUM, ("Rock",), TAKEN, n_agreeing=3, n_recordings=3)


def test_the_only_track_of_an_album_stands_alone_against_its_artist() -> None:
    songs = [*album("Rock", "Rock", on="Two"), *album("Jazz")]
    assert [(one.places, one.kind, one.n_agreeing) for one in alone(*songs)] == [
        ((2,), Kind.ARTIST, 2)
    ]


def test_an_album_of_one_mind_is_no_exception_to_be_doubted() -> None:
    assert alone(*album("Rock", "Rock", "Rock", on="Two"), *album("Jazz", "Jazz")) == []


def test_of_two_tracks_that_differ_neither_stands_alone() -> None:
    sure = Rates({Class(kind, 1, rest): Rate(0.95, 1, 99, 9) for kind in Kind for rest in Rest}, {})
    assert alone(*album("Rock", "Jazz"), rates=sure) == []
    assert alone(*album("Rock"), *album("Jazz", on="Two"), rates=sure) == []


SONGS = st.lists(
    st.tuples(
        st.sampled_from("AB"), st.sampled_from(["One", "Two", "Three"]), st.sampled_from("xyz")
    ),
    max_size=14,
)


@given(SONGS)
def test_who_stands_alone_is_what_asking_the_others_one_by_one_gives(songs: list[Song]) -> None:
    found = {(one.places[0], one.kind, one.genres, one.n_agreeing) for one in alone(*songs)}
    assert found == set(naively_alone(songs))


def naively_alone(songs: list[Song]) -> Iterator[tuple[int, Kind, tuple[str, ...], int]]:
    library = library_of(songs)
    for n, (artist, on, genre) in enumerate(songs):
        beside = [g for m, (a, o, g) in enumerate(songs) if (a, o) == (artist, on) and m != n]
        elsewhere = [g for a, o, g in songs if a == artist and o != on]
        rest, kind = (beside, Kind.ALBUM) if beside else (elsewhere, Kind.ARTIST)
        said, n_saying = Counter(rest).most_common(1)[0] if rest else ("", 0)
        is_said = 2 * n_saying > len(rest) and said != genre and n_saying >= 2
        if not is_said or 4 * rest.count(genre) > n_saying:
            continue
        tags = TagsFound((), None, "", artist, on)
        told = weigh(
            about(Path(f"/m/{artist}/{on}/{n}.flac"), tags), library.without([n]), NOTHING_MEASURED
        )
        if told is not None and told.confidence > 0.5:
            yield n, kind, (said,), n_saying


def test_halves_of_an_album_do_not_stand_alone() -> None:
    """Without it each track of one half is outvoted by the other."""
    assert alone(*album("Rock", "Rock", "Rock", "Jazz", "Jazz", "Jazz")) == []
    assert alone(*album("Rock", "Rock", "Rock", "Jazz", "Jazz")) == []
    two = alone(*album(*["Rock"] * 4, "Jazz", "Jazz"))
    assert [one.places for one in two] == [(4,), (5,)]


def test_copies_of_a_recording_are_one_that_stands_alone() -> None:
    witnesses = Witnesses()
    for n, (title, genre) in enumerate([("a", "Rock"), ("b", "Rock"), ("c", "Dub"), ("c", "Dub")]):
        tags = TagsFound((genre,), None, title, "A", "One")
        witnesses.add(n, about(Path(f"/m/{n}.flac"), tags), (genre,))
    (one,) = lone_tracks(witnesses.library(), NOTHING_MEASURED)
    assert one.places == (2, 3)


def test_in_a_library_without_order_nothing_stands_alone() -> None:
    """Where albums are of several minds by nature, one more says nothing."""
    songs = [
        (f"Artist {n}", "One", genre)
        for n in range(30)
        for genre in ("Rock", "Rock", *("ABCDEFGHIJ"[(n + k) % 10] for k in range(3)))
    ]
    library = library_of(songs)
    assert lone_tracks(library, NOTHING_MEASURED) == []  # two of five are no majority
    mixed = library_of([(a, "One", g) for a in map(str, range(30)) for g in ("R", "R", a)])
    rates = measure(mixed)
    assert lone_tracks(mixed, NOTHING_MEASURED) != []
    assert lone_tracks(mixed, rates) == []


def test_a_library_without_any_tag_has_none() -> None:
    assert alone() == []


# In one list with what sound says

HERE = Lone((1,), Kind.ALBUM, ("Rock",), 0.9, 3, 3)


def doubt(rest: Lone | None, heard: Heard | None) -> Doubtful:
    return Doubtful(1, 1, Path("/m/1.flac"), ("Dub",), rest, heard)


def test_sound_makes_a_doubt_surer_or_less_sure() -> None:
    rock, dub = Heard("Rock", 0.8, 0.1, is_doubt=True), Heard("Dub", 0.8, 0.8, is_doubt=False)
    jazz = Heard("Jazz", 0.8, None, is_doubt=False)
    by_both, by_tags = doubt(HERE, rock), doubt(HERE, None)
    by_sound, against = doubt(None, rock), doubt(HERE, dub)
    assert by_both.sureness == pytest.approx(1 - 0.1 * 0.3)
    assert by_tags.sureness == doubt(HERE, jazz).sureness == 0.9
    assert by_sound.sureness == pytest.approx(0.7)
    assert against.sureness == pytest.approx(0.9 * 0.2)


def track(n: int, genre: str, *, on: str = "One", rock: float = 0.5) -> CatalogEntry:
    tags = TagsFound((genre,), None, f"Title {n}", "Artist", on)
    one = entry(f"{on}/{n}.mp3", n, tags=tags, genres=())
    return replace(one, prediction=prediction(one.file.path, n, rock=rock))


def test_doubts_come_from_the_catalogue_without_a_network_or_learning(place: Path) -> None:
    songs = [track(0, "Dub"), track(1, "Dub"), track(2, "Polka"), track(3, "Dub")]
    with filled(place, *songs, entry("One/ours.mp3", 9)) as catalog:
        found = find_doubtful(catalog)
        elsewhere = find_doubtful(catalog, [Path("/music/Two")])
        (named,) = (one for one in catalog.unanswered((), only_blank=False) if one.path.stem == "2")
        kept = find_doubtful(catalog, kept={named.track_id: ("Polka",)})
        other = find_doubtful(catalog, kept={named.track_id: ("Dub",)})
        blank = find_doubtful(catalog, treat_as_blank=["Polka"])
    assert (found.n_judged, found.n_lone, found.n_by_sound) == (4, 1, 0)
    (one,) = found.found
    assert (one.path, one.genres) == (Path("/music/One/2.mp3"), ("Polka",))
    assert (one.file_id, one.track_id) == (named.file_id, named.track_id)
    assert one.rest is not None and (one.rest.genres, one.rest.n_agreeing) == (("Dub",), 3)
    assert elsewhere.n_judged == 0
    assert kept.found == blank.found == ()
    assert other.found == found.found


def test_an_album_is_asked_also_where_only_one_of_its_files_is_looked_at(place: Path) -> None:
    with filled(place, *(track(n, g) for n, g in enumerate(["Dub", "Dub", "Polka"]))) as catalog:
        found = find_doubtful(catalog, [Path("/music/One/2.mp3")])
    assert (found.n_judged, found.n_lone) == (1, 1)


def test_what_a_model_heard_doubts_only_genres_that_it_knows(place: Path, model: Path) -> None:
    from tagger.models.files import read_card

    card = replace(
        read_card(model),
        model_id=MODEL.model_id,
        labels=("Pop", "Rock"),
        writable=("Rock",),
        thresholds={"Pop": 2.0, "Rock": 0.9},
    )
    songs = [
        track(0, "Pop", on="A", rock=0.95),
        track(1, "Pop", on="B", rock=0.85),  # not sure enough to be written
        track(2, "Polka", on="C", rock=0.95),  # the model does not know it
        track(3, "rock", on="D", rock=0.95),
        track(4, "Rock", on="E", rock=0.01),  # Pop is never written
    ]
    with filled(place, *songs) as catalog:
        found = find_doubtful(catalog, sound=heard_by(catalog, [card]))
    assert [one.path.stem for one in found.found if one.heard and one.heard.is_doubt] == ["0"]
    (one,) = (one for one in found.found if one.path.stem == "0")
    assert one.heard is not None
    assert one.heard.suggestion == "Rock"
    assert one.heard.likelihood == pytest.approx(0.05)


# The command


@pytest.fixture
def known(place: Path) -> Path:
    genres = ["Dub", "Dub", "Polka", "Dub"]
    with filled(place, *(track(n, genre) for n, genre in enumerate(genres))):
        return place


def test_the_command_needs_nothing_learned(known: Path) -> None:
    outcome = run_tagger("doubtful", "--catalog", known)
    assert (outcome.code, outcome.err) == (
        0,
        "4 tracks judged, 1 stand alone, 0 sound like another genre\n"
        "next:\n"
        f"  goes through them in your browser: tagger review --doubtful --catalog {known}\n",
    )
    assert outcome.out == "Polka             its album is Dub (3 of 3 others)  /music/One/2.mp3\n"


def test_the_command_tells_programs_the_same(known: Path) -> None:
    (record,) = run_tagger("doubtful", "--catalog", known, "--format", "jsonl").records
    assert (record["path"], record["genres"]) == ("/music/One/2.mp3", ["Polka"])
    assert (record["against"], record["rest"]) == ("album", ["Dub"])
    assert (record["n_agreeing"], record["n_others"]) == (3, 3)
    assert record["rest_confidence"] == record["sureness"] == TAKEN
    table = run_tagger("doubtful", "--catalog", known, "--format", "csv").out
    (row,) = csv.DictReader(io.StringIO(table))
    assert (row["path"], row["against"], row["rest"]) == ("/music/One/2.mp3", "album", "Dub")


def test_what_was_answered_to_be_right_is_doubted_no_more(known: Path) -> None:
    with Catalog.open(known) as catalog:
        (named,) = (
            one.named for one in catalog.unanswered((), only_blank=False) if one.path.stem == "2"
        )
        run_id = catalog.begin_run("review", None)
        catalog.give_answer(run_id, GivenAnswer(Action.KEEP, "", ("Polka",), (named,)))
    assert run_tagger("doubtful", "--catalog", known).out == ""


def test_without_a_genre_of_the_owners_it_says_what_to_do(place: Path, tmp_path: Path) -> None:
    filled(place).close()
    outcome = run_tagger("doubtful", tmp_path / "a\nb", "--catalog", place)
    assert outcome.code == 2
    assert "no track with a genre of yours is known yet in" in outcome.err
    assert "run tagger tag --no-write" in outcome.err
