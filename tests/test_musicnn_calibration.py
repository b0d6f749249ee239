"""Fitting how often a label is right, on clips that are made up."""

from pathlib import Path

import numpy as np
import pytest

from tagger.errors import DatasetError
from tagger.models.card import ModelCard
from tests.library import make_track, set_tags
from tools.convert_musicnn import card_of_musicnn
from tools.labelled_clips import find_clips
from tools.musicnn_calibration import (
    FITTED,
    NEVER,
    PRECISION,
    Clips,
    Fit,
    calibrate,
    cross_fitted,
    is_borne_out,
)
from tools.musicnn_strangeness import fit_plane
from tools.musicnn_vocabulary import BROADER, GENRES, LABELS, TAGS

N = 420


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return card_of_musicnn()


def clips(spread: float = 1.0, seed: int = 0) -> Clips:
    """Each clip is of one of the fitted genres, and is heard more as that than as others."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-4, 0.3, (N, len(LABELS))).astype(np.float32)
    genre = rng.integers(0, len(FITTED), N)
    for i, label in enumerate(FITTED):
        centre = np.where(genre == i, 1.0, -2.5)
        logits[:, LABELS.index(label)] = rng.normal(centre, spread)
    genres = tuple((FITTED[i].casefold(),) for i in genre)
    embeddings = np.zeros((N, 2), np.float32)
    return Clips(logits, embeddings, genres, tuple(str(i // 4) for i in range(N)))


def chances(fit: Fit, heard: Clips, label: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    p = 1 / (1 + np.exp(-fit.logits(heard.logits)[:, LABELS.index(label)]))
    assert p.shape == (N,)
    return p


@pytest.fixture(scope="module")
def unlike(card: ModelCard) -> tuple[Clips, Fit]:
    """Clips that are heard less surely, and what is fitted to them."""
    heard = clips(spread=2.0)
    return heard, calibrate(heard, card)


@pytest.fixture(scope="module")
def by_others(card: ModelCard) -> dict[str, tuple[int, int, int]]:
    """What clips of other artists tell of each label."""
    return cross_fitted(clips(), card)


def test_probabilities_are_how_often_a_label_is_right(unlike: tuple[Clips, Fit]) -> None:
    heard, fit = unlike
    p, right = chances(fit, heard, "Rock"), heard.are("Rock")
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        some = (p >= low) & (p <= high)
        assert abs(p[some].mean() - right[some].mean()) < 0.1


def test_above_the_threshold_more_are_right_than_asked(unlike: tuple[Clips, Fit]) -> None:
    heard, fit = unlike
    assert PRECISION < fit.thresholds["Rock"] < NEVER
    above = chances(fit, heard, "Rock") >= fit.thresholds["Rock"]
    assert heard.are("Rock")[above].mean() > PRECISION


def test_what_sounds_as_much_like_another_genre_is_less_often_right(
    unlike: tuple[Clips, Fit],
) -> None:
    _, fit = unlike
    alone = np.full((1, len(LABELS)), -3.0, np.float32)
    alone[0, LABELS.index("Rock")] = 1.0
    torn = alone.copy()
    torn[0, LABELS.index("Country")] = 1.0
    rock = LABELS.index("Rock")
    assert fit.logits(torn)[0, rock] < fit.logits(alone)[0, rock] - 0.5


def test_a_label_that_tells_nothing_is_not_borne_out_by_other_artists(
    card: ModelCard, by_others: dict[str, tuple[int, int, int]]
) -> None:
    heard = clips()
    rotated = heard.genres[1:] + heard.genres[:1]
    unrelated = Clips(heard.logits, heard.embeddings, rotated, heard.artists)
    told = cross_fitted(unrelated, card)
    assert not any(is_borne_out(n_above, n_both) for _, n_above, n_both in told.values())
    assert all(is_borne_out(n_above, n_both) for _, n_above, n_both in by_others.values())


def test_what_no_clip_is_of_needs_more_than_was_ever_heard_of_it(card: ModelCard) -> None:
    heard = clips()
    heard.logits[7, LABELS.index("Soul")] = 30.0
    heard.logits[:, LABELS.index("Metal")] = -6.0
    fit = calibrate(heard, card)
    assert fit.thresholds["Soul"] == NEVER
    assert fit.thresholds["Metal"] == max(fit.thresholds[label] for label in FITTED)


def test_a_kind_of_rock_may_be_heard_in_rock(card: ModelCard) -> None:
    heard = clips()
    heard.logits[heard.are("Rock"), LABELS.index("Hard Rock")] = 30.0
    assert calibrate(heard, card).thresholds["Hard Rock"] < NEVER


def test_each_tag_has_a_label_of_its_own() -> None:
    assert len(set(LABELS)) == len(LABELS) == len(TAGS) == 50
    assert set(BROADER) | set(BROADER.values()) <= set(GENRES) <= set(LABELS)
    assert len({label.casefold() for label in LABELS}) == 50
    assert set(FITTED) <= set(GENRES) - set(BROADER)


def test_other_artists_are_counted_too(by_others: dict[str, tuple[int, int, int]]) -> None:
    heard = clips()
    n_right, n_above, n_both = by_others["Rock"]
    assert n_right == heard.are("Rock").sum()
    assert 0 < n_both <= n_above
    assert n_both / n_above > PRECISION


def test_clips_are_of_their_folder_and_their_own_tag(tmp_path: Path) -> None:
    track = make_track(tmp_path / "pop" / "a.flac", artist="Somebody")
    set_tags(track, genre="Alternative Rock")
    make_track(tmp_path / "rap" / "b.wav")
    first, second = find_clips(tmp_path)
    assert (first.labels, first.genres) == (("pop",), ("pop", "alternative rock"))
    assert (first.artist, second.artist) == ("Somebody", str(tmp_path / "rap" / "b.wav"))


def test_clips_are_of_what_the_table_says(tmp_path: Path) -> None:
    make_track(tmp_path / "x" / "MT1.flac")
    make_track(tmp_path / "y" / "MT2.flac")
    table = tmp_path / "metadata.csv"
    table.write_text(
        '"Song","Artist","GenresStr"\n"MT1","A, B","Jazz; Pop/Rock"\n"MT3","C","Rap"\n'
    )
    (clip,) = find_clips(tmp_path)
    assert (clip.path.name, clip.labels, clip.artist) == ("MT1.flac", ("jazz", "pop/rock"), "A, B")
    table.write_text("name,genre\nMT1,Jazz\n")
    with pytest.raises(DatasetError, match="no table of songs, artists and genres"):
        find_clips(tmp_path)


def test_only_what_lies_on_the_side_of_odd_sounds_is_strange() -> None:
    rng = np.random.default_rng(0)
    music = rng.normal(0, 1, (200, 8)).astype(np.float32)
    odd = (rng.normal(0, 1, (60, 8)) + np.eye(8)[0] * 6).astype(np.float32)
    elsewhere = np.eye(8)[1] * 9 - np.eye(8)[0] * 3
    other_music = (rng.normal(0, 1, (50, 8)) + elsewhere).astype(np.float32)
    novelty = fit_plane(music, odd, np.arange(200) % 5, n_labels=3)
    assert novelty.means.shape == (3, 8)
    assert novelty.is_novel(odd).mean() > 0.9
    assert novelty.is_novel(music).mean() < 0.05
    assert not novelty.is_novel(other_music).any()
