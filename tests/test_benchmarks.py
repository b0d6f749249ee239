"""The benchmarks on a few short files: what it promises to print, not how fast anything is."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import (
    conditions,
    evidence,
    learning,
    make_corpus,
    many_genres,
    refresh_cost,
    rescans,
    review,
    similar_cost,
    similarity,
    speed,
    synthetic_catalog,
    writes,
)
from benchmarks.measuring import Cost
from benchmarks.retrieval import interval, retrieve
from tagger.catalog import Catalog, Reader
from tagger.recommending.recommend import SimilarQuery, recommend
from tagger.recommending.seeds import from_paths
from tagger.records import Status
from tests import sounds
from tests.catalogs import assert_consistent

pytestmark = pytest.mark.slow


def test_tagger_and_decoders_are_measured_side_by_side(tmp_path: Path, model: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    sounds.make_tone(recordings / "tone.flac", duration_s=20.0)
    corpus, stem = tmp_path / "corpus", tmp_path / "speed"
    options = ["-n", "2", "--duration", "4", "--format", "mp3", "--pieces", "4"]
    made = CliRunner().invoke(make_corpus.main, [str(recordings), str(corpus), *options])
    assert made.exit_code == 0, made.output
    options = ["--few", "1", "--many", "2", "--rounds", "1", "--jobs", "1", "--model", str(model)]
    done = CliRunner().invoke(speed.main, [str(corpus), *options, "-o", str(stem)])
    assert done.exit_code == 0, done.output
    report = json.loads(stem.with_suffix(".json").read_text())
    assert {"tagger", "segments", *speed.REFERENCES} <= set(report["summaries"])
    assert "tagger tag --no-write" in stem.with_suffix(".md").read_text()
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_writes_are_counted_and_told_apart_by_how_they_were_made(tmp_path: Path) -> None:
    corpus, stem = tmp_path / "corpus", tmp_path / "writes"
    corpus.mkdir()
    for suffix in ("mp3", "flac"):
        sounds.make_tone(corpus / f"tone.{suffix}", duration_s=20.0)
    done = CliRunner().invoke(writes.main, [str(corpus), "-n", "3", "-o", str(stem)])
    assert done.exit_code == 0, done.output
    rates = json.loads(stem.with_suffix(".json").read_text())["rates"]
    assert [(rate["kind"][:4], rate["n_in_place"]) for rate in rates] == [
        ("flac", 3),
        ("flac", 0),
        ("mp3,", 3),
        ("mp3,", 0),
    ]
    assert all(rate["per_s"] > 0 for rate in rates)
    assert sorted(tmp_path.iterdir()) == [corpus, *(stem.with_suffix(s) for s in (".json", ".md"))]


def test_a_synthetic_catalogue_is_a_catalogue(tmp_path: Path) -> None:
    place = tmp_path / "catalog.db"
    synthetic_catalog.make_catalog(place, 700)
    assert_consistent(place)
    with Reader.open(place) as reader:
        seed = from_paths(reader, [synthetic_catalog.track_path(99)])
        found = recommend(reader, seed, SimilarQuery(n=700, max_per_artist=None))
    paths = {match.row.path for match in found}
    # Track 100 is a copy of track 99, the seed; of 199 and 200 one is named, and so on.
    assert len(paths) == 700 - 2 - 6
    assert synthetic_catalog.track_path(100) not in paths


def test_the_cost_of_each_command_is_told_for_each_size(tmp_path: Path) -> None:
    lines = similar_cost.commands(400)
    done = CliRunner().invoke(similar_cost.main, [str(tmp_path), "-n", "400", "--rounds", "1"])
    assert done.exit_code == 0, done.output
    assert "| 400 tracks: CPU s" in done.output
    assert all(f"| {name} | 0." in done.output for name in lines)
    once = {name: [Cost(0.25, 0.5, 0.0)] for name in lines}
    twice = {name: [Cost(1.25, 1.5, 0.0), Cost(3.25, 3.5, 0.0)] for name in lines}
    told = similar_cost.table((400, 800), [once, twice])
    assert " 400 tracks: CPU s | passed s | 800 tracks: CPU s | passed s |" in told
    cells = "0.50 (0.50) | 0.25 | 2.50 (3.50) | 2.25 |"
    assert all(f"| {name} | {cells}" in told for name in lines)


def test_the_cost_of_a_refresh_is_told(tmp_path: Path) -> None:
    options = [str(tmp_path), "-n", "600", "--rounds", "1"]
    done = CliRunner().invoke(refresh_cost.main, options)
    assert done.exit_code == 0, done.output
    assert "10 playlists of 50, 600 tracks" in done.output
    assert "- none has changed: " in done.output


def test_clips_are_heard_and_compared(tmp_path: Path, model: Path) -> None:
    for genre in ("high", "low"):
        (tmp_path / genre).mkdir()
        for i in range(2):
            sounds.make_tone(tmp_path / genre / f"{i}.flac", duration_s=4.0)
    done = CliRunner().invoke(
        similarity.main, ["clips", str(tmp_path), "--model", str(model), "--no-bliss"]
    )
    assert done.exit_code == 0, done.output
    assert f"| {similarity.OURS} | 33.3 (" in done.output  # one of three others, all alike
    assert "4 queries, 4 clips" in done.output


def test_a_perfect_similarity_finds_all_there_is_and_an_artist_is_no_answer() -> None:
    genre, artist = np.repeat([0, 1], 8), np.arange(16) // 2
    found = retrieve((genre[:, None] == genre).astype(float), genre, artist)
    np.testing.assert_allclose(found.precision, 0.6)  # six by others, of the ten asked for
    np.testing.assert_allclose(found.average_precision, 1)
    by_chance = retrieve(np.zeros((16, 16)), genre, artist)
    assert by_chance.average_precision.mean() < 0.8


def test_an_interval_is_wide_where_queries_hang_together() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 50)
    mean, low, high = interval(values, np.arange(200))
    assert mean == pytest.approx(0.5)
    assert 0.4 < low < 0.5 < high < 0.6
    _, low, high = interval(values, np.repeat(np.arange(4), 50))
    assert low < 0.2 < 0.8 < high


def test_a_re_scan_of_an_unchanged_library_is_measured(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(rescans.main, [str(tmp_path), "-n", "12", "--rounds", "1"])
    assert outcome.exit_code == 0, outcome.output
    rows = [line.split("|") for line in outcome.output.splitlines() if line.startswith("| 12 |")]
    assert [row[2].strip() for row in rows] == ["album,artist,sound", "sound"]
    assert all(float(cell) > 0 for row in rows for cell in row[3:6])
    with Catalog.open(tmp_path / "rescan-12" / "catalog.db") as catalog:
        assert catalog.runs(1)[0].summary.by_status == {Status.UNCHANGED: 12}


def test_learning_is_measured_from_few_clips_beside_other_ways(tmp_path: Path) -> None:
    """Two genres that one kind of vectors tells apart, and the other does not."""
    rng = np.random.default_rng(0)
    genre = np.repeat([0, 1], 30)
    apart = rng.normal(size=(60, 4)) + 6 * genre[:, None]
    vectors = {"apart": apart, "noise": rng.normal(size=(60, 4))}
    clips = learning.Clips(vectors, genre, np.arange(60) // 2, n_unnamed=0)
    for known, asked in learning.draws(clips, 5, seed=0):
        assert np.bincount(genre[known]).tolist() == [5, 5]
        assert not set(clips.artist[known]) & set(clips.artist[asked])
    right = {
        (what, how): [learning.measure(clips, vectors[what], way, 10, 2)]
        for what in vectors
        for how, way in learning.WAYS.items()
    }
    assert all(right["apart", how][0].mean() > 0.95 for how in learning.WAYS)
    assert all(right["noise", how][0].mean() < 0.7 for how in learning.WAYS)
    assert "| apart | our head | 100.0 ± 0.0 |" in learning.table(right, [10])
    written = {what: [learning.what_is_written(clips, vectors[what], 20, 1)] for what in vectors}
    assert written["apart"][0][0] > 0.9
    assert written["noise"] == [(0.0, 0.0)]
    assert "| noise | 0.0, wrong 0.0 |" in learning.table_of_written(written, [20])
    stored = tmp_path / "a.npz"
    np.savez(stored, path=["/elsewhere/pop/1.mp3", "/elsewhere/rock/1.mp3"], a=np.eye(2))
    found = learning.read_features(stored, [Path("rock/1.mp3"), Path("pop/1.mp3")])
    assert found.tolist() == [[0, 1], [1, 0]]


def test_without_bliss_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bliss_audio", None)
    outcome = CliRunner().invoke(similarity.main, ["clips", str(tmp_path)])
    assert outcome.exit_code == 1
    assert outcome.output == "Error: pip install bliss-audio, or say --no-bliss\n"


@pytest.fixture(scope="module")
def short_tracks(tmp_path_factory: pytest.TempPathFactory) -> conditions.Folders:
    scratch = tmp_path_factory.mktemp("conditions")
    (scratch / "Album").mkdir()
    tracks = [sounds.make_chirp(scratch / "Album" / f"{i}.mp3", 4.0 + i) for i in range(3)]
    return conditions.Folders(scratch, {"mp3": tracks})


def test_a_condition_that_writes_leaves_the_corpus_as_it_was(
    short_tracks: conditions.Folders, model: Path
) -> None:
    before = [path.read_bytes() for path in short_tracks.formats["mp3"]]
    options = ("--min-confidence", "0", "--genres", "all", "--jobs", "1", "--model", str(model))
    condition = conditions.Condition("written, cold", options=options, is_cold=True)
    measured = conditions.measure(condition, 1, 3, short_tracks, 1)
    assert (measured.n_few, measured.n_many) == (1, 3)
    assert measured.cpu_ms > 0
    assert [path.read_bytes() for path in short_tracks.formats["mp3"]] == before


def test_what_else_a_user_waits_for_is_told(short_tracks: conditions.Folders, model: Path) -> None:
    options = ("--jobs", "1", "--model", str(model))
    moments = conditions.measure_moments(short_tracks("mp3", 2), 1, *options, n_helped=1)
    assert 0 < moments["--help, s"] < moments["first result, s"]
    assert moments["a worker, MB"] > 100
    assert moments["parent, MB"] > 20
    report = {"conditions": [], "moments": moments, "machine": {}, "load": [0, 0]}
    assert "| --help, s |" in conditions.markdown(report)


def test_learning_many_genres_is_timed() -> None:
    options = ["--genres", "4", "--tracks", "12", "--second", "0.2"]
    done = CliRunner().invoke(many_genres.main, options)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("4 genres of 12 tracks: ")
    assert "GiB at the most" in done.output


def test_a_library_is_filled_by_its_own_tags_and_what_is_right_is_counted(tmp_path: Path) -> None:
    features = tmp_path / "features.npz"
    artist = np.repeat(np.arange(40), 8)
    np.savez(
        features,
        genre=(artist % 4).astype(np.int8),
        artist_id=artist,
        track_id=np.arange(len(artist)),
        labels=np.array(["Rock", "Jazz", "Folk", "Pop"]),
    )
    done = CliRunner().invoke(evidence.main, ["--features", str(features), "--seeds", "2"])
    assert done.exit_code == 0, done.output
    assert "320 tracks, 40 artists" in done.output and "seeds: 0 to 1" in done.output
    rows = [line for line in done.output.splitlines() if line.startswith("| half of the tracks")]
    assert rows[0] == "| half of the tracks blank | 95.7% | 100.0% |"


def test_answers_are_counted_until_enough_is_filled_rightly(tmp_path: Path) -> None:
    artist = np.repeat(np.arange(10), 8)  # two albums of four each
    genre = artist % 2
    genre[:8] = [0, 0, 0, 0, 1, 1, 1, 1]  # the first one's albums differ
    np.savez(
        tmp_path / "fma.npz",
        mel=np.random.default_rng(0).integers(0, 255, (80, 4, 4), dtype=np.uint8),
        labels=np.array(["Pop", "Rock"]),
        genre=genre,
        artist_id=artist,
    )
    library = review.fma_library(tmp_path / "fma.npz")
    found = {}
    for name, order in review.ORDERS.items():
        owner = review.Owner(library, 0.0, np.random.default_rng(0))
        order(owner)
        found[name] = owner.answers_for(0.9)
    # Nine artists are one answer each; that of the first is in vain, and its albums are two more,
    # which nobody needs if they come in their turn.
    assert list(found.values())[:4] == [18, 18, 11, 10]
    done = CliRunner().invoke(review.main, ["--fma", str(tmp_path / "fma.npz"), "--seeds", "1"])
    assert done.exit_code == 0, done.output
    assert "| by artist, largest first | 0% |" in done.output
