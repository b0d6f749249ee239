"""Feature files out of FMA's archives, whatever happens on the way."""

import errno
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import training.__main__
from tagger.audio import load_waveform
from tagger.errors import DatasetError
from tagger.networks.frontend import FrontEndConfig
from tests.synthetic import (
    FMA_TRACKS,
    archives_in,
    arrays_of,
    left_out_of,
    write_fma,
    write_fma_metadata,
)
from tests.test_download import Manner, serving
from training import prepare
from training.clips import Clip, LeftOut, Prepared
from training.dataset import load_features
from training.features import clip_to_row
from training.fma import CLIPS_ARCHIVE, METADATA_ARCHIVE, Archives
from training.prepare import Summary, prepare_fma, prepare_folders
from training.shards import Shards

ROOT = Path(__file__).parent.parent
RATE = 22_050


@pytest.fixture(scope="module")
def fma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small archives and the feature file made of them."""
    folder = tmp_path_factory.mktemp("fma")
    write_fma(folder)
    prepare_fma(folder, folder / "features.npz", archives=archives_in(folder), n_jobs=2)
    return folder


def test_fma_becomes_a_feature_file(fma: Path) -> None:
    arrays = arrays_of(fma / "features.npz")
    labels = [str(arrays["labels"][i]) for i in arrays["genre"]]
    assert arrays["track_id"].tolist() == [2, 5, 10]
    assert labels == [FMA_TRACKS[track][0] for track in (2, 5, 10)]
    assert arrays["split"].tolist() == ["training", "validation", "test"]
    assert arrays["artist_id"].tolist() == [1, 2, 6]
    assert arrays["path"][0] == "fma_small/000/000002.mp3"
    assert arrays["mel"].dtype == np.uint8 and arrays["mel"].shape == (3, 128, 128)
    assert len(load_features(fma / "features.npz")) == 3


def test_a_row_is_the_first_30_s_at_the_clips_own_sample_rate(fma: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(fma / CLIPS_ARCHIVE) as archive:
        path = Path(archive.extract("fma_small/000/000010.mp3", tmp_path))
    waveform, rate = load_waveform(path, duration_s=30.0)
    assert (rate, len(waveform)) == (RATE, 30 * RATE)
    expected = clip_to_row(waveform, FrontEndConfig(sample_rate=RATE))
    assert np.array_equal(arrays_of(fma / "features.npz")["mel"][2], expected)


def test_what_is_left_out_is_listed_and_never_zeros(fma: Path) -> None:
    assert left_out_of(fma / "features.left-out.csv") == {
        "000020": "duplicate",
        "000030": "damaged",
        "000031": "too short",
        "000032": "silent",
        "000033": "damaged",
        "099134": "known bad",
    }
    assert arrays_of(fma / "features.npz")["mel"].any(axis=(1, 2)).all()


def test_nothing_else_is_left_behind(fma: Path) -> None:
    names = {path.name for path in fma.iterdir()}
    assert names == {METADATA_ARCHIVE, CLIPS_ARCHIVE, "features.npz", "features.left-out.csv"}


def test_an_archive_with_another_checksum_is_not_read(tmp_path: Path) -> None:
    write_fma_metadata(tmp_path / METADATA_ARCHIVE)
    with pytest.raises(DatasetError, match=r"fma_metadata\.zip: damaged or another file"):
        prepare_fma(tmp_path, tmp_path / "f.npz")


def test_missing_archives_are_fetched_only_when_asked(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"--download fetches it from https://os\.unil"):
        prepare_fma(tmp_path, tmp_path / "f.npz")
    wrong = Manner(content=b"something else")
    with serving(wrong) as url:
        archives = Archives(base_url=url.removesuffix("file.zip"))
        with pytest.raises(DatasetError, match="not the file expected"):
            prepare_fma(tmp_path / "new", tmp_path / "f.npz", download=True, archives=archives)
    assert list((tmp_path / "new").iterdir()) == []


def test_downloaded_archives_become_the_same_feature_file(fma: Path, tmp_path: Path) -> None:
    files = {f"/{name}": (fma / name).read_bytes() for name in archives_in(fma).sha1_of}
    with serving(Manner(files=files)) as url:
        archives = archives_in(fma, url.removesuffix("file.zip"))
        folder, output = tmp_path / "new", tmp_path / "f.npz"
        prepare_fma(folder, output, archives=archives, n_jobs=2, download=True)
    assert output.read_bytes() == (fma / "features.npz").read_bytes()


def test_an_output_that_cannot_be_is_refused_before_any_work(fma: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        prepare_fma(fma, tmp_path / "nowhere" / "f.npz")
    with pytest.raises(DatasetError, match="is a folder"):
        prepare_folders(fma, tmp_path)


def test_no_usable_clip_is_an_error_that_names_one(tmp_path: Path) -> None:
    archives = write_fma(tmp_path, clips={2: b"", 5: b"no sound"})
    with pytest.raises(DatasetError, match=r"none of 8 clips can be used; .*000\d\d\d.mp3"):
        prepare_fma(tmp_path, tmp_path / "f.npz", archives=archives, n_jobs=2)
    assert not (tmp_path / "f.npz").exists()


def test_a_full_disk_costs_neither_the_old_file_nor_the_work(
    fma: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "f.npz"
    output.write_bytes(b"the old one")
    save = np.savez

    def fill_up(file: Any, **arrays: Any) -> None:
        if "labels" in arrays:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(file, **arrays)

    monkeypatch.setattr(np, "savez", fill_up)
    with pytest.raises(DatasetError, match="make room on that disk and run again"):
        prepare_fma(fma, output, archives=archives_in(fma), n_jobs=2)
    assert output.read_bytes() == b"the old one"
    monkeypatch.setattr(np, "savez", save)
    monkeypatch.setattr(prepare, "map_unordered", nothing_left_to_do)
    prepare_fma(fma, output, archives=archives_in(fma))
    assert output.read_bytes() == (fma / "features.npz").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"f.npz", "f.left-out.csv"}


def nothing_left_to_do(_work: Any, tasks: list[Clip], **_options: Any) -> list[Prepared]:
    assert tasks == []
    return []


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.synthetic import archives_in
from training import prepare, shards

shards._ROWS_PER_SHARD = 2

def killed(work, tasks, **_):
    for n, task in enumerate(tasks):
        if n == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        yield work(task)

prepare.map_unordered = killed
fma, output = map(Path, sys.argv[1:])
prepare.prepare_fma(fma, output, archives=archives_in(fma))
"""


