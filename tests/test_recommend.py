"""Recommendations: the nearest first, never the seed nor a recording twice, filters that filter."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import Catalog, CatalogEntry, FailedFile, ModelRecord, Reader, TrackRow, Years
from tagger.errors import CatalogError
from tagger.reasons import Reason, ReasonCode
from tagger.recommending.recommend import Match, SimilarQuery, path_between, recommend, spread
from tagger.recommending.seeds import from_artist, from_mix, from_paths
from tagger.recommending.similarity import cosine_similarity, unit_vectors
from tagger.records import Stage, Status, TagsFound, TrackFailure, TrackPrediction
from tests.catalogs import MODEL, MUSIC, begin, entry, filled


def at(
    degrees: float, name: str, artist: str = "", genre: str = "Rock", length_s: float = 240.5
) -> CatalogEntry:
    """A track whose embedding points somewhere in a plane; its length says nothing."""
    angle = np.deg2rad(degrees)
    vector = np.zeros(8, np.float32)
    vector[:2] = (2 + degrees % 3) * np.cos(angle), (2 + degrees % 3) * np.sin(angle)
    one = entry(name, tags=TagsFound((genre,), None, name, artist), genres=(genre,))
    assert one.prediction is not None
    return replace(one, prediction=replace(one.prediction, embedding=vector, duration_s=length_s))


SEED = at(0, "seed.mp3", "A")
TRACKS = [
    at(90, "across.mp3", "E", "Folk"),
    at(10, "near/a.mp3", "a"),
    at(5, "nearest.mp3", "A"),
    at(20, "near/b.mp3", "A", "Pop"),
    at(70, "far/c.mp3", "B", "Pop", 400.0),
    at(45, "far/d.mp3", "", "rock", 100.0),
]
ALL = ["nearest.mp3", "a.mp3", "b.mp3", "d.mp3", "c.mp3", "across.mp3"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalog") / "catalog.db"
    with Catalog.open(path) as opened:
        run_id = begin(opened)
        opened.record(run_id, [SEED, *TRACKS])
        silent = entry("silent.mp3", status=Status.UNSURE, reason=Reason(ReasonCode.SILENT))
        assert silent.prediction is not None
        unheard = replace(silent.prediction, embedding=None, unheard=Reason(ReasonCode.SILENT))
        opened.record(run_id, [replace(silent, prediction=unheard)])
        bad = entry("bad.mp3").file
        failure = TrackFailure(bad.path, Stage.DECODE, Reason.told("it is text"))
        opened.record_failures(run_id, [FailedFile(bad, failure)])
    return path


@pytest.fixture(scope="module")
def reader(place: Path) -> Iterator[Reader]:
    with Reader.open(place) as opened:
        yield opened


def matches(reader: Reader, *seeds: CatalogEntry, **query: object) -> list[Match]:
    seed = from_paths(reader, [one.file.path for one in seeds or (SEED,)])
    wanted = {"max_per_artist": None, **query}
    return recommend(reader, seed, SimilarQuery(**wanted))  # type: ignore[arg-type]


def names(found: list[Match]) -> list[str]:
    return [one.row.path.name for one in found]


def test_the_nearest_come_first_and_the_seed_never(reader: Reader) -> None:
    assert names(matches(reader)) == ALL


def test_similarity_is_the_cosine(reader: Reader) -> None:
    found = matches(reader)
    wanted = np.cos(np.deg2rad([5, 10, 20, 45, 70, 90]))
    # float16 keeps eleven bits of a component.
    np.testing.assert_allclose([one.similarity for one in found], wanted, atol=1e-3)


def test_likeness_does_not_depend_on_length_and_is_none_to_nothing() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 16)).astype(np.float32)
    target = unit_vectors(vectors[:1])
    np.testing.assert_allclose(
        cosine_similarity(vectors, target), cosine_similarity(7 * vectors, target), atol=1e-6
    )
    assert cosine_similarity(vectors, target)[0, 0] == pytest.approx(1, abs=1e-6)
    assert cosine_similarity(-vectors, target)[0, 0] == pytest.approx(-1, abs=1e-6)
    assert cosine_similarity(np.zeros((1, 16)), target).tolist() == [[0.0]]


def test_n_limits(reader: Reader) -> None:
    assert names(matches(reader, n=2)) == ALL[:2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"genres": ("POP",)}, ["b.mp3", "c.mp3"]),
        ({"genres": ("pop", "folk")}, ["b.mp3", "c.mp3", "across.mp3"]),
        ({"same_genre": True}, ["nearest.mp3", "a.mp3", "d.mp3"]),
        ({"under": MUSIC / "far"}, ["d.mp3", "c.mp3"]),
        ({"min_duration_s": 300.0}, ["c.mp3"]),
        ({"max_duration_s": 200.0}, ["d.mp3"]),
        ({"max_per_artist": 1}, ["nearest.mp3", "d.mp3", "c.mp3", "across.mp3"]),
    ],
)
def test_filters_filter(reader: Reader, query: dict[str, object], expected: list[str]) -> None:
    assert names(matches(reader, **query)) == expected


def test_a_match_tells_the_shared_genres_and_the_nearest_seed(reader: Reader) -> None:
    found = {one.row.path.name: one for one in matches(reader, SEED, TRACKS[0])}
    assert found["d.mp3"].shared_genres == ("rock",)
    assert found["b.mp3"].shared_genres == ()
    near = [found[name].nearest for name in ("nearest.mp3", "c.mp3")]
    assert [one and one.path.name for one in near] == ["seed.mp3", "across.mp3"]
    assert matches(reader)[0].nearest is None


def test_several_seeds_are_answered_from_their_middle(reader: Reader) -> None:
    found = matches(reader, SEED, TRACKS[0])
    assert names(found)[0] == "d.mp3"  # 45° lies halfway
    assert found[0].similarity == pytest.approx(np.cos(np.deg2rad(45)), abs=1e-3)


def test_an_artist_stands_for_all_tracks_of_that_name(reader: Reader) -> None:
    found = recommend(reader, from_artist(reader, "a"), SimilarQuery())
    assert names(found) == ["d.mp3", "c.mp3", "across.mp3"]


def test_a_mix_of_genres_lies_nearer_to_what_there_is_more_of(reader: Reader) -> None:
    folk = recommend(reader, from_mix(reader, {"folk": 9, "Rock": 1}), SimilarQuery())
    rock = recommend(reader, from_mix(reader, {"folk": 1, "Rock": 9}), SimilarQuery())
    assert names(folk)[:2] == ["across.mp3", "c.mp3"]
    assert set(names(rock)[:2]) <= {"a.mp3", "nearest.mp3", "b.mp3", "seed.mp3"}


@pytest.mark.parametrize("mix", [{"Polka": 1.0}, {"Rock": 1.0, "Polka": 1.0}])
def test_an_unknown_genre_is_answered_with_those_there_are(
    reader: Reader, mix: dict[str, float]
) -> None:
    with pytest.raises(CatalogError, match=r"'Polka'.*there are: Rock, Pop, Folk"):
        from_mix(reader, mix)


def test_an_unknown_artist_is_answered_with_similar_names(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "c.db") as catalog:
        catalog.record(begin(catalog), [at(0, "a.mp3", "The Band"), at(9, "b.mp3", "100%")])
    with Reader.open(tmp_path / "c.db") as reader:
        with pytest.raises(CatalogError, match="'Band' was heard; there are: The Band"):
            from_artist(reader, "Band")
        with pytest.raises(CatalogError, match="'%' was heard; there are: 100%"):
            from_artist(reader, "%")


def test_an_unknown_seed_is_to_be_tagged_first(reader: Reader) -> None:
    with pytest.raises(CatalogError, match="not in the catalogue; tag it first"):
        from_paths(reader, [Path("/music/unknown.mp3")])


@pytest.mark.parametrize(("name", "why"), [("silent.mp3", "silent"), ("bad.mp3", "it is text")])
def test_a_seed_without_an_embedding_says_why(reader: Reader, name: str, why: str) -> None:
    with pytest.raises(CatalogError, match=rf"\({why}\); tag it first") as caught:
        from_paths(reader, [MUSIC / name])
    assert caught.value.path == MUSIC / name


def test_what_nothing_is_left_of_is_said(reader: Reader) -> None:
    with pytest.raises(CatalogError, match="no track has the genre Polka; there are: Rock, Pop"):
        matches(reader, genres=("Polka",))
    with pytest.raises(
        CatalogError, match="no other recording that was heard is of the genre Folk, as"
    ):
        matches(reader, genres=("Folk",), max_duration_s=1.0)


def test_where_all_others_are_copies_that_is_said_and_not_that_none_was_heard(
    tmp_path: Path,
) -> None:
    copies = [at(0, f"{n}.mp3", "A") for n in range(3)]
    with Catalog.open(tmp_path / "c.db") as catalog:
        catalog.record(begin(catalog), copies)
    with Reader.open(tmp_path / "c.db") as reader:
        seed = from_paths(reader, [copies[0].file.path])
        with pytest.raises(CatalogError, match=r"compares; 2 tracks are the same recording$"):
            recommend(reader, seed, SimilarQuery())
        left_out = SimilarQuery(genres=("Rock",), without=frozenset({copies[1].file.path}))
        with pytest.raises(
            CatalogError,
            match=r"Rock; 1 track is the same recording; 1 is left out, being there already$",
        ):
            recommend(reader, seed, left_out)


@pytest.mark.parametrize(
    ("mix", "n", "shares"),
    [
        ({"Rock": 2.0, "Pop": 1.0}, 3, {"Rock": 2, "Pop": 1}),
        ({"Rock": 1.0, "Pop": 2.0}, 3, {"Rock": 1, "Pop": 2}),
        ({"Rock": 1.0, "Pop": 1.0, "Folk": 1.0}, 3, {"Rock": 1, "Pop": 1, "Folk": 1}),
        ({"Rock": 9.0, "Folk": 1.0}, 1, {"Rock": 1}),
        ({"Pop": 1.0, "Folk": 1.0}, 5, {"Pop": 2, "Folk": 1, "Rock": 2}),  # there are no more
    ],
)
def test_a_mix_of_genres_shares_the_places_out(
    reader: Reader, mix: dict[str, float], n: int, shares: dict[str, int]
) -> None:
    found = recommend(reader, from_mix(reader, mix), SimilarQuery(n=n, max_per_artist=None))
    assert Counter(match.row.genres[0].title() for match in found) == shares


def test_seeds_of_two_models_are_not_compared(tmp_path: Path) -> None:
    other = ModelRecord("gru-2", "gru", ("Pop", "Rock"), 8)
    moved = at(3, "b.mp3")
    assert moved.prediction is not None
    by_other = replace(moved, prediction=replace(moved.prediction, model_id=other.model_id))
    with Catalog.open(tmp_path / "c.db") as catalog:
        catalog.record(begin(catalog), [at(0, "a.mp3"), at(30, "d.mp3")])
        catalog.register_model(other)
        catalog.record(catalog.begin_run("tag", other.model_id), [by_other])
    with Reader.open(tmp_path / "c.db") as reader:
        assert names(recommend(reader, from_paths(reader, [MUSIC / "a.mp3"]), SimilarQuery())) == [
            "d.mp3"
        ]
        with pytest.raises(CatalogError, match="by another model only") as caught:
            from_paths(reader, [MUSIC / "a.mp3", MUSIC / "b.mp3", MUSIC / "d.mp3"])
    assert caught.value.path == MUSIC / "b.mp3"


FINER = ModelRecord("musicnn-1", "musicnn", ("Pop", "Rock"), 8)


def heard_by_both(place: Path, *, finer: list[CatalogEntry], plain: list[CatalogEntry]) -> None:
    """A catalogue in which another run was made after the finer ear's."""
    with Catalog.open(place) as catalog:
        catalog.register_model(FINER)
        run_id = catalog.begin_run("tag", FINER.model_id)
        by_finer = [
            replace(one, prediction=replace(one.prediction, model_id=FINER.model_id))
            for one in finer
            if one.prediction is not None
        ]
        catalog.record(run_id, by_finer)
        catalog.record(begin(catalog), plain)


