"""Learning a person's genres: honest scores, clean labels, doubts, and blanks filled that way."""

from __future__ import annotations

import io
import json
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

from tagger.card import read_card
from tagger.catalog import Catalog, CatalogEntry
from tagger.checkpoint import load_checkpoint
from tagger.cli.progress import count_meanwhile
from tagger.errors import LearnError
from tagger.genre_text import why_no_genre
from tagger.learning.fitting import (
    Examples,
    fit_linear,
    fit_scale,
    learn,
    to_probabilities,
)
from tagger.learning.genres import clean, key_of
from tagger.learning.judging import judge
from tagger.pipeline import TagRun
from tagger.records import TagsFound
from tagger.teaching import doubts, gather, teach
from tests.catalogs import MODEL, entry, filled, prediction
from tests.library import (
    genre_of,
    make_model,
    make_track,
    make_tracks,
    request_for,
    run_tagger,
    set_tags,
)
from tests.sounds import tone, write_sound

pytestmark = pytest.mark.usefixtures("in_process")


def blobs(
    n_artists: int, names: int = 3, *, spread: float = 0.7, seed: int = 0, dim: int = 8
) -> Examples:
    """Tracks around a centre for each genre, four an artist."""
    rng = np.random.default_rng(seed)
    centres = np.eye(dim)[:names] * 3
    first = np.repeat(np.arange(n_artists) % names, 4)
    own = np.repeat(rng.normal(0, spread, (n_artists, dim)), 4, axis=0)
    vectors = (centres[first] + own + rng.normal(0, spread, own.shape)).astype(np.float32)
    truth = np.eye(names, dtype=np.bool_)[first]
    return Examples(vectors, truth, first, np.repeat(np.arange(n_artists), 4))


NAMES = ("Bebop", "Trip-Hop", "Tango")


# What is learned, and what is said of it


def test_genres_that_sound_apart_are_learned() -> None:
    examples = blobs(60)
    learned = learn(examples, NAMES, "base-1")
    report = judge(examples, learned, NAMES)
    assert learned.exclusive
    assert report.accuracy > 0.9
    assert report.by_chance == pytest.approx(1 / 3)
    assert all(learned.thresholds[name] < 1 for name in NAMES)
    assert (learned.head.logits(examples.embeddings).argmax(axis=1) == examples.first).mean() > 0.9


def test_noise_is_not_learned_and_nothing_of_it_may_be_written() -> None:
    examples = blobs(60)
    noise = np.random.default_rng(1).normal(size=examples.embeddings.shape).astype(np.float32)
    examples = replace(examples, embeddings=noise)
    learned = learn(examples, NAMES, "base-1")
    assert judge(examples, learned, NAMES).accuracy < 0.5
    assert all(threshold > 0.9 for threshold in learned.thresholds.values())


def test_the_score_is_of_artists_not_learned_from() -> None:
    """Artists with a sound each and genres by chance: known again by heart, and not by rule."""
    rng = np.random.default_rng(0)
    own = np.repeat(rng.normal(0, 3, (40, 64)), 6, axis=0)
    first = np.repeat(rng.integers(0, 2, 40), 6)
    vectors = (own + rng.normal(0, 0.1, own.shape)).astype(np.float32)
    truth, artists = np.eye(2, dtype=np.bool_)[first], np.repeat(np.arange(40), 6)
    scores = []
    for groups in (np.arange(240), artists):
        examples = Examples(vectors, truth, first, groups)
        scores.append(judge(examples, learn(examples, NAMES[:2], "base-1"), NAMES[:2]).accuracy)
    by_track, by_artist = scores
    assert by_track > 0.9
    assert by_artist < 0.7


def test_confidence_is_how_often_it_is_right() -> None:
    examples = blobs(300, spread=1.6)
    p = learn(examples, NAMES, "base-1").probabilities
    right = p.argmax(axis=1) == examples.first
    assert 0.5 < right.mean() < 0.9
    assert abs(p.max(axis=1).mean() - right.mean()) < 0.04


