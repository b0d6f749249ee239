"""Checkpoints: what is saved is what is loaded, and nothing foreign or damaged gets in."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tagger.errors import CheckpointError, WorkersError
from tagger.models import checkpoint
from tagger.models.card import FORMAT, VERSION
from tagger.models.checkpoint import load_checkpoint, save_checkpoint, with_rounded_weights
from tagger.models.files import find_model, read_card
from tagger.networks import network_of_card
from tests.library import make_model, make_track, run_tagger


def refusal(path: Path) -> str:
    """Why a checkpoint is not taken, said alike by both readers and without a traceback."""
    with pytest.raises(CheckpointError) as by_card:
        read_card(path)
    with pytest.raises(CheckpointError) as by_torch:
        load_checkpoint(path)
    assert str(by_card.value) == str(by_torch.value)
    assert str(by_card.value).startswith(f"{path}: ")
    return by_card.value.reason


def rewritten(model: Path, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of a checkpoint with its payload changed."""
    payload = torch.load(model, weights_only=True)
    change(payload)
    torch.save(payload, path)
    return path


def test_what_is_saved_is_what_is_loaded(model: Path, tmp_path: Path) -> None:
    loaded = load_checkpoint(model)
    again = tmp_path / "again.pt"
    save_checkpoint(again, loaded.network, loaded.card)
    second = load_checkpoint(again)
    assert second.card == loaded.card == read_card(model)
    mine, other = loaded.network.state_dict(), second.network.state_dict()
    assert all(torch.equal(mine[name], other[name]) for name in mine)


def test_weights_are_kept_in_half_the_room_and_rounded_alike(model: Path) -> None:
    state = torch.load(model, weights_only=True)["state"].values()
    assert {v.dtype for v in state if v.ndim > 1} == {torch.float16}
    # Biases and batch norms are few, and rounding them is heard.
    assert {v.dtype for v in state if v.ndim == 1} == {torch.float32}
    network = load_checkpoint(model).network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = with_rounded_weights(network).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_loaded_network_is_ready_to_judge(model: Path) -> None:
    network = load_checkpoint(model).network
    assert not network.training
    assert all(value.dtype != torch.float16 for value in network.state_dict().values())


def test_a_models_identity_is_its_weights(model: Path, tmp_path: Path) -> None:
    assert read_card(make_model(tmp_path / "same.pt")).model_id == read_card(model).model_id
    other = read_card(make_model(tmp_path / "other.pt", "Folk"))
    assert other.model_id != read_card(model).model_id


def test_a_card_is_read_without_torch(model: Path) -> None:
    code = "import sys; from pathlib import Path; from tagger.models.files import read_card\n"
    code += "read_card(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(model)], check=False).returncode == 0


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.pt")
    assert refusal(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(model: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.pt"
    data = model.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "get the file anew" in refusal(path)


def test_no_flipped_bit_is_taken_for_a_network(model: Path, tmp_path: Path) -> None:
    data = bytearray(model.read_bytes())
    path = tmp_path / "flipped.pt"
    choose = random.Random(0)
    card = read_card(model)
    n_refused = 0
    for _ in range(150):
        at, bit = choose.randrange(len(data)), 1 << choose.randrange(8)
        data[at] ^= bit
        path.write_bytes(data)
        try:
            # Bits that stand for nothing, such as a time of day in the archive, may be flipped.
            assert read_card(path) == card
        except CheckpointError as exc:
            n_refused += 1
            assert exc.path == path
        data[at] ^= bit
    assert n_refused > 75


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.pt"
    make_track(tmp_path / "song.wav").rename(path)
    assert "not a checkpoint, or damaged" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refusal(path)


@pytest.mark.parametrize(
    "payload",
    [
        {"state_dict": {"weight": torch.zeros(3)}},
        {"format": "other", "version": VERSION},
        torch.zeros(3),
        [1, 2, 3],
        torch.nn.Linear(2, 2),
    ],
)
def test_somebody_elses_checkpoint_is_refused(tmp_path: Path, payload: object) -> None:
    path = tmp_path / "foreign.pt"
    torch.save(payload, path)
    assert refusal(path) == "not a checkpoint made by this project"


def test_a_newer_checkpoint_asks_for_a_newer_tagger(model: Path, tmp_path: Path) -> None:
    path = rewritten(model, tmp_path / "newer.pt", lambda p: p.update(version=VERSION + 1))
    assert "update it" in refusal(path)


def test_a_checkpoint_of_the_version_before_is_still_read(model: Path, tmp_path: Path) -> None:
    def as_before(payload: dict[str, Any]) -> None:
        card = json.loads(payload["card"])
        for name in ("exclusive", "genres", "broader"):
            del card[name]
        payload.update(version=VERSION - 1, card=json.dumps(card))

    path = rewritten(model, tmp_path / "before.pt", as_before)
    assert load_checkpoint(path).card == read_card(path) == read_card(model)


def test_an_older_checkpoint_is_to_be_made_anew(model: Path, tmp_path: Path) -> None:
    path = rewritten(model, tmp_path / "older.pt", lambda p: p.update(version=1))
    assert "get or train the model anew" in refusal(path)


class _Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    exploded = tmp_path / "exploded"
    bombs = {"format": FORMAT, "version": VERSION, "card": _Bomb(exploded)}
    for name, payload in (("a.pt", bombs), ("b.pt", _Bomb(exploded))):
        torch.save(payload, tmp_path / name)
        assert refusal(tmp_path / name) == "not a checkpoint made by this project"
        (tmp_path / "plain.pt").write_bytes(pickle.dumps(payload))
        assert refusal(tmp_path / "plain.pt")
    assert not exploded.exists()


@pytest.mark.parametrize(
    "card",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"labels": 3, "writable": []}',
        '{"labels": ["a"], "writable": ["a"], "colour": "blue"}',
    ],
)
def test_a_card_that_makes_no_sense_is_refused(model: Path, tmp_path: Path, card: str) -> None:
    path = rewritten(model, tmp_path / "odd.pt", lambda p: p.update(card=card))
    assert "its card cannot be read" in refusal(path)


