"""What is unlike all that a model knows, and what becomes of its confidence."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tagger.errors import CheckpointError
from tagger.hearing.analysis import predict_track
from tagger.learning.novelty import fit_novelty, limited
from tagger.models.checkpoint import load_checkpoint, save_checkpoint
from tagger.models.novelty import CEILING, Novelty, capped
from tagger.models.voting import vote_together
from tagger.records import FloatArray, Segments
from tests.library import make_model


def clouds(n: int = 600, dim: int = 6, seed: int = 0) -> tuple[FloatArray, np.ndarray]:
    """Embeddings of three labels, each a long, tilted cloud around a place of its own."""
    rng = np.random.default_rng(seed)
    genre = np.arange(n) % 3
    stretch = np.diag([5.0, 1.0, 1.0, 0.2, 1.0, 1.0])[:dim, :dim]
    places = np.eye(3, dim) * 10
    return (places[genre] + rng.normal(size=(n, dim)) @ stretch).astype(np.float32), genre


def test_distances_are_in_units_of_the_spread() -> None:
    embeddings, genre = clouds()
    novelty = fit_novelty(embeddings, genre, 3)
    along = novelty.distances(np.array([[5.0 + 10, 0, 0, 0, 0, 0]], np.float32))
    across = novelty.distances(np.array([[10.0, 0, 0, 5.0, 0, 0]], np.float32))
    assert along[0] < 2 and across[0] > 10


def test_one_track_in_a_hundred_is_beyond_the_limit() -> None:
    embeddings, genre = clouds()
    fresh, _ = clouds(2000, seed=1)
    novelty = limited(fit_novelty(embeddings, genre, 3), fresh)
    assert abs(novelty.is_novel(fresh).mean() - 0.01) < 0.002


def test_a_label_without_tracks_and_few_tracks_make_no_trouble() -> None:
    embeddings, genre = clouds(5)
    novelty = fit_novelty(embeddings, genre, 4)
    assert np.isfinite(novelty.distances(embeddings)).all() and novelty.limit > 0


def test_a_cap_keeps_the_order_and_the_sum() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]], np.float32)
    both = capped(probabilities, np.array([True, True]))
    assert np.isclose(both[0].max(), CEILING) and np.allclose(both.sum(axis=1), 1.0)
    assert (np.argsort(both[0]) == np.argsort(probabilities[0])).all()
    assert np.allclose(both[1], probabilities[1])


def test_of_two_labels_the_likelier_stays_so() -> None:
    assert np.allclose(capped(np.array([[0.1, 0.9]], np.float32), np.array([True])), [0.45, 0.55])
    assert np.allclose(capped(np.array([[1.0]], np.float32), np.array([True])), 1.0)


def test_an_album_of_noise_is_noise() -> None:
    odd = capped(np.array([[0.9, 0.05, 0.05]] * 4, np.float32), np.ones(4, bool))
    assert vote_together(odd, 0.5).max() <= CEILING + 1e-6
    assert vote_together(np.array([[0.6, 0.2, 0.2]] * 4, np.float32), 0.5).max() > 0.7


@pytest.mark.parametrize("is_near", [True, False])
def test_the_tagger_caps_what_is_novel(tmp_path: Path, is_near: bool) -> None:
    path = make_model(tmp_path / "m.pt")
    loaded = load_checkpoint(path)
    dim, n_labels = loaded.card.network["embedding_dim"], len(loaded.card.labels)
    limit = 1e6 if is_near else 0.0
    novelty = Novelty(np.zeros((n_labels, dim), np.float32), np.eye(dim, dtype=np.float32), limit)
    save_checkpoint(path, loaded.network, loaded.card, novelty)
    rng = np.random.default_rng(0)
    waveforms = rng.normal(0, 0.1, (2, loaded.card.n_samples)).astype(np.float32)
    segment_s = loaded.card.segment_s
    segments = Segments(waveforms, (0.0, segment_s), loaded.card.sample_rate, 2 * segment_s)
    heard = predict_track(load_checkpoint(path), tmp_path / "a.wav", lambda *_: segments)
    assert (heard.confidence > CEILING + 1e-6) == is_near


def test_a_gaussian_of_another_size_is_refused(tmp_path: Path) -> None:
    path = make_model(tmp_path / "m.pt")
    payload = torch.load(path, weights_only=True)
    payload["novelty"] = {
        "means": torch.zeros(1, 3),
        "whitening": torch.zeros(3, 3),
        "limit": torch.tensor(1.0),
    }
    torch.save(payload, path)
    with pytest.raises(CheckpointError, match="size of embedding"):
        load_checkpoint(path)