def test_a_rare_genre_is_not_drowned_by_a_common_one() -> None:
    examples = blobs(90)
    kept = np.flatnonzero((examples.first != 2) | (examples.groups < 30))
    rare = examples.take(kept)
    learned = learn(rare, NAMES, "base-1")
    of_rare = next(g for g in judge(rare, learned, NAMES).genres if g.genre == "Tango")
    assert of_rare.n_tracks == 40
    assert of_rare.recall > 0.8


def test_several_genres_a_track_are_learned_side_by_side() -> None:
    examples = blobs(90, spread=0.4)
    both = examples.truth.copy()
    vectors = examples.embeddings.copy()
    both[::2, 2] = True
    vectors[::2, 2] += 3
    several = replace(examples, truth=both, embeddings=vectors)
    learned = learn(several, NAMES, "base-1")
    # Also that a track has it beside a likelier one counts as found.
    assert min(genre.recall for genre in judge(several, learned, NAMES).genres) > 0.9
    assert not learned.exclusive
    said = to_probabilities(learned.head.logits(vectors), exclusive=False) > 0.5
    assert (said == both).mean() > 0.95


def test_a_genre_that_hardly_ever_comes_first_is_never_written() -> None:
    """Beside one that all have, chance alone decides whether the once that it does is right."""
    examples = blobs(60, 2)
    rng = np.random.default_rng(1)
    truth = np.column_stack([examples.truth, rng.random(len(examples)) < 0.3])
    learned = learn(replace(examples, truth=truth), NAMES, "base-1")
    assert learned.thresholds["Tango"] > 1
    assert learned.thresholds["Bebop"] < 1


def test_a_scale_mends_logits_that_are_too_sure_and_of_another_mix() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)).astype(np.float32)
    chances = to_probabilities(logits + np.array([1, 0, -1], np.float32), exclusive=True)
    drawn = np.array([rng.choice(3, p=p / p.sum()) for p in chances.astype(float)])
    scale = fit_scale(logits * 4, np.eye(3, dtype=np.bool_)[drawn], exclusive=True)
    assert scale.slope == pytest.approx(0.25, abs=0.03)
    assert scale.shifts - scale.shifts.mean() == pytest.approx([1, 0, -1], abs=0.15)


