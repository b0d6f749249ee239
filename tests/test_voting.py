"""From segments to tracks and from tracks to albums."""

import warnings

import numpy as np
import pytest

from tagger.models.voting import is_clear, sigmoid, softmax, vote, vote_probabilities, vote_together


def test_a_vote_is_a_probability() -> None:
    probabilities = vote(np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32), 1.7)
    assert probabilities.shape == (8,)
    assert abs(float(probabilities.sum()) - 1.0) < 1e-5


def test_one_segment_votes_as_it_speaks() -> None:
    logits = np.array([[1.0, 2.0, -1.0]], dtype=np.float32)
    assert np.allclose(vote(logits), softmax(logits)[0])
    assert np.allclose(vote_probabilities(logits), softmax(logits)[0])


def test_a_segment_sure_of_what_it_is_not_counts_in_the_mean_of_logits() -> None:
    logits = np.array([[5.0, 3.0, 0.0], [5.0, 3.0, 0.0], [-9.0, 0.0, 0.0]], dtype=np.float32)
    assert vote(logits).argmax() == 1
    assert vote_probabilities(logits).argmax() == 0


def test_temperature_changes_confidence_but_not_the_verdict() -> None:
    logits = np.array([[3.0, 1.0]], dtype=np.float32)
    assert vote(logits, 4.0).max() < vote(logits, 1.0).max()
    assert vote(logits, 4.0).argmax() == vote(logits, 1.0).argmax()


def test_an_album_outvotes_one_odd_track() -> None:
    tracks = np.array([[0.7, 0.3], [0.8, 0.2], [0.4, 0.6]])
    assert vote_together(tracks, 1.0).argmax() == 0


def test_a_probability_of_nought_is_no_veto_beyond_measure() -> None:
    together = vote_together(np.array([[1.0, 0.0], [0.5, 0.5]]), 1.0)
    assert np.isfinite(together).all()


def test_labels_that_exclude_no_other_are_each_judged_by_themselves() -> None:
    logits = np.array([[2.0, 1.0, -3.0], [4.0, 1.0, -3.0]], np.float32)
    alone = vote(logits, exclusive=False)
    assert np.allclose(alone, 1 / (1 + np.exp([-3.0, -1.0, 3.0])))
    assert np.isfinite(sigmoid(np.array([-1e6, 1e6], np.float32))).all()


def test_an_album_of_such_labels_is_as_sure_as_its_tracks_on_average() -> None:
    tracks = np.array([[0.9, 0.2, 0.0], [0.5, 0.8, 1.0]])
    together = vote_together(tracks, 1.0, exclusive=False)
    assert np.allclose(together, [0.75, 0.5, 0.5], atol=1e-4)


@pytest.mark.parametrize(("mean", "clear"), [(1.2, True), (1.1, False)])
def test_a_lead_is_clear_beyond_twice_its_standard_error(mean: float, clear: bool) -> None:
    """Leads of mean - 1 and mean + 1, twice each: a standard deviation of the root of 4 / 3."""
    leads = np.array([mean - 1, mean + 1, mean - 1, mean + 1])
    logits = np.stack([np.full(4, -5.0), leads, np.zeros(4)], axis=1).astype(np.float32)
    assert is_clear(logits) is clear


def test_one_segment_is_never_clear_and_has_no_scatter_to_be_asked_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not is_clear(np.array([[9.0, 0.0]], np.float32))
