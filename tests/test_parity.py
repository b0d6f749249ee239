"""The parity check itself: it passes on features that librosa made, and fails on others."""

from pathlib import Path

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from tagger.records import FloatArray
from tests import sounds, test_makefile
from tests.synthetic import write_features
from tests.test_makefile import make
from tools import parity

clone = test_makefile.clone
CLIP_S = 30.0


def music(seed: int) -> FloatArray:
    """Thirty seconds of notes over a noise floor: tones that come and go, as music has them."""
    rng = np.random.default_rng(seed)
    sound = sounds.noise(CLIP_S, gain=0.01)
    for start in range(0, len(sound) - 44100, 11025):
        note = sounds.tone(1.0, frequency_hz=rng.uniform(100, 8000), gain=0.2)
        sound[start : start + 44100] += note * np.hanning(44100).astype(np.float32)
    return sound


def librosa_row(path: Path) -> NDArray[np.uint8]:
    """The clip's row as the features' own README says, by the library that made them."""
    waveform, rate = librosa.load(path, sr=None, duration=CLIP_S)
    power = librosa.feature.melspectrogram(y=waveform, sr=rate, n_fft=2048, hop_length=512)
    db = librosa.power_to_db(power, ref=np.max, top_db=80)
    scaled = (db - db.min()) / (db.max() - db.min()) * 255
    picked = ((np.arange(128) + 0.5) / 128 * db.shape[1]).astype(int)
    return np.asarray(scaled[:, picked].round(), dtype=np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two clips named by their track ids, and one file that is no clip."""
    folder = tmp_path_factory.mktemp("clips")
    for track_id in (2, 1040):
        sounds.write_sound(folder / f"{track_id:06d}.mp3", music(track_id))
    (folder / "notes.mp3").touch()
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: Path) -> int:
    monkeypatch.setattr("sys.argv", ["parity", *map(str, words)])
    return parity.main()


def features(path: Path, ids: list[int], rows: list[NDArray[np.uint8]]) -> Path:
    n = len(ids)
    genre = np.arange(n, dtype=np.int8) % 3
    return write_features(
        path,
        mel=np.stack(rows),
        genre=genre,
        track_id=np.array(ids, dtype=np.int32),
        artist_id=np.arange(n, dtype=np.int32),
    )


def test_features_that_librosa_made_agree(
    clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored = features(tmp_path / "f.npz", [2, 99], [librosa_row(clips / "000002.mp3")] * 2)
    assert run(monkeypatch, clips, stored) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["track", "2", "1040", "mean"]
    assert "not in the feature file" in lines[2]
    row_db, segments_db = map(float, lines[1].split()[1:3])
    assert row_db < 0.05
    assert segments_db < 0.3  # bytes are steps of 0.31 dB, and so is each side's own maximum


def test_features_of_another_sound_do_not(
    clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own, other = librosa_row(clips / "000002.mp3"), librosa_row(clips / "001040.mp3")
    stored = features(tmp_path / "f.npz", [2, 1040], [own, own])
    assert not np.array_equal(own, other)
    assert run(monkeypatch, clips, stored) == 1
    failing = [line for line in capsys.readouterr().out.splitlines() if "over 0.2 dB" in line]
    assert [line.split()[0] for line in failing] == ["1040"]


def test_a_folder_without_clips_and_a_missing_feature_file_are_told(
    clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored = features(tmp_path / "f.npz", [7], [np.zeros((128, 128), dtype=np.uint8)])
    assert run(monkeypatch, tmp_path, stored) == 2
    assert "no clips named by track id" in capsys.readouterr().err
    assert run(monkeypatch, clips, tmp_path / "none.npz") == 2
    assert "none.npz" in capsys.readouterr().err
    assert run(monkeypatch, clips, stored) == 2
    assert "none of the clips" in capsys.readouterr().err


def test_make_parity_asks_for_clips_and_features(clone: Path) -> None:
    for words in ([], ["CLIPS=c"], ["FEATURES=f"]):
        finished = make(clone, "-s", "parity", *words)
        assert finished.returncode == 2
        assert b"CLIPS=FOLDER FEATURES=FILE.npz" in finished.stderr.splitlines()[0]


def test_make_parity_passes_on_what_was_typed(clone: Path) -> None:
    stub = "import pathlib, sys\npathlib.Path('seen').write_text('\\n'.join(sys.argv[1:]))\n"
    (clone / "tools" / "parity.py").write_text(stub, encoding="utf-8")
    finished = make(clone, "parity", "CLIPS=my $(shell touch trap) clips", "FEATURES='f'.npz")
    assert finished.returncode == 0, finished.stderr
    said = (clone / "seen").read_text(encoding="utf-8").splitlines()
    assert said == ["--", "my $(shell touch trap) clips", "'f'.npz"]
    assert not (clone / "trap").exists()