def test_what_both_have_heard_is_compared_by_the_finer_ear(tmp_path: Path) -> None:
    place = tmp_path / "c.db"
    named = ["seed.mp3", "by_plain.mp3", "by_finer.mp3"]
    as_plain = [at(angle, name, "A") for angle, name in zip((0, 5, 60), named, strict=True)]
    as_finer = [at(angle, name, "A") for angle, name in zip((0, 60, 5), named, strict=True)]
    heard_by_both(place, finer=as_finer, plain=as_plain)
    with Reader.open(place) as reader:
        assert names(matches(reader, SEED)) == ["by_finer.mp3", "by_plain.mp3"]
        assert from_artist(reader, "A").model_id == FINER.model_id
        assert from_mix(reader, {"Rock": 1}).model_id == FINER.model_id


def test_the_model_named_compares_whatever_else_has_heard_the_tracks(tmp_path: Path) -> None:
    place = tmp_path / "c.db"
    both = [at(0, "seed.mp3", "A"), at(5, "b.mp3", "A")]
    heard_by_both(place, finer=both, plain=[*both, at(60, "c.mp3", "B")])
    with Reader.open(place) as reader:
        for seed in (
            from_paths(reader, [MUSIC / "seed.mp3"], by=MODEL.model_id),
            from_artist(reader, "A", MODEL.model_id),
            from_mix(reader, {"Rock": 1}, MODEL.model_id),
        ):
            assert seed.model_id == MODEL.model_id
        with pytest.raises(CatalogError, match=r"another model only \(cnn-1, not musicnn-1\)"):
            from_paths(reader, [MUSIC / "c.mp3"], by=FINER.model_id)
        with pytest.raises(CatalogError, match=r"heard by the model named \(musicnn-1\)"):
            from_artist(reader, "B", FINER.model_id)
        with pytest.raises(CatalogError, match="'Rock' was heard by the model named"):
            from_mix(reader, {"Rock": 1}, "another")