def test_a_card_without_labels_is_refused(model: Path, tmp_path: Path) -> None:
    def without_labels(payload: dict[str, Any]) -> None:
        card = json.loads(payload["card"])
        del card["labels"]
        payload.update(card=json.dumps(card))

    path = rewritten(model, tmp_path / "odd.pt", without_labels)
    assert "its card cannot be read" in refusal(path)


def test_labels_that_contradict_each_other_are_refused(model: Path, tmp_path: Path) -> None:
    loaded = load_checkpoint(model)
    for changes in (
        {"labels": ("Rock",) * 4},
        {"writable": ("Polka",)},
        {"genres": ("Polka",)},
        {"genres": ("Rock",), "writable": ("Folk",)},
        {"broader": {"Polka": "Rock"}},
        {"broader": {"Rock": "Polka"}},
    ):
        save_checkpoint(tmp_path / "odd.pt", loaded.network, replace(loaded.card, **changes))
        assert "contradict" in refusal(tmp_path / "odd.pt")


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "transformer"},
        {"n_samples": 7},
        {"network": {"n_labels": 4}},
        {"network": {"n_labels": 4, "channels": [1, 2, 3, 4]}},
        {"front_end": {"colour": "blue"}},
    ],
)
def test_a_card_that_does_not_fit_its_weights_is_refused(
    model: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    loaded = load_checkpoint(model)
    path = tmp_path / "odd.pt"
    save_checkpoint(path, loaded.network, replace(loaded.card, **changes))
    with pytest.raises(CheckpointError, match="do not fit") as caught:
        load_checkpoint(path)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"album_temperature": math.inf}, "album_temperature is inf"),
        ({"album_temperature": True}, "album_temperature is True"),
        ({"thresholds": {"Rock": math.nan}}, "threshold of Rock is nan"),
        ({"thresholds": {"Rock": "0.5"}}, "threshold of Rock is '0.5'"),
        ({"further": {"Rock": -math.inf}}, "threshold of Rock is -inf"),
        ({"labels": ()}, "no labels"),
        ({"labels": ("Rock", "Fo\x1b[2Jlk", "A", "B"), "writable": ()}, "Fo\\x1b[2Jlk"),
        ({"labels": (1, 2, 3, 4), "writable": ()}, "1 is no genre"),
        ({"model_id": "cnn\x1b]0;owned\x07"}, "is no name"),
        ({"model_id": ["cnn"]}, "is no name"),
        ({"max_segments": 0}, "max_segments is 0"),
        ({"max_segments": 10**9}, "max_segments is 1000000000"),
        ({"first_segments": -1}, "first_segments is -1"),
        ({"sample_rate": 0}, "sample_rate is 0"),
        ({"n_samples": 10**12}, "n_samples is 1000000000000"),
        ({"front_end": {"n_mels": 100_000_000}}, "n_mels is 100000000"),
        ({"front_end": {"n_mels": 128.0}}, "n_mels is 128.0"),
        ({"front_end": {"n_fft": 1 << 15, "n_frames": 1 << 15}}, "frames of 32768 samples"),
        ({"front_end": {"top_db": math.nan}}, "top_db is nan"),
        ({"network": {"n_mels": 100_000_000}}, "n_mels is 100000000"),
        ({"network": {"channels": [1, 2, 3, 10**8]}}, "channels is 100000000"),
        ({"network": {"dropout": math.nan}}, "dropout is nan"),
        ({"network": {"n_labels": -1}}, "n_labels is -1"),
    ],
)
def test_a_card_that_says_what_cannot_be_is_refused(
    model: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    loaded = load_checkpoint(model)
    path = tmp_path / "odd.pt"
    save_checkpoint(path, loaded.network, replace(loaded.card, **changes))
    reason = refusal(path)
    assert said in reason
    assert reason.isprintable()


def test_a_card_nested_too_deeply_is_refused(model: Path, tmp_path: Path) -> None:
    path = rewritten(model, tmp_path / "odd.pt", lambda p: p.update(card="[" * 200_000))
    assert "its card cannot be read" in refusal(path)


def test_what_a_card_names_is_shown_so_that_it_does_nothing(model: Path, tmp_path: Path) -> None:
    odd = '{"labels": [], "writable": [], "a\\u001b[2J": 1}'
    path = rewritten(model, tmp_path / "odd.pt", lambda p: p.update(card=odd))
    assert refusal(path).isprintable()


def weights_changed(
    model: Path, path: Path, change: Callable[[dict[str, torch.Tensor]], object]
) -> str:
    """Why a checkpoint with changed weights is not loaded."""
    rewritten(model, path, lambda payload: change(payload["state"]))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert caught.value.path == path
    return caught.value.reason


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_are_refused(
    model: Path, tmp_path: Path, number: float
) -> None:
    for n, weight in enumerate(torch.load(model, weights_only=True)["state"].values()):

        def spoil(state: dict[str, torch.Tensor], n: int = n) -> None:
            list(state.values())[n].view(-1)[-1] = number

        if weight.is_floating_point():
            assert "no numbers" in weights_changed(model, tmp_path / "odd.pt", spoil), n


def test_weights_that_are_more_than_the_file_are_refused(model: Path, tmp_path: Path) -> None:
    vast = torch.zeros(1).expand(1 << 40)
    said = weights_changed(model, tmp_path / "odd.pt", lambda state: state.update(vast=vast))
    assert "more than the file holds" in said


def test_a_network_far_larger_than_its_weights_is_not_built(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_checkpoint(model)
    network = {**loaded.card.network, "channels": [16_384] * 4, "gru_size": 16_384}
    save_checkpoint(tmp_path / "odd.pt", loaded.network, replace(loaded.card, network=network))
    built: list[torch.device] = []

    def build(*arguments: Any) -> Any:
        built.append(torch.get_default_device())
        return network_of_card(*arguments)

    monkeypatch.setattr(checkpoint, "network_of_card", build)
    with pytest.raises(CheckpointError, match="many more weights"):
        load_checkpoint(tmp_path / "odd.pt")
    assert built == [torch.device("meta")]


def test_what_inflates_or_lies_in_a_checkpoint_twice_is_not_read(
    model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.pt"
    with (
        zipfile.ZipFile(model) as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
        packed.writestr("archive/data/endless", bytes(10_000_000))
    assert "damaged" in refusal(path)


def test_a_place_in_the_memo_that_nothing_can_have_takes_no_memory(
    model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.pt"
    put = pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.PROTO + b"\x02" + b"}" + put + b".")
    assert refusal(path) == "not a checkpoint made by this project"


def test_what_finite_weights_make_no_number_of_is_that_files_failure(
    model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "huge.pt"
    rewritten(model, path, lambda p: p["state"]["normalise.norm.running_var"].fill_(-1.0))
    track = make_track(tmp_path / "music" / "a.flac")
    before = track.read_bytes()
    outcome = run_tagger(
        "tag", track, "--model", path, "--catalog", tmp_path / "catalog.db", "--format", "jsonl"
    )
    assert outcome.code == 1
    assert [record["reason_code"] for record in outcome.records] == ["no_number"]
    assert track.read_bytes() == before


def test_where_torch_cannot_compute_no_file_is_blamed(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("Failed to initialize cpuinfo!")

    monkeypatch.setattr(torch.Tensor, "float", fail)
    with pytest.raises(WorkersError, match="is /proc mounted") as caught:
        load_checkpoint(model)
    assert caught.value.path is None


def test_a_save_that_fails_leaves_the_old_file(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_model(tmp_path / "model.pt")
    before = path.read_bytes()
    loaded = load_checkpoint(model)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="make room"):
        save_checkpoint(path, loaded.network, loaded.card)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


def test_a_model_is_found_by_its_file_and_a_name_too_long_for_one_is_refused(model: Path) -> None:
    assert find_model(str(model)) == model
    for name in ("nobody", "x" * 5000, str(model.parent)):
        with pytest.raises(CheckpointError):
            find_model(name)


@pytest.mark.parametrize("kind", ["damaged", "foreign", "unfit", "no number"])
def test_a_run_without_a_usable_model_cannot_start(model: Path, tmp_path: Path, kind: str) -> None:
    track = make_track(tmp_path / "music" / "a.flac")
    before = track.read_bytes()
    path = tmp_path / "model.pt"
    if kind == "damaged":
        path.write_bytes(model.read_bytes()[:-900])
    elif kind == "foreign":
        torch.save({"weight": torch.zeros(3)}, path)
    elif kind == "no number":
        rewritten(model, path, lambda p: next(iter(p["state"].values())).fill_(math.nan))
    else:
        loaded = load_checkpoint(model)
        card = replace(loaded.card, architecture="transformer")
        save_checkpoint(path, loaded.network, card)
    outcome = run_tagger(
        "tag", track, "--model", path, "--catalog", tmp_path / "catalog.db", "--format", "jsonl"
    )
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = [line for line in outcome.err.splitlines() if "error" in line]
    assert str(path) in line
    assert "Traceback" not in outcome.err
    assert track.read_bytes() == before
