"""The model of who names none: a head of many genres on a network that is bundled beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagger.errors import CheckpointError
from tagger.hearing import analysis
from tagger.models import choosing as cli_models
from tagger.models import files as model_files
from tagger.models.card import ModelCard
from tagger.models.checkpoint import load_checkpoint, save_card
from tagger.models.files import BUNDLED, find_model, name_of_file, networks_of, read_card
from tagger.models.head import Head
from tagger.models.verdict import said_by
from tagger.records import TrackPrediction
from tagger.tagging.albums import on_albums
from tests.library import genre_of, make_model, make_track, run_tagger

pytestmark = pytest.mark.usefixtures("in_process")

GENRES = ("Classical", "Rock")
LABELS = (*GENRES, "no music")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A network that is bundled alone, and a head on another, of which Classical is likeliest."""
    folder = tmp_path / "models"
    folder.mkdir()
    make_model(folder / "default.pt", model_id="fast-1")
    make_model(folder / "musicnn.pt", model_id="base-1")
    put_head(folder, (2.0, 0.0, 0.0))
    for module in (model_files, analysis, cli_models):
        monkeypatch.setattr(module, "BUNDLED", folder)
    _forget_loaded()
    yield folder
    _forget_loaded()


def _forget_loaded() -> None:
    analysis._card.cache_clear()
    analysis._model.cache_clear()


def put_head(folder: Path, bias: tuple[float, ...], **changes: object) -> ModelCard:
    """Write a head that says the same of everything, without weights; return its card."""
    base = read_card(folder / "musicnn.pt")
    head = Head(("base-1",), np.zeros((3, 8), np.float32), np.array(bias, np.float32), None)
    card = replace(
        base,
        model_id="wide-1",
        labels=LABELS,
        genres=GENRES,
        writable=GENRES,
        thresholds=dict.fromkeys(GENRES, 0.5),
        max_segments=8,
        album_segments=2,
        head=head,
        **changes,  # type: ignore[arg-type]
    )
    save_card(folder / "wide.pt", card)
    return card


def test_what_is_bundled_hangs_together() -> None:
    card = read_card(find_model("default"))
    assert networks_of(card, find_model("default")) == {card.bases[0]: BUNDLED / "musicnn.pt"}
    assert card.album_segments < card.max_segments
    assert set(card.writable) >= {"Rock", "Electronic", "Hip-Hop", "Jazz", "Blues", "Country"}
    assert "Classical" in card.writable
    assert load_checkpoint(find_model("default")).card == card


def test_names_in_scripts_go_on_working(models: Path) -> None:
    assert find_model("default") == models / "wide.pt"
    assert find_model("fast") == models / "default.pt"
    assert find_model("musicnn") == models / "musicnn.pt"
    assert [name_of_file(path) for path in sorted(models.glob("*.pt"))] == [
        "fast",
        "musicnn",
        "default",
    ]


@pytest.mark.usefixtures("models")
def test_a_head_without_weights_hears_with_the_network_bundled_for_it(tmp_path: Path) -> None:
    path = make_track(tmp_path / "music" / "a.flac")
    place = tmp_path / "c.db"
    ran = run_tagger("tag", path, "--catalog", place, "--format", "jsonl")
    assert ran.records[0]["genres"] == ["Classical"]
    assert ran.records[0]["model"] == "wide-1"
    assert genre_of(path) == ["Classical"]
    again = run_tagger("tag", path, "--catalog", place, "--model", "musicnn", "--dry-run")
    assert again.code == 0, again.err


def test_without_its_network_the_default_is_the_one_that_is_left_and_says_so(
    tmp_path: Path, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (models / "musicnn.pt").unlink()
    path = make_track(tmp_path / "music" / "a.flac")
    ran = run_tagger("tag", path, "--catalog", tmp_path / "c.db", "--format", "jsonl")
    assert ran.records[0]["model"] == "fast-1"
    assert "the network of the default model is not there" in caplog.text
    with pytest.raises(CheckpointError, match="it needs base-1"):
        load_checkpoint(models / "wide.pt")


@pytest.mark.usefixtures("models")
def test_of_an_albums_tracks_less_is_heard_than_of_a_track_alone(tmp_path: Path) -> None:
    for folder, n_tracks, title in (("album", 6, "One"), ("small", 5, "Two"), ("loose", 6, "")):
        for i in range(n_tracks):
            path = tmp_path / "music" / folder / f"{i}.flac"
            make_track(path, 7.0, album=title, artist="Ada")
    common = ("--dry-run", "--format", "jsonl", "--catalog", tmp_path / "c.db")
    heard = run_tagger("tag", tmp_path / "music", *common).records
    assert [n_segments_in(heard, name) for name in ("album", "small", "loose")] == [{2}, {8}, {8}]
    heard = run_tagger("tag", tmp_path / "music", "--by", "track", *common).records
    assert n_segments_in(heard, "album") == {8}


@pytest.mark.usefixtures("models")
def test_how_much_is_heard_of_a_track_does_not_depend_on_what_a_run_covers(tmp_path: Path) -> None:
    album, place = tmp_path / "music" / "album", tmp_path / "c.db"
    tracks = [make_track(album / f"{i}.flac", 7.0, album="One", artist="Ada") for i in range(6)]
    common = ("--format", "jsonl", "--catalog", place)
    for portion in (tracks[:1], tracks[1:3], [album]):
        heard = run_tagger("tag", *portion, *common).records
        assert n_segments_in(heard, "album") == {2}


def test_a_folder_of_very_many_tracks_is_not_searched_for_albums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.tagging.albums._MOST_BESIDE", 6)
    tracks = [make_track(tmp_path / f"{i}.flac", album="One", artist="Ada") for i in range(6)]
    assert on_albums(tracks[:2], 6) == set(tracks[:2])
    (tmp_path / "7.mp3").write_bytes(b"")
    assert on_albums(tracks[:2], 6) == set()


def n_segments_in(records: list[dict[str, Any]], folder: str) -> set[int]:
    """How many segments were heard of a folder's tracks."""
    return {one["n_segments"] for one in records if Path(one["path"]).parent.name == folder}


def test_what_is_no_music_gets_no_genre_and_has_no_say_in_its_album(
    tmp_path: Path, models: Path
) -> None:
    card = put_head(models, (0.0, 1.0, 2.0))
    assert card.head is not None
    path = make_track(tmp_path / "music" / "a.flac")
    base = analysis.analyse_file(path, models / "musicnn.pt")
    assert isinstance(base, TrackPrediction)
    said = said_by(card, [base])
    assert said.is_novel, "and so votes with no other track"
    assert (
        said.confidence
        == pytest.approx(said.probabilities["Rock"])
        == pytest.approx(0.245, abs=1e-3)
    )
    ran = run_tagger("tag", path, "--format", "jsonl", "--catalog", tmp_path / "c.db")
    assert ran.statuses == {"a.flac": "unsure"}
    asked = ("--min-confidence", "0", "--genres", "all")
    ran = run_tagger("tag", path, *asked, "--format", "jsonl", "--catalog", tmp_path / "d.db")
    assert ran.records[0]["reason_code"] == "strange"
    assert genre_of(path) == []


def test_the_head_of_a_card_is_read_as_it_was_written(models: Path) -> None:
    card = read_card(models / "wide.pt")
    assert card.head is not None
    assert card.head.novelty is None
    assert card == put_head(models, (2.0, 0.0, 0.0))
    shutil.copy(models / "wide.pt", models / "mine.pt")
    assert read_card(models / "mine.pt").head == card.head