def test_an_artist_whose_tracks_have_all_vanished_was_not_heard(tmp_path: Path) -> None:
    with filled(tmp_path / "c.db", at(0, "a.mp3", "A"), at(5, "b.mp3", "B")) as catalog:
        catalog.mark_vanished([1])
    with Reader.open(tmp_path / "c.db") as reader, pytest.raises(CatalogError, match="no track by"):
        from_artist(reader, "A")


def test_a_finer_ear_that_has_heard_less_of_the_library_hides_nothing(tmp_path: Path) -> None:
    place = tmp_path / "c.db"
    heard_by_both(place, finer=[SEED, TRACKS[0]], plain=[SEED, *TRACKS])
    with Reader.open(place) as reader:
        assert names(matches(reader, SEED)) == ALL
        assert from_mix(reader, {"Rock": 1}).model_id == MODEL.model_id


def test_a_file_heard_just_now_is_a_seed_and_is_not_kept(place: Path) -> None:
    new = TrackPrediction(
        MUSIC / "new.mp3",
        {"Pop": 0.9, "Rock": 0.1},
        0.9,
        np.array([0, 1, 0, 0, 0, 0, 0, 0], np.float32),
        4,
        MODEL.model_id,
        200.0,
    )
    before = place.read_bytes()
    with Reader.open(place) as reader:
        seed = from_paths(reader, [new.path], {new.path: new})
        found = recommend(reader, seed, SimilarQuery(same_genre=True))
    assert names(found) == ["c.mp3", "b.mp3"]
    assert place.read_bytes() == before


