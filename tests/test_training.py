"""The training side: that it learns, resumes, splits honestly and refuses nonsense."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tagger.errors import CheckpointError, ConfigError, DatasetError
from tagger.models.checkpoint import load_checkpoint
from tagger.networks import ARCHITECTURES, NetworkConfig
from tagger.networks.frontend import FrontEndConfig
from tagger.records import FloatArray
from tests.synthetic import LABELS, write_features
from training.augment import AugmentConfig, SpecAugment, lose_highs, mixup
from training.batches import Lesson
from training.config import FitConfig, make_config
from training.crossfit import Material, cross_fit
from training.dataset import (
    FeatureFile,
    Split,
    clean,
    folds_at_random,
    folds_by_artist,
    load_features,
    split_by_artist,
)
from training.evaluation import as_text, evaluate_checkpoint
from training.features import clip_to_row, crop, even_starts
from training.fma import LABELS as FMA_LABELS
from training.loop import fit
from training.recipe import fitted_to, make_checkpoint
from training.teacher import load_embedding, make_teacher

pytestmark = pytest.mark.slow

TINY = FitConfig(
    n_threads=1,
    epochs=8,
    batch_size=32,
    learning_rate=1e-2,
    average_decay=0.8,
    max_segments=2,
    network=NetworkConfig(channels=(4, 8, 8, 8), gru_size=8, embedding_dim=8, dropout=0.0),
    front_end=FrontEndConfig(n_frames=16),
    augment=AugmentConfig(freq_mask=6, time_mask=2, n_masks=1, mixup_alpha=0.1),
)


@pytest.fixture
def features_path(tmp_path: Path) -> Path:
    return write_features(tmp_path / "features.npz")


def lesson_of(features: FeatureFile) -> Lesson:
    return Lesson(features, split_by_artist(features, seed=1))


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_every_architecture_learns_a_simple_task(architecture: str, features_path: Path) -> None:
    output = features_path.with_name("model.pt")
    make_checkpoint(features_path, output, replace(TINY, architecture=architecture))
    report = evaluate_checkpoint(output, features_path, split="test")
    assert report["accuracy"] > 0.9


def test_a_resumed_run_equals_one_that_never_stopped(features_path: Path, tmp_path: Path) -> None:
    lesson = lesson_of(load_features(features_path))
    config = replace(TINY, network=replace(TINY.network, n_labels=3, dropout=0.2), epochs=3)
    whole, history = fit(lesson, config)

    class KilledError(Exception):
        pass

    def kill(line: object) -> None:
        if getattr(line, "epoch", 0) == 1:
            raise KilledError

    state = tmp_path / "state"
    with pytest.raises(KilledError):
        fit(lesson, config, state_path=state, on_epoch=kill)
    resumed, resumed_history = fit(lesson, config, state_path=state)
    assert [h.loss for h in resumed_history] == [h.loss for h in history]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_run_with_other_settings_is_not_resumed(features_path: Path, tmp_path: Path) -> None:
    lesson = lesson_of(load_features(features_path))
    config = replace(TINY, network=replace(TINY.network, n_labels=3), epochs=1)
    fit(lesson, config, state_path=tmp_path / "state")
    with pytest.raises(CheckpointError, match="other settings"):
        fit(lesson, replace(config, seed=2), state_path=tmp_path / "state")
    fewer = replace(lesson.split, training=lesson.split.training[:-1])
    with pytest.raises(CheckpointError, match="or tracks"):
        fit(replace(lesson, split=fewer), config, state_path=tmp_path / "state")


def test_no_artist_stands_on_two_sides(features_path: Path) -> None:
    features = load_features(features_path)
    split = split_by_artist(features, seed=3)
    sides = [set(features.artist_id[r]) for r in (split.training, split.validation, split.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert len(split.training) + len(split.validation) + len(split.test) == len(features)


def test_a_split_that_shares_an_artist_is_refused() -> None:
    rows = [np.array([i]) for i in range(3)]
    with pytest.raises(DatasetError, match="artist 7"):
        Split(*rows).check_disjoint(np.array([7, 8, 7]))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"mel": None}, "lacks the arrays mel"),
        ({"labels": None}, "lacks the arrays labels"),
        ({"mel": np.zeros((240, 128, 64), np.uint8)}, "mel must be"),
        ({"mel": np.full((240, 128, 128), np.nan, np.float32)}, "mel must be"),
        ({"genre": np.full(240, 9, np.int8)}, "genre must lie"),
        ({"genre": np.zeros(7, np.int8)}, "genre must be"),
        ({"labels": np.array(["Folk", "Folk", "Rock"])}, "distinct"),
        ({"track_id": np.ones(240, np.int32)}, "stands twice"),
    ],
)
def test_a_feature_file_that_makes_no_sense_is_refused(
    tmp_path: Path, broken: dict[str, Any], said: str
) -> None:
    path = write_features(tmp_path / "f.npz", **broken)
    with pytest.raises(DatasetError, match=said):
        load_features(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_feature_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.npz").write_bytes(content)
    with pytest.raises(DatasetError):
        load_features(tmp_path / "f.npz")


def test_one_genre_or_one_artist_is_nothing_to_learn_from(tmp_path: Path) -> None:
    one_artist = load_features(
        write_features(tmp_path / "a.npz", artist_id=np.ones(240, dtype=np.int32))
    )
    with pytest.raises(DatasetError, match="too few"):
        split_by_artist(one_artist, seed=0)
    one_genre = load_features(write_features(tmp_path / "g.npz", genre=np.zeros(240, np.int8)))
    with pytest.raises(DatasetError, match="nothing to learn"):
        split_by_artist(one_genre, seed=0)


def test_identical_clips_are_kept_once_and_contradictory_ones_not_at_all(tmp_path: Path) -> None:
    features = load_features(write_features(tmp_path / "f.npz"))
    mel = features.mel.copy()
    mel[3] = mel[0]  # the same genre, 0 and 3 being artists of genre 0
    mel[2] = mel[1]  # genres 1 and 2
    kept = clean(replace(features, mel=mel)).track_id
    assert 1000 in kept
    assert not {1001, 1002, 1003} & set(kept.tolist())


def test_labels_are_matched_by_name_never_by_position(features_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.pt"
    make_checkpoint(features_path, output, TINY)
    straight = evaluate_checkpoint(output, features_path)
    features = load_features(features_path)
    permuted = write_features(
        tmp_path / "permuted.npz",
        labels=np.array([LABELS[i] for i in (2, 0, 1)]),
        genre=np.array([1, 2, 0])[features.genre],
    )
    assert evaluate_checkpoint(output, permuted)["confusion"] == straight["confusion"]
    foreign = write_features(tmp_path / "foreign.npz", labels=np.array(["Folk", "Rock", "Polka"]))
    with pytest.raises(DatasetError, match="Polka"):
        evaluate_checkpoint(output, foreign)


def test_the_report_has_every_promised_field(features_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.pt"
    make_checkpoint(features_path, output, TINY)
    report = json.loads(json.dumps(evaluate_checkpoint(output, features_path)))
    promised = {
        *("n_tracks", "accuracy", "accuracy_ci95", "macro_f1", "ece", "thresholds", "coverage"),
        *("selective_accuracy", "per_genre", "confusion", "segment_accuracy"),
        *("grouped_accuracy", "grouped_coverage", "grouped_selective_accuracy"),
        *("accuracy_per_artist", "coverage_curve", "mixes", "reliability"),
        *("debiased_ece", "debiased_ece_if_perfect"),
    }
    assert promised <= report.keys()
    assert set(report["per_genre"]["Folk"]) == {"precision", "recall", "f1", "n"}
    low, high = report["accuracy_ci95"]
    assert low <= report["accuracy"] <= high
    assert report["n_tracks_of_trained_artists"] > 0
    text = as_text(report)
    assert "CAUTION" in text
    assert f"mean of artists     {report['accuracy_per_artist']:.1%}" in text
    assert "mostly rock" in text and "the surest" in text


def test_without_artists_there_are_no_grouped_figures(features_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.pt"
    make_checkpoint(features_path, output, TINY)
    nameless = write_features(tmp_path / "nameless.npz", artist_id=None)
    assert "grouped_accuracy" not in evaluate_checkpoint(output, nameless)


def test_a_checkpoint_tells_how_it_was_made(features_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.pt"
    card = make_checkpoint(features_path, output, TINY)
    provenance = load_checkpoint(output).card.provenance
    assert provenance["seed"] == TINY.seed
    assert provenance["scores"]["test"]["n_tracks"] == len(provenance["test_tracks"])
    assert card.labels == LABELS
    text = output.with_suffix(".md").read_text(encoding="utf-8")
    assert card.model_id in text and "knows 3 labels and no others" in text
    assert "Free Music Archive" not in text  # these are not its tracks
    assert output.with_suffix(".csv").read_text().count("\n") == TINY.epochs + 1


def test_a_collection_is_what_the_file_says_and_not_what_its_labels_are(tmp_path: Path) -> None:
    known_bad = np.arange(240, dtype=np.int32) + 98565
    theirs = write_features(
        tmp_path / "a.npz", track_id=known_bad, collection=np.array("FMA Small")
    )
    card = make_checkpoint(theirs, tmp_path / "model.pt", TINY)
    assert "Folk" in card.labels and "Folk" not in card.writable
    assert "Free Music Archive" in (tmp_path / "model.md").read_text(encoding="utf-8")
    assert len(clean(load_features(theirs))) == 240 - 3
    labels = np.array(FMA_LABELS)
    own = write_features(
        tmp_path / "b.npz", track_id=known_bad, labels=labels, collection=np.array("")
    )
    assert not load_features(own).is_fma
    assert len(clean(load_features(own))) == 240
    assert load_features(write_features(tmp_path / "c.npz", labels=labels)).is_fma


def test_a_card_without_artists_does_not_claim_them(tmp_path: Path) -> None:
    nameless = write_features(tmp_path / "nameless.npz", artist_id=None)
    make_checkpoint(nameless, tmp_path / "model.pt", TINY)
    text = (tmp_path / "model.md").read_text(encoding="utf-8")
    assert "On artists never trained on" not in text
    assert "an artist may stand on both sides" in text.replace("\n", " ")


def test_the_teacher_shapes_the_embedding(features_path: Path, tmp_path: Path) -> None:
    features = load_features(features_path)
    teacher_path = tmp_path / "teacher.npz"
    embedding = np.eye(3, dtype=np.float32)[features.genre] * 50
    np.savez(teacher_path, embedding=embedding, track_id=features.track_id[::-1].copy())
    with pytest.raises(DatasetError, match="lacks"):
        load_embedding(teacher_path, np.array([5]))
    np.savez(teacher_path, embedding=embedding, track_id=features.track_id)
    lesson = lesson_of(features)
    teacher = make_teacher(
        load_embedding(teacher_path, features.track_id), features, lesson.split.training
    )
    config = replace(TINY, network=replace(TINY.network, n_labels=3), epochs=4)
    _, history = fit(replace(lesson, teacher=teacher), config)
    assert history[-1].loss < history[0].loss * 0.7


@pytest.mark.parametrize(
    ("embedding", "said"),
    [
        (np.zeros((240, 2, 2), np.float32), "must be"),
        (np.full((240, 2), np.nan, np.float32), "no number"),
        (np.zeros((7, 2), np.float32), "must be"),
    ],
)
def test_a_teacher_file_that_makes_no_sense_is_refused(
    features_path: Path, tmp_path: Path, embedding: FloatArray, said: str
) -> None:
    track_id = load_features(features_path).track_id
    np.savez(tmp_path / "teacher.npz", embedding=embedding, track_id=track_id)
    with pytest.raises(DatasetError, match=said):
        load_embedding(tmp_path / "teacher.npz", track_id)


def test_soft_labels_know_nothing_of_the_tracks_held_out(features_path: Path) -> None:
    features = load_features(features_path)
    rng = np.random.default_rng(0)
    embedding = np.eye(3, dtype=np.float32)[features.genre]
    embedding += rng.normal(0, 0.5, embedding.shape).astype(np.float32)
    rows = split_by_artist(features, seed=1).training
    taught = make_teacher(embedding, features, rows)
    permuted = features.genre.copy()
    held_out = np.setdiff1d(np.arange(len(features)), rows)
    permuted[held_out] = (permuted[held_out] + 1) % 3
    again = make_teacher(embedding, replace(features, genre=permuted), rows)
    assert np.array_equal(taught.soft_labels, again.soft_labels)
    assert not taught.soft_labels[held_out].any()
    assert np.allclose(taught.soft_labels[rows].sum(axis=1), 1.0, atol=1e-5)
    assert (taught.soft_labels[rows].argmax(axis=1) == features.genre[rows]).mean() > 0.7


def test_a_track_has_no_part_in_its_own_soft_label(features_path: Path) -> None:
    features = load_features(features_path)
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(len(features), 4)).astype(np.float32)  # says nothing of genres
    rows = np.arange(len(features))
    soft = make_teacher(embedding, features, rows).soft_labels
    assert (soft.argmax(axis=1) == features.genre).mean() < 0.45


def test_folds_hold_each_track_once_and_no_artist_twice(features_path: Path) -> None:
    features = load_features(features_path)
    folds = folds_by_artist(features, 5, seed=2)
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(features)))
    sides = [set(features.artist_id[rows].tolist()) for rows in folds]
    assert all(not a & b for i, a in enumerate(sides) for b in sides[i + 1 :])
    shared = [
        set(features.artist_id[rows].tolist()) for rows in folds_at_random(features, 5, seed=2)
    ]
    assert shared[0] & shared[1]


def test_odd_sounds_are_taught_to_be_any_label(features_path: Path) -> None:
    lesson = lesson_of(load_features(features_path))
    odd = np.zeros((20, 128, 128), np.uint8)
    odd[:, 80:100] = 200  # in the band of a genre, but without all that sounds beside it
    config = replace(TINY, network=replace(TINY.network, n_labels=3), n_odd=16, odd_weight=2.0)
    largest = []
    for rows in (None, odd):
        network, _ = fit(replace(lesson, odd_rows=rows), config)
        starts = torch.zeros(20, dtype=torch.long)
        with torch.inference_mode():
            logits = network(crop(torch.from_numpy(odd), starts, TINY.front_end)).logits
        largest.append(float(torch.softmax(logits, 1).amax(1).mean()))
    plain, exposed = largest
    assert exposed - 1 / 3 < 0.6 * (plain - 1 / 3)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_every_schedule_learns_and_ends_lower(schedule: str, features_path: Path) -> None:
    lesson = lesson_of(load_features(features_path))
    config = replace(TINY, network=replace(TINY.network, n_labels=3), schedule=schedule, epochs=8)
    _, history = fit(lesson, config)
    assert history[-1].validation_accuracy is not None and history[-1].validation_accuracy > 0.9
    assert history[-1].learning_rate <= config.learning_rate
    if schedule == "cosine":
        assert history[-1].learning_rate < 1e-6


def test_settings_that_cannot_be_had_are_refused(features_path: Path) -> None:
    lesson = lesson_of(load_features(features_path))
    config = replace(TINY, network=replace(TINY.network, n_labels=3))
    with pytest.raises(ConfigError, match="schedule"):
        fit(lesson, replace(config, schedule="weekly"))
    with pytest.raises(ConfigError, match="device"):
        fit(lesson, replace(config, device="abacus"))
    nothing_held_out = Lesson(lesson.features, replace(lesson.split, validation=np.arange(0)))
    with pytest.raises(ConfigError, match="plateau"):
        fit(nothing_held_out, replace(config, schedule="plateau"))


def test_crops_are_referenced_to_their_own_maximum() -> None:
    rows = torch.full((1, 128, 128), 100, dtype=torch.uint8)
    rows[:, :, 64:] = 200
    quiet = crop(rows, torch.tensor([0]), FrontEndConfig())
    assert float(quiet.max()) == 0.0


def test_evaluation_places_segments_evenly() -> None:
    assert even_starts(FrontEndConfig(n_frames=43), 1) == [42]
    assert even_starts(FrontEndConfig(n_frames=32), 4) == [0, 32, 64, 96]


def test_a_clips_row_spans_all_bytes() -> None:
    noise = np.random.default_rng(0).standard_normal(44_100 * 3).astype(np.float32) * 0.1
    noise[:44_100] = 0.0
    row = clip_to_row(noise, FrontEndConfig())
    assert row.shape == (128, 128)
    assert row[:, :40].max() == 0
    assert row.max() > 200


def test_spec_augment_masks_with_the_mean_not_with_full_scale() -> None:
    torch.manual_seed(0)
    segment = torch.full((4, 128, 32), -50.0)
    assert torch.allclose(SpecAugment(AugmentConfig())(segment.clone()), segment)


def test_mixup_keeps_targets_in_step_with_segments() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.arange(8.0)
    mixed, (target,) = mixup(values[:, None, None].expand(8, 2, 2), [values], 1.0, generator)
    assert torch.allclose(mixed[:, 0, 0], target)
    assert not torch.allclose(target, values)


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"network\.layers"):
        make_config({"network": {"layers": 3}})
    with pytest.raises(ConfigError, match="lerning_rate"):
        make_config({"lerning_rate": 1.0})


def test_in_folds_every_track_is_judged_by_a_network_that_never_met_it(
    features_path: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.pt"
    config = replace(TINY, folds=2, epochs=6, n_odd=2, odd_of_each_kind=1)
    card = make_checkpoint(features_path, output, config)
    scores = card.provenance["scores"]["2 folds"]
    assert scores["n_tracks"] == 240
    assert scores["accuracy"] > 0.9 and scores["grouped_accuracy"] >= scores["accuracy"]
    assert load_checkpoint(output).novelty is not None
    assert not output.with_name("model.pt.run").exists()
    assert output.with_suffix(".csv").read_text().count("\n") == config.epochs + 1
    assert "each fold's with temperature" in output.with_suffix(".md").read_text(encoding="utf-8")
    with pytest.raises(DatasetError, match="none of the tracks"):
        evaluate_checkpoint(output, features_path, split="test")


def test_folds_that_were_cut_off_go_on(features_path: Path, tmp_path: Path) -> None:
    whole = make_checkpoint(features_path, tmp_path / "a.pt", replace(TINY, folds=2, epochs=3))
    features = clean(load_features(features_path))
    config = fitted_to(replace(TINY, folds=2, epochs=3), features)
    folder = tmp_path / "b.pt.run"
    folder.mkdir()
    rows = folds_by_artist(features, 2, seed=config.seed)
    cross_fit(Material(features), rows, config, folder, n_jobs=1)
    resumed = make_checkpoint(
        features_path, tmp_path / "b.pt", replace(TINY, folds=2, epochs=3), resume=True
    )
    assert resumed.model_id == whole.model_id
    assert resumed.thresholds == whole.thresholds


def test_highs_are_lost_above_a_band_and_the_lows_are_as_they_were() -> None:
    generator = torch.Generator().manual_seed(0)
    log_mel = torch.full((200, 128, 8), -20.0)
    log_mel[:, 5] = 0.0
    lost = lose_highs(log_mel, 0.5, 80.0, generator)
    assert torch.equal(lost[:, :69], log_mel[:, :69])
    touched = (lost != log_mel).any(dim=(1, 2))
    assert 70 < int(touched.sum()) < 130
    assert (lost.diff(dim=1)[:, 69:] <= 0).all()  # ever quieter, the higher
    assert float(lost.min()) == -80.0
    assert lose_highs(log_mel, 0.0, 80.0, generator) is log_mel


@pytest.mark.parametrize("setting", [{"epochs": 0}, {"batch_size": 0}, {"folds": 1}])
def test_numbers_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="at least"):
        make_config(setting)


def test_a_front_end_that_the_features_are_not_of_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be relative-db"):
        make_config({"front_end": {"compression": "log-gain"}})


def test_a_genre_of_fewer_tracks_than_folds_is_refused(tmp_path: Path) -> None:
    few = load_features(write_features(tmp_path / "f.npz", n_tracks=24, n_artists=12))
    with pytest.raises(DatasetError, match="too few to split"):
        folds_by_artist(few, 10, seed=0)


def test_features_of_other_mels_are_refused(features_path: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.pt"
    make_checkpoint(features_path, output, replace(TINY, epochs=1))
    other = write_features(tmp_path / "other.npz", mel=np.zeros((240, 64, 128), np.uint8))
    with pytest.raises(DatasetError, match="mels"):
        evaluate_checkpoint(output, other)


def test_a_state_that_lacks_a_part_is_damaged(features_path: Path, tmp_path: Path) -> None:
    lesson = lesson_of(load_features(features_path))
    config = replace(TINY, network=replace(TINY.network, n_labels=3), epochs=1)
    state = tmp_path / "state"
    fit(lesson, config, state_path=state)
    payload = torch.load(state, weights_only=True)
    del payload["optimizer"]
    torch.save(payload, state)
    with pytest.raises(CheckpointError, match="damaged"):
        fit(lesson, config, state_path=state)