def test_a_killed_run_goes_on_to_the_same_file(
    fma: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "f.npz"
    command = [sys.executable, "-c", KILLED, str(fma), str(output)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert not output.exists()
    asked: list[Clip] = []

    def in_this_process(work: Any, tasks: list[Clip], **_options: Any) -> list[Prepared]:
        asked.extend(tasks)
        return [work(task) for task in tasks]

    monkeypatch.setattr(prepare, "map_unordered", in_this_process)
    prepare_fma(fma, output, archives=archives_in(fma))
    assert len(asked) == 8 - 4  # two shards of two were whole
    for name in ("npz", "left-out.csv"):
        made, whole = output.with_suffix(f".{name}"), fma / f"features.{name}"
        assert made.read_bytes() == whole.read_bytes()


def filled_shards(folder: Path, key: str) -> tuple[Shards, list[Clip]]:
    clips = [Clip(f"{n}.mp3", folder) for n in range(4)]
    made = Shards(folder, key)
    for n, clip in enumerate(clips[:3]):
        made.add(Prepared(clip, np.full((128, 128), n, dtype=np.uint8)))
    made.add(Prepared(clips[3], LeftOut("3.mp3", "damaged", "cut")))
    made.flush()
    return made, clips


def test_finished_clips_are_found_again(tmp_path: Path) -> None:
    _, clips = filled_shards(tmp_path / "w", "key")
    done = {one.clip.name: one.outcome for one in Shards(tmp_path / "w", "key").done(clips)}
    assert set(done) == {"0.mp3", "1.mp3", "2.mp3", "3.mp3"}
    row = done["2.mp3"]
    assert not isinstance(row, LeftOut) and row.shape == (128, 128) and (row == 2).all()
    assert done["3.mp3"] == LeftOut("3.mp3", "damaged", "cut")
    newer = [replace(clip, version="changed since") for clip in clips]
    assert list(Shards(tmp_path / "w", "key").done(newer)) == []


def test_finished_clips_of_other_settings_are_not_used(tmp_path: Path) -> None:
    _, clips = filled_shards(tmp_path / "w", "key")
    assert list(Shards(tmp_path / "w", "another key").done(clips)) == []
    assert list(Shards(tmp_path / "w", "key").done(clips)) == []


def test_a_damaged_shard_is_made_again(tmp_path: Path) -> None:
    made, clips = filled_shards(tmp_path / "w", "key")
    for path in made.folder.glob("shard-*"):
        path.write_bytes(path.read_bytes()[:-100])
    assert list(Shards(tmp_path / "w", "key").done(clips)) == []


def test_a_full_disk_while_decoding_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(*_args: Any, **_arrays: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill_up)
    with pytest.raises(DatasetError, match="make room"):
        filled_shards(tmp_path / "w", "key")


def run_prepare(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["training", "prepare", *map(str, arguments)])
    with pytest.raises(SystemExit) as exited:
        training.__main__.main()
    return int(exited.value.code or 0)


def test_the_command_says_what_it_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    left_out = tuple(LeftOut(f"{n}.mp3", "damaged", "cut") for n in range(25))
    monkeypatch.setattr(prepare, "prepare_folders", lambda *_, **__: Summary(3, left_out))
    assert run_prepare(monkeypatch, "--folders", tmp_path, "-o", tmp_path / "f.npz") == 1
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'f.npz'}: 3 tracks, 25 left out\n"
    assert said.err.splitlines()[0] == "left out: 0.mp3: damaged: cut"
    assert said.err.splitlines()[-1] == "left out: 5 more, listed beside the output"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give one of"),
        (("--fma", "a", "--folders", "b"), "give one of"),
        (("--folders", "a", "--download"), "goes with --fma"),
        (("--folders", "nowhere"), "no folder of that name"),
    ],
)
def test_wrong_usage_is_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_prepare(monkeypatch, *arguments, "-o", "f.npz") == 2
    assert said in capsys.readouterr().err