# One recording is named once

Columns = dict[str, dict[str, object]]


def alike(tmp_path: Path, columns: Columns, *others: CatalogEntry) -> list[str]:
    """What is recommended to 0° from others, after columns of some files or tracks were set."""
    with Catalog.open(tmp_path / "c.db") as catalog:
        catalog.record(begin(catalog), [at(0, "seed.mp3", "S"), *others])
    with closing(sqlite3.connect(tmp_path / "c.db")) as database:
        for name, values in columns.items():
            for column, value in values.items():
                where = "files" if column in ("audio", "vanished_at") else "tracks"
                database.execute(
                    f"UPDATE {where} SET {column} = ? WHERE track_id = "
                    "(SELECT track_id FROM files WHERE name = ?)",
                    (value, name),
                )
        database.commit()
    with Reader.open(tmp_path / "c.db") as reader:
        seed = from_paths(reader, [MUSIC / "seed.mp3"])
        return names(recommend(reader, seed, SimilarQuery()))


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("audio", "mpeg:1:ab", "mpeg:1:ab"),
        (
            "mb_recording",
            "8F3471B5-7E6A-48DA-86A9-C1C07A0F47AE",
            "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae",
        ),
        ("isrc", "US-RC1-76-07839", "usrc17607839"),
    ],
)
def test_a_recording_known_by_its_id_is_named_once(
    tmp_path: Path, column: str, first: str, second: str
) -> None:
    columns: Columns = {
        "a.mp3": {column: first},
        "b.mp3": {column: second},
        "c.mp3": {column: "another"},
    }
    others = (at(20, "a.mp3", "A"), at(40, "b.mp3", "B"), at(60, "c.mp3", "C"))
    assert alike(tmp_path, columns, *others) == ["a.mp3", "c.mp3"]


def test_copies_of_the_seed_are_not_named(tmp_path: Path) -> None:
    columns: Columns = {"seed.mp3": {"audio": "x"}, "a.mp3": {"audio": "x"}}
    assert alike(tmp_path, columns, at(20, "a.mp3", "A"), at(40, "b.mp3", "B")) == ["b.mp3"]


def test_the_same_artist_title_and_length_are_one_recording(tmp_path: Path) -> None:
    columns: Columns = {
        "live.mp3": {"title": "Song"},
        "cd.mp3": {"title": "song"},
        "best of.mp3": {"title": "SONG"},
    }
    others = (
        at(20, "cd.mp3", "A", length_s=200),
        at(30, "best of.mp3", "a", length_s=202.5),
        at(40, "live.mp3", "A", length_s=230),
    )
    assert alike(tmp_path, columns, *others) == ["cd.mp3", "live.mp3"]