@pytest.mark.parametrize("min_tracks", [2, 3])
def test_few_artists_and_tracks_of_a_genre_can_be_judged(min_tracks: int) -> None:
    """A fold may hold all artists of a genre, and half of the artists may have one genre alone."""
    n_genres = 60 // min_tracks
    first = np.repeat(np.arange(n_genres), min_tracks)
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    for groups in (np.arange(60) % 3, np.arange(60), first % 4):
        examples = Examples(vectors, np.eye(n_genres, dtype=np.bool_)[first], first, groups)
        names = [f"Genre {n}" for n in range(n_genres)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report = judge(examples, learn(examples, names, "base-1"), names)
        assert report.n_artists == len(np.unique(groups))


def test_two_genres_of_which_an_artist_plays_one_can_be_judged() -> None:
    examples = blobs(4, 2)
    report = judge(examples, learn(examples, NAMES[:2], "base-1"), NAMES[:2])
    assert report.n_artists == 4


def test_a_genre_that_all_have_is_said_of_all() -> None:
    examples = blobs(60)
    truth = examples.truth.copy()
    truth[:, 0] = True
    weight, bias = fit_linear(replace(examples, truth=truth), exclusive=False)
    assert (examples.embeddings @ weight.T + bias)[:, 0].min() > 5


def test_what_is_written_is_right_three_times_of_four_on_artists_never_heard() -> None:
    """Over libraries of forty artists: some is written, and of all of it enough is right."""
    n_written, n_right, n_libraries = 0, 0, 12
    for seed in range(n_libraries):
        everybody = blobs(240, spread=1.2, seed=seed)
        known, others = (
            everybody.take(everybody.groups < 40),
            everybody.take(everybody.groups >= 40),
        )
        learned = learn(known, NAMES, "base-1")
        p = to_probabilities(learned.head.logits(others.embeddings), exclusive=True)
        said = p.argmax(axis=1)
        least = np.array([learned.thresholds[name] for name in NAMES])[said]
        written = p.max(axis=1) >= least
        n_written += int(written.sum())
        n_right += int((said == others.first)[written].sum())
    assert n_right / n_written > 0.75
    assert n_written > 0.15 * 800 * n_libraries


# Labels


@pytest.mark.parametrize(
    ("written", "names", "out"),
    [
        ([["Hip-Hop"]] * 9 + [["hip hop"]] * 5, ("Hip-Hop",), ["hip hop"]),
        ([["House"]] * 12 + [["Deep House"]] * 3, ("House",), ["Deep House"]),
        ([["Rock"]] * 12 + [["Other"]] * 12, ("Rock",), ["Other"]),
        ([["Rock"]] * 12 + [["Pop"]] * 11 + [["Rock/Pop"]] * 3, ("Rock", "Pop"), ["Rock/Pop"]),
        ([["AC/DC-like"]] * 12, ("AC/DC-like",), []),
        ([["финский танго"]] * 8 + [["Финский Танго"]] * 4, ("финский танго",), ["Финский Танго"]),
        ([["Classical"]] * 12 + [["Classical/Live"]] * 3, ("Classical",), ["Classical/Live"]),
        ([["Classical"]] * 12 + [["Clasical"]] * 3, ("Classical",), ["Clasical"]),
        ([["サントラ"]] * 12 + [["Bebop"]] * 2, ("サントラ",), ["Bebop"]),
        ([["गीत"]] * 12 + [["गत"]] * 11, ("गीत", "गत"), []),  # apart by a vowel sign alone
        ([["🎸"]] * 12 + [["🎹❤️"]] * 11 + [["❤️"]] * 10, ("🎸", "🎹❤️", "❤️"), []),
        ([["Le\u0301ger"]] * 12 + [["Le\u0301ger "]] * 2, ("Léger",), ["Le\u0301ger "]),
        ([["\ufeffFunk"]] * 12, ("Funk",), ["\ufeffFunk"]),
        ([["Rock"]] * 9 + [["(17)Rock"]] * 3, ("Rock",), ["(17)Rock"]),
        ([["Rock"]] * 12 + [["Pop"]] * 11 + [["Rock\nPop"]], ("Rock", "Pop"), ["Rock\nPop"]),
        ([["Rock\nPop"]] * 12, ("Rock Pop",), ["Rock\nPop"]),
        ([["Drum & Bass"]] * 12 + [["R&B/Soul"]] * 11, ("Drum & Bass", "R&B/Soul"), []),
        ([["Rock"]] * 12 + [["(17)"]] * 5 + [["  "]] * 4, ("Rock",), ["(17)", "  "]),
        ([["Rock"]] * 12 + [["N/A"]] * 13 + [["no genre"]], ("Rock",), ["N/A", "no genre"]),
        ([["X" * 300]] * 12, ("X" * 300,), []),
    ],
)
def test_genres_are_cleaned_and_each_change_is_told(
    written: list[list[str]], names: tuple[str, ...], out: list[str]
) -> None:
    found = clean(written, [str(n % 5) for n in range(len(written))])
    assert found.names == names
    assert [change.written for change in found.changes] == out


@pytest.mark.parametrize(
    ("rare", "taken", "why"),
    [
        ("Classical/Live", ("Classical",), "several in one"),
        ("Classical; Музыка", ("Classical",), "several in one"),
        ("clasical", ("Classical",), "rare; looks misspelt"),
        ("Calssical", ("Classical",), "rare; looks misspelt"),
        ("Late Classical", ("Classical",), "rare; a kind of Classical"),
        ("1980s Hits", (), "too few tracks or artists to be learned"),
        ("Bop", (), "too few tracks or artists to be learned"),
    ],
)
def test_what_a_rare_genre_is_taken_for_is_told(
    rare: str, taken: tuple[str, ...], why: str
) -> None:
    common = ["Classical", "Pop", "1970s Hits"] * 12
    found = clean([[genre] for genre in (*common, rare)], [str(n % 5) for n in range(37)])
    assert [(c.written, c.taken, c.why) for c in found.changes] == [(rare, taken, why)]


def test_every_genre_that_is_learned_can_stand_in_a_tag() -> None:
    odd = ["\ufeffFunk", "a\0b", "Rock\r\nRoll", " Dub ", "\x1b[31mFado", "\ud800Fado"]
    found = clean([[genre] for genre in odd * 10], [str(n % 5) for n in range(60)])
    assert len(found.names) >= 5
    assert [why_no_genre(name) for name in found.names] == [""] * len(found.names)


def test_a_common_genre_with_a_slash_stays_whole_where_its_parts_stand_nowhere_alone() -> None:
    found = clean([["Folk/Country"]] * 20 + [["Folk"]] * 15, [str(n % 5) for n in range(35)])
    assert found.names == ("Folk/Country", "Folk")
    assert found.changes == ()


def test_a_genre_of_one_artist_is_not_learned() -> None:
    found = clean([["Rock"]] * 30 + [["Dub"]] * 30, ["a", "b", "c"] * 10 + ["d"] * 30)
    assert found.names == ("Rock",)
    assert found.changes[0].why == "too few tracks or artists to be learned"


def test_a_thousand_genres_are_cleaned_in_no_time() -> None:
    tracks = [[f"Genre {n}", f"genre-{n}"] for n in range(1000) for _ in range(10)]
    found = clean(tracks, [str(n) for n in range(len(tracks))])
    assert len(found.names) == 1000
    assert key_of("Genre 7") == "genre7"


# From a catalogue


def tagged(
    name: str, number: int, genre: str, artist: str, audio: str | None = None
) -> CatalogEntry:
    tags = TagsFound((genre,), None, f"Title {number}", artist)
    return entry(name, number, tags=tags, genres=(), audio=audio)


def library(place: Path, *, wrong: int = 0) -> Catalog:
    """Ninety tracks of two genres that sound apart; the first ones bear the other's name."""
    rng = np.random.default_rng(0)
    found = []
    for n in range(90):
        is_dub = n % 2 == 0
        genre = "Dub" if is_dub != (n < wrong) else "Fado"
        one = tagged(f"{n:03d}.mp3", n, genre, f"Artist {n // 4}")
        vector = rng.normal(0, 0.5, MODEL.embedding_dim).astype(np.float32)
        vector[0] += 3 if is_dub else -3
        heard = replace(prediction(one.file.path, n), embedding=vector)
        found.append(replace(one, prediction=heard))
    return filled(place, *found)


def test_mistagged_tracks_are_found(place: Path) -> None:
    with library(place, wrong=3) as catalog:
        lesson = gather(catalog, MODEL.model_id, [])
    found = doubts(lesson)
    assert {doubt.path.name for doubt in found[:3]} == {"000.mp3", "001.mp3", "002.mp3"}
    assert all(doubt.likelihood < doubt.confidence for doubt in found)
    assert found[0].suggestion in ("Dub", "Fado")


def test_our_own_genres_and_copies_are_left_aside(place: Path) -> None:
    with library(place) as catalog:
        run_id = catalog.begin_run("tag", MODEL.model_id)
        ours = entry("ours.mp3", 500)
        copy = [tagged(f"copy{n}.mp3", 600 + n, "Dub", "Twin", audio="1-aa") for n in range(3)]
        catalog.record(run_id, [ours, *copy])
        lesson = gather(catalog, MODEL.model_id, [])
    assert (lesson.n_ours, lesson.n_copies) == (1, 2)
    assert len(lesson.tracks) == 91


@pytest.mark.parametrize("n", [0, 1, 30])
def test_too_little_is_refused_with_what_there_is(place: Path, n: int) -> None:
    some = [tagged(f"{i}.mp3", i, "Dub", f"Artist {i}") for i in range(n)]
    with filled(place, *some) as catalog, pytest.raises(LearnError, match="too little") as caught:
        gather(catalog, MODEL.model_id, [])
    assert f"{n} tracks bear a genre" in str(caught.value)


def test_contradictory_tags_are_told_as_such(place: Path) -> None:
    with library(place) as catalog:
        lesson = gather(catalog, MODEL.model_id, [])
    rng = np.random.default_rng(5)
    first = rng.permutation(lesson.examples.first)
    examples = replace(lesson.examples, first=first, truth=np.eye(2, dtype=np.bool_)[first])
    card = replace(read_card(Path("tagger/models/default.pt").absolute()), model_id=MODEL.model_id)
    made, _, report = teach(replace(lesson, examples=examples), card, "mine")
    assert report.accuracy < 0.65
    assert made.writable == ()


# As a user does it


def test_a_library_teaches_and_its_blanks_are_filled_from_what_was_heard(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base = make_model(tmp_path / "base.pt")
    for n in range(48):
        is_loud = n % 2 == 0
        path = make_track(music / f"{n:02d}.flac", 1.6, gain=0.6 if is_loud else 0.02)
        genre = "Gabber" if is_loud else "Fado"
        set_tags(path, genre=genre, artist=f"{genre} {n // 2 % 12}")
    blank = make_track(music / "blank.flac", 1.6, gain=0.6)
    mine = tmp_path / "mine.pt"
    common = ("--catalog", place, "--jobs", "1")
    told = run_tagger("learn", music, "--model", base, "-o", mine, "--format", "json", *common)
    assert told.code == 0, told.err
    report = json.loads(told.out)
    assert [genre["genre"] for genre in report["genres"]] == ["Fado", "Gabber"]
    card = read_card(mine)
    assert (card.labels, card.head is not None) == (("Fado", "Gabber"), True)
    assert load_checkpoint(mine).card == card
    assert genre_of(blank) == []
    filled_now = run_tagger(
        "tag",
        music,
        "--model",
        mine,
        "--min-confidence",
        "0",
        "--genres",
        "all",
        "--format",
        "jsonl",
        *common,
    )
    record = filled_now.by_name["blank.flac"]
    assert record["status"] == "written"
    assert genre_of(blank) == record["genres"]
    with Catalog.open(place) as catalog:
        run = catalog.runs(1)[0]
    assert run.model_id == card.model_id


def test_what_is_derived_is_what_the_model_hears_itself(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base = make_model(tmp_path / "base.pt")
    for n in range(44):
        path = music / f"{n:02d}.flac"
        write_sound(path, tone(1.6, 44_100, 100 * 1.1**n), 44_100)  # from deep to shrill
        set_tags(path, genre=("Gabber", "Fado")[n % 2], artist=f"Artist {n}")
    mine = tmp_path / "mine.pt"
    run_tagger("learn", music, "--model", base, "-o", mine, "--catalog", place)
    common = ("--model", mine, "--format", "jsonl", "--no-write")
    derived = run_tagger("tag", music, "--catalog", place, *common)
    heard = run_tagger("tag", music, "--catalog", tmp_path / "other.db", *common)
    # A network that was never trained tells sounds apart by little more than the half precision of
    # the embeddings in a catalogue.
    for name, record in heard.by_name.items():
        assert derived.by_name[name]["probabilities"] == pytest.approx(
            record["probabilities"], abs=0.05
        )


def test_a_model_of_the_catalogues_own_is_used_from_then_on(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base = make_model(tmp_path / "base.pt")
    for n in range(44):
        path = make_track(music / f"{n:02d}.flac", 1.6)
        set_tags(path, genre=("Gabber", "Fado")[n % 2], artist=f"Artist {n}")
    mine = tmp_path / "mine.pt"
    run_tagger("learn", music, "--model", base, "-o", mine, "--default", "--catalog", place)
    outcome = run_tagger("tag", music, "--catalog", place, "--format", "jsonl", "--no-write")
    assert {record["model"] for record in outcome.records} == {read_card(mine).model_id}


@pytest.fixture
def taught(
    music: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Path]]:
    """A library, and the data folder that a model with its genres was learned into."""
    monkeypatch.setattr("tagger.cli.learn.BUNDLED", tmp_path)
    monkeypatch.setattr("tagger.cli.models.BUNDLED", tmp_path)
    monkeypatch.setattr("tagger.card.BUNDLED", tmp_path)
    for module in ("tagger.cli.learn", "tagger.cli.models"):
        monkeypatch.setattr(f"{module}.models_folder", lambda: tmp_path / "models")
    make_model(tmp_path / "default.pt")
    for n in range(44):
        path = make_track(music / f"{n:02d}.flac", 1.6)
        set_tags(path, genre=("Gabber", "Fado")[n % 2], artist=f"Artist {n}")
    told = run_tagger("learn", music, "--default", "--catalog", place)
    assert told.code == 0, told.err
    yield music, tmp_path / "models" / "mine.pt"


def test_a_file_outside_is_heard_by_the_model_that_the_catalogue_compares_by(
    taught: tuple[Path, Path], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the one that has heard all; by the catalogue's own once that has; never by a stranger."""
    music, mine = taught
    monkeypatch.setattr("tagger.cli.seeding.BUNDLED", tmp_path)
    monkeypatch.setattr("tagger.cli.seeding.models_folder", lambda: tmp_path / "models")
    (tmp_path / "default.pt").rename(tmp_path / "wide.pt")
    make_model(tmp_path / "default.pt", favourite="Folk")
    new = make_track(tmp_path / "new.flac", 1.6)
    common = ("similar", new, "--catalog", place)
    told = run_tagger(*common)
    assert told.code == 0 and told.out, told.err
    run_tagger("tag", music, "--catalog", place)
    (tmp_path / "wide.pt").unlink()
    told = run_tagger(*common)
    assert told.code == 0 and told.out, told.err
    mine.unlink()
    told = run_tagger(*common)
    assert (told.code, told.out) == (2, "")
    assert "whose file is not at hand; name it with --model" in told.err


def test_a_learned_model_is_named_shortly(taught: tuple[Path, Path], place: Path) -> None:
    music, mine = taught
    outcome = run_tagger("learn", music, "--catalog", place.with_name("other.db"))
    assert outcome.err.endswith("use it with tagger tag --model mine\n")
    by_name = ("--model", "mine", "--dry-run", "--format", "jsonl", "--catalog", place)
    assert {r["model"] for r in run_tagger("tag", music, *by_name).records} == {
        read_card(mine).model_id
    }
    wrong = run_tagger("tag", music, "--model", "yours", "--catalog", place)
    assert wrong.err == "error: yours: there is no such model; there are: default, mine\n"


def test_info_tells_of_the_catalogues_own_model(taught: tuple[Path, Path], place: Path) -> None:
    outcome = run_tagger("info", "--catalog", place, "--format", "jsonl")
    assert json.loads(outcome.out)["model"]["labels"] == ["Fado", "Gabber"]


def test_a_model_of_the_catalogues_own_that_is_gone_is_told(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, mine = taught
    mine.unlink()
    for command in (("tag", music), ("info",)):
        outcome = run_tagger(*command, "--catalog", place)
        assert outcome.code == 2
        assert "this catalogue's own model is gone; make it anew" in outcome.err
    assert run_tagger("tag", music, "--model", "default", "--catalog", place).code == 0


def test_what_learned_itself_teaches_by_the_network_below_it(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, mine = taught
    before = read_card(mine)
    outcome = run_tagger("learn", music, "--model", "mine", "--catalog", place)
    assert outcome.code == 0, outcome.err
    assert read_card(mine) == before
    assert run_tagger("doubtful", "--model", "mine", "--catalog", place).code == 0


def test_what_a_learned_model_says_of_each_track_is_recorded(
    taught: tuple[Path, Path], place: Path
) -> None:
    """Also where that changes nothing of what is decided: else similar would know but some."""
    music, mine = taught
    for _ in range(2):
        run_tagger("tag", music, "--catalog", place)
    with closing(sqlite3.connect(place)) as database:
        counts = dict(
            database.execute("SELECT model_id, count(*) FROM predictions GROUP BY model_id")
        )
    assert counts[read_card(mine).model_id] == 44


def test_the_bar_of_a_run_learns_how_much_there_is_to_hear(
    music: Path, place: Path, model: Path
) -> None:
    make_tracks(music, 3)
    with Catalog.open(place) as catalog, tqdm(file=io.StringIO()) as bar:
        count_meanwhile(TagRun(request_for(model, music), catalog), bar).join()
    assert bar.total == 3


def test_what_a_learned_model_heard_first_is_not_heard_again_by_its_base(
    taught: tuple[Path, Path], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, mine = taught
    new = make_track(music / "new.flac", 1.6)
    set_tags(new, genre="Fado", artist="Somebody new")
    run_tagger("tag", music, "--catalog", place)
    base = read_card(mine).provenance["learned_on"]
    rows = run_tagger("catalog", "export", "--format", "jsonl", "--catalog", place).by_name
    assert rows["new.flac"]["model"] == read_card(mine).model_id

    def no_more(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("it is heard again")

    monkeypatch.setattr("tagger.analysis.predict", no_more)
    assert "learned from 45 tracks" in run_tagger("learn", music, "--catalog", place).out
    with Catalog.open(place) as catalog:
        assert len(catalog.embeddings(base).track_ids) == 45


def test_a_run_that_hears_for_learning_is_called_so(taught: tuple[Path, Path], place: Path) -> None:
    assert (
        run_tagger("runs", "--catalog", place, "--format", "jsonl").records[0]["command"] == "learn"
    )


def test_what_takes_the_place_of_the_catalogues_own_model_is_its_own_from_then_on(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, mine = taught
    set_tags(music / "00.flac", genre="Fado", artist="Artist 0")
    outcome = run_tagger("learn", music, "--catalog", place)
    assert outcome.err.endswith("tagger tag uses it with this catalogue from now on\n")
    with closing(sqlite3.connect(place)) as database:
        own = database.execute("SELECT model_id FROM models WHERE default_since IS NOT NULL")
        assert (read_card(mine).model_id,) in own.fetchall()


def test_where_nothing_can_be_saved_nothing_is_listened_to(
    music: Path, place: Path, tmp_path: Path
) -> None:
    make_track(music / "1.flac", 1.6)
    for target in (tmp_path / "nowhere" / "x.pt", music):
        outcome = run_tagger("learn", music, "-o", target, "--catalog", place)
        assert outcome.code == 2
        assert str(target.parent) in outcome.err
    assert not place.exists()


def test_a_file_that_failed_is_named_and_the_rest_is_learned_from(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, _ = taught
    (music / "broken.flac").write_bytes(b"no sound")
    outcome = run_tagger("learn", music, "--catalog", place)
    assert outcome.code == 1
    assert "broken.flac" in outcome.err
    assert "learned from 44 tracks" in outcome.out


def test_doubtful_names_the_folder_that_is_not_known(place: Path, tmp_path: Path) -> None:
    library(place).close()
    outcome = run_tagger("doubtful", tmp_path / "other", "--catalog", place)
    assert f"heard yet in {tmp_path / 'other'}; run" in outcome.err


def test_what_is_never_written_is_explained(taught: tuple[Path, Path], place: Path) -> None:
    music, _ = taught
    outcome = run_tagger("learn", music, "--dry-run", "--catalog", place)
    assert "never\n" in outcome.out
    assert "--genres all --min-confidence 0.8 writes it all the same" in outcome.out


def test_whether_more_tracks_would_help_is_told(taught: tuple[Path, Path], place: Path) -> None:
    """Of two genres that sound the same nothing can be said."""
    common = ("learn", taught[0], "--dry-run", "--catalog", place)
    told = run_tagger(*common).out
    assert told.endswith("whether more tracks would help cannot be said: Fado, Gabber\n")
    report = json.loads(run_tagger(*common, "--format", "json").out)
    assert {genre["outlook"]["verdict"] for genre in report["genres"]} == {"unknown"}


def test_a_dry_run_of_learn_touches_nothing(place: Path, tmp_path: Path) -> None:
    library(place).close()
    before = place.read_bytes()
    outcome = run_tagger("learn", "/music", "--dry-run", "--catalog", place)
    assert outcome.code == 2  # nothing there was heard by a bundled network
    assert "too little to learn from" in outcome.err
    assert place.read_bytes() == before
    assert list(tmp_path.iterdir()) == [place]


def test_doubtful_needs_no_network_at_hand(place: Path) -> None:
    library(place, wrong=3).close()
    outcome = run_tagger("doubtful", "-n", "1", "--catalog", place)
    assert outcome.code == 0
    assert "sounds like" in outcome.out
    assert outcome.err.startswith("90 tracks judged, ")


def test_doubtful_without_anything_heard_says_what_to_do(place: Path) -> None:
    filled(place).close()
    outcome = run_tagger("doubtful", "--catalog", place)
    assert outcome.code == 2
    assert "run tagger learn" in outcome.err
