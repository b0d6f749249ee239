"""The benchmark of evidence: what it fills by tags, by sound, and by both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import evidence
from benchmarks.ear import listen
from training.fma import LABELS

_N_ARTISTS, _N_EACH = 60, 8


@pytest.fixture
def collection(tmp_path: Path) -> tuple[Path, Path]:
    """Tracks whose embedding tells their genre, of some plainly and of others hardly."""
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(_N_ARTISTS), _N_EACH)
    genre = (artist % len(LABELS)).astype(np.int8)
    plainness = rng.uniform(0, 150, (len(artist), 1))
    embedding = plainness * np.eye(len(LABELS))[genre] + rng.normal(
        50, 12, (len(artist), len(LABELS))
    )
    features, embeddings = tmp_path / "features.npz", tmp_path / "embeddings.npz"
    track_id = np.arange(len(artist), dtype=np.int32)
    np.savez(
        features,
        mel=rng.integers(0, 255, (len(artist), 128, 128), dtype=np.uint8),
        genre=genre,
        artist_id=artist.astype(np.int32),
        track_id=track_id,
        labels=np.array(LABELS),
    )
    np.savez(embeddings, embedding=embedding.clip(0, 255).astype(np.uint8), track_id=track_id)
    return features, embeddings


def run(*arguments: str | Path) -> list[list[str]]:
    """Return the cells of the table that the benchmark prints."""
    done = CliRunner().invoke(evidence.main, [*map(str, arguments)], catch_exceptions=False)
    lines = [line for line in done.output.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_by_tags_alone_no_embedding_is_needed(collection: tuple[Path, Path]) -> None:
    head, *rows = run("--features", collection[0], "--seeds", "1")
    assert head == ["library", "tags: filled", "right"]
    assert len(rows) == len(evidence.CASES)
    assert rows[0][0] == "half of the tracks blank" and rows[0][2] == "100.0%"


def test_sound_fills_alone_and_behind_the_tags(collection: tuple[Path, Path]) -> None:
    features, embedding = collection
    head, first, *_ = run("--features", features, "--embedding", embedding, "--seeds", "1")
    assert head[1::2] == ["tags: filled", "sound: filled", "tags, then sound: filled"]
    by_tags, by_sound, by_both = (float(cell.strip("%")) for cell in first[1::2])
    assert by_sound > 0 and max(by_tags, by_sound) <= by_both
    # Of the eight genres half are such as the network writes.
    assert by_sound < 60


def test_the_ear_knows_no_artist_that_it_judges(collection: tuple[Path, Path]) -> None:
    features, embedding = collection
    arrays = dict(np.load(features))
    rng = np.random.default_rng(1)
    # Each artist has a sound and a genre of its own, and neither tells anything of another's.
    arrays["genre"] = np.repeat(rng.permutation(_N_ARTISTS) % len(LABELS), _N_EACH).astype(np.int8)
    np.savez(features, **arrays)
    own = rng.integers(0, 255, (_N_ARTISTS, 32)).repeat(_N_EACH, axis=0).astype(np.uint8)
    np.savez(embedding, embedding=own, track_id=arrays["track_id"])
    assert listen(features, embedding).share_right < 0.4