@pytest.mark.parametrize(("apart_s", "n_named"), [(2.9, 1), (3.0, 1), (3.1, 2)])
def test_lengths_within_three_seconds_are_alike(
    tmp_path: Path, apart_s: float, n_named: int
) -> None:
    columns: Columns = {"cd.mp3": {"title": "Song"}, "best of.mp3": {"title": "Song"}}
    others = (
        at(20, "cd.mp3", "A", length_s=200),
        at(30, "best of.mp3", "A", length_s=200 + apart_s),
    )
    assert alike(tmp_path, columns, *others) == ["cd.mp3", "best of.mp3"][:n_named]


def test_nearly_the_same_embedding_and_length_are_one_recording(tmp_path: Path) -> None:
    others = (
        at(20, "a.mp3", "A"),
        at(21, "another encoding of a.mp3", "B"),
        at(22, "longer.mp3", "C", length_s=260),
        at(2, "the seed elsewhere.mp3", "D"),
    )
    assert alike(tmp_path, {}, *others) == ["a.mp3", "longer.mp3"]


def test_what_has_vanished_is_not_named(tmp_path: Path) -> None:
    columns: Columns = {"a.mp3": {"vanished_at": "2026-01-01T00:00:00Z"}}
    assert alike(tmp_path, columns, at(20, "a.mp3", "A"), at(40, "b.mp3", "B")) == ["b.mp3"]


# From one to another


def fan(tmp_path: Path, step: int = 5) -> Path:
    tracks = [at(d, f"{d:02d}.mp3", f"Artist {d}") for d in range(0, 91, step)]
    with Catalog.open(tmp_path / "fan.db") as catalog:
        catalog.record(begin(catalog), tracks[::-1])
    return tmp_path / "fan.db"


def walk(place: Path, first: str, last: str, **query: object) -> list[str]:
    with Reader.open(place) as reader:
        ends = from_paths(reader, [MUSIC / first, MUSIC / last])
        rows = path_between(reader, ends, SimilarQuery(**query))  # type: ignore[arg-type]
    return [row.path.stem for row in rows]


def test_a_path_goes_from_one_track_to_the_other_in_even_steps(tmp_path: Path) -> None:
    place = fan(tmp_path)
    assert walk(place, "00.mp3", "90.mp3", n=7) == ["00", "15", "30", "45", "60", "75", "90"]
    assert walk(place, "90.mp3", "00.mp3", n=4) == ["90", "60", "30", "00"]
    assert walk(place, "90.mp3", "00.mp3", n=2) == ["90", "00"]


def test_a_path_names_no_track_twice_and_is_shorter_where_there_are_no_more(tmp_path: Path) -> None:
    found = walk(fan(tmp_path, step=30), "00.mp3", "90.mp3", n=12)
    assert sorted(found) == sorted(set(found))
    assert (found[0], found[-1]) == ("00", "90")
    assert set(found) == {"00", "30", "60", "90"}


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1990, None, ["b.mp3"]), (None, 1990, ["a.mp3", "b.mp3"]), (1970, 1980, ["a.mp3"])],
)
def test_only_years_asked_for_are_named(
    tmp_path: Path, first: int | None, last: int | None, expected: list[str]
) -> None:
    years = {"seed.mp3": 1975, "a.mp3": 1977, "b.mp3": 1990, "c.mp3": None}
    tracks = [at(20 * n, name, name) for n, name in enumerate(years)]
    dated = zip(tracks, years.values(), strict=True)
    filled(
        tmp_path / "c.db", *(replace(t, tags=replace(t.tags, year=year)) for t, year in dated)
    ).close()
    with Reader.open(tmp_path / "c.db") as reader:
        seed = from_paths(reader, [MUSIC / "seed.mp3"])
        found = recommend(reader, seed, SimilarQuery(years=Years(first, last)))
    assert names(found) == expected


def test_spread_keeps_an_artist_from_following_itself() -> None:
    def row(artist: str, title: str) -> TrackRow:
        tags = TagsFound(title=title, artist=artist)
        return TrackRow(1, MUSIC / title, tags, (), None, 1.0, Status.KEPT, None)

    rows = [row("A", "1"), row("a", "2"), row("", "3"), row("", "4"), row("B", "5"), row("B", "6")]
    assert [one.title for one in spread(rows)] == ["1", "3", "2", "5", "4", "6"]
    many = [row("A", "1"), row("B", "2"), row("C", "3"), row("C", "4"), row("C", "5")]
    assert [one.title for one in spread(many)] == ["3", "1", "4", "2", "5"]
    assert [one.title for one in spread(many[2:])] == ["3", "4", "5"]
