"""The log for TensorBoard: what the CSV holds, also after a run was cut off."""

import struct
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from tagger.errors import DatasetError
from tests.library import until
from tests.synthetic import write_features
from tests.test_training import TINY
from training.events import EventLog
from training.progress import Epoch
from training.recipe import make_checkpoint

LINES = [Epoch(i, 2.0 - i / 10, 0.3 + i / 10, 1e-3, 5.0) for i in range(3)]


def events_in(folder: Path) -> Iterator[Event]:
    """Read event files: records of length, checksum, bytes, checksum."""
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content = path.read_bytes()
        while len(content) >= 8:
            (length,) = struct.unpack("<Q", content[:8])
            if len(content) < 16 + length:
                break  # it is being written
            yield Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]


def figures_in(folder: Path) -> dict[tuple[str, int], float]:
    return {
        (value.tag, event.step): value.simple_value
        for event in events_in(folder)
        for value in event.summary.value
    }


def test_the_log_holds_each_epochs_figures(tmp_path: Path) -> None:
    with EventLog(tmp_path / "new") as log:
        for line in LINES:
            log.add(line)
    figures = figures_in(tmp_path / "new")
    names = {"loss", "validation_accuracy", "learning_rate", "seconds"}
    assert figures.keys() == {(name, i) for name in names for i in range(3)}
    for line in LINES:
        for name in names:
            assert figures[name, line.epoch] == pytest.approx(asdict(line)[name])


def test_the_log_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.add(LINES[0])
        until(lambda: ("loss", 0) in figures_in(tmp_path))  # its writer is a thread of its own


def test_what_was_not_measured_is_not_logged(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.add(replace(LINES[0], validation_accuracy=None))
    assert {name for name, _ in figures_in(tmp_path)} == {"loss", "learning_rate", "seconds"}


def test_a_run_that_begins_anew_forgets_the_one_before(tmp_path: Path) -> None:
    for loss in (1.0, 2.0):
        with EventLog(tmp_path) as log:
            log.add(replace(LINES[0], loss=loss))
    assert figures_in(tmp_path)["loss", 0] == 2.0
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_that_goes_on_adds_to_the_one_before(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.add(LINES[0])
        log.add(LINES[1])
    with EventLog(tmp_path) as log:
        log.add(replace(LINES[1], loss=9.0))
    assert ("loss", 0) in figures_in(tmp_path)
    started = [event.step for event in events_in(tmp_path) if event.HasField("session_log")]
    assert started == [1]  # TensorBoard forgets what it had read from there on


def test_without_a_folder_nothing_is_logged() -> None:
    with EventLog(None) as log:
        log.add(LINES[0])


def test_a_folder_that_cannot_be_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(DatasetError, match=r"Not a directory|File exists"),
        EventLog(tmp_path / "file") as log,
    ):
        log.add(LINES[0])


def test_fit_logs_each_of_its_networks(tmp_path: Path) -> None:
    features = write_features(tmp_path / "features.npz", 60, n_artists=30)
    config = replace(TINY, epochs=2)
    make_checkpoint(features, tmp_path / "a.pt", config)
    assert ("validation_accuracy", 1) in figures_in(tmp_path / "a.tensorboard" / "all")
    log_dir = tmp_path / "logs"
    make_checkpoint(features, tmp_path / "b.pt", replace(config, folds=2), log_dir=log_dir)
    assert {path.name for path in log_dir.iterdir()} == {"all", "fold0", "fold1"}
    assert ("loss", 1) in figures_in(log_dir / "fold1")
    assert not (tmp_path / "b.tensorboard").exists()
