"""A user's folders named by genre as training data."""

import os
from pathlib import Path

import mutagen.flac
import numpy as np
import pytest
import soundfile

from tagger.errors import DatasetError
from tagger.networks.frontend import FrontEndConfig
from tests.sounds import noise, silence, tone, write_sound
from tests.synthetic import arrays_of, left_out_of
from training.clips import Clip, LeftOut, prepare_clip
from training.dataset import load_features
from training.features import clip_to_row
from training.folders import read_folders
from training.prepare import prepare_folders

RATE = 22_050


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small collection by genre."""
    root = tmp_path_factory.mktemp("music")
    sounds = {
        "Blues/Muddy/a.flac": noise(30.0, RATE),
        "Blues/Muddy/b.flac": tone(30.0, RATE),
        "Blues/c.flac": np.concatenate(
            [tone(20.0, RATE, 300.0), tone(30.0, RATE, 900.0), tone(20.0, RATE, 300.0)]
        ),
        "Ska/Madness/One/d.flac": tone(31.0, RATE, 800.0),
        "Ska/short.flac": tone(3.0, RATE),
        "Ska/silent.flac": silence(30.0, RATE),
        "stray.flac": tone(1.0, RATE),
    }
    for name, sound in sounds.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_sound(root / name, sound, RATE)
    (root / "Ska" / "broken.mp3").write_bytes(b"no sound " * 500)
    (root / "Ska" / "notes.txt").write_text("no music")
    for name in ("Blues/c.flac", "Ska/Madness/One/d.flac"):
        tags = mutagen.flac.FLAC(root / name)
        tags["artist"] = "MUDDY " if "Blues" in name else "The Specials"
        tags.save()
    return root


def test_folders_become_a_feature_file(music: Path, tmp_path: Path) -> None:
    summary = prepare_folders(music, tmp_path / "f.npz", n_jobs=2)
    arrays = arrays_of(tmp_path / "f.npz")
    names = [str(arrays["labels"][i]) for i in arrays["genre"]]
    assert dict(zip(arrays["path"].tolist(), names, strict=True)) == {
        "Blues/Muddy/a.flac": "Blues",
        "Blues/Muddy/b.flac": "Blues",
        "Blues/c.flac": "Blues",
        "Ska/Madness/One/d.flac": "Ska",
    }
    assert arrays["split"].tolist() == [""] * 4
    assert load_features(tmp_path / "f.npz").labels == ("Blues", "Ska")
    assert left_out_of(tmp_path / "f.left-out.csv") == {
        "broken": "damaged",
        "short": "too short",
        "silent": "silent",
        "stray": "no genre",
    }
    assert summary.n_damaged == 1


def test_the_artist_is_the_tags_else_the_folders_else_the_tracks_own(music: Path) -> None:
    artist_of = {track.clip.name: track.artist_id for track in read_folders(music).tracks}
    muddy = {artist_of[f"Blues/{name}.flac"] for name in ("Muddy/a", "Muddy/b", "c")}
    others = {artist_of[f"Ska/{name}.flac"] for name in ("Madness/One/d", "short", "silent")}
    assert len(muddy) == 1
    assert len(others - muddy) == 3


def test_of_a_longer_file_the_middle_counts(music: Path, tmp_path: Path) -> None:
    prepared = prepare_clip(Clip("c", music / "Blues/c.flac"), tmp_path)
    assert not isinstance(prepared.outcome, LeftOut)
    middle = clip_to_row(tone(30.0, 44_100, 900.0), FrontEndConfig())
    loudest = prepared.outcome.argmax(axis=0)
    assert loudest.tolist() == middle.argmax(axis=0).tolist()


def test_samples_that_are_not_numbers_are_left_out(tmp_path: Path) -> None:
    samples = noise(30.0, RATE)
    samples[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    outcome = prepare_clip(Clip("nan", tmp_path / "nan.wav"), tmp_path).outcome
    assert isinstance(outcome, LeftOut) and outcome.why == "damaged"


def test_a_folder_without_genres_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder"):
        read_folders(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="named by its genre"):
        read_folders(tmp_path)
    write_sound(tmp_path / "a.flac", tone(1.0, RATE), RATE)
    with pytest.raises(DatasetError, match="named by its genre"):
        read_folders(tmp_path)


def test_a_name_that_is_not_utf_8_survives(tmp_path: Path) -> None:
    folder = tmp_path / "m" / "Ska"
    folder.mkdir(parents=True)
    write_sound(folder / "a.flac", noise(30.0, RATE), RATE)
    path = folder / os.fsdecode(b"caf\xe9.flac")
    (folder / "a.flac").rename(path)
    prepare_folders(tmp_path / "m", tmp_path / "f.npz", n_jobs=2)
    assert os.fsencode(str(arrays_of(tmp_path / "f.npz")["path"][0])) == b"Ska/caf\xe9.flac"
