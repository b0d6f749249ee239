"""Networks that a user brings as ONNX: their cards, how they are fed, what they may do."""

from __future__ import annotations

import json
import os
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime.capi.onnxruntime_pybind11_state as ort
import pytest
import torch
from numpy.typing import NDArray
from onnx import helper

from tagger.catalog import Catalog
from tagger.errors import CheckpointError
from tagger.hearing.analysis import AnalysisTask, analyse_file
from tagger.hearing.pool import Lost
from tagger.models.checkpoint import load_checkpoint
from tagger.models.files import find_model, read_card
from tagger.networks.audioset import AudioSetLogMel
from tagger.networks.frontend import FrontEndConfig, LogMel
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile, FloatArray, TrackFailure, TrackPrediction
from tagger.tagging.listening import AnalysisPool
from tagger.tagging.track import Track
from tests.library import genre_of, make_track, run_tagger, set_tags
from tests.onnx_files import CARD, N_MELS, make_onnx, save, without, write_card

pytestmark = pytest.mark.usefixtures("in_process", "one_thread")


@pytest.fixture
def ear(tmp_path: Path) -> Path:
    """A network that hears nothing but Swing."""
    return make_onnx(tmp_path / "ear.onnx")


def noise(n_segments: int, n_samples: int) -> FloatArray:
    rng = np.random.default_rng(0)
    return rng.uniform(-0.5, 0.5, (n_segments, n_samples)).astype(np.float32)


# What a card says


def test_a_card_tells_what_the_network_hears(ear: Path) -> None:
    card = read_card(ear)
    assert card.model_id.startswith("little ear-")
    assert (card.labels, card.genre_labels) == (("Jazz", "Punk", "applause"), ("Jazz", "Punk"))
    assert (card.sample_rate, card.n_samples) == (16_000, 49 * 256 + 512)
    assert (card.writable, dict(card.thresholds)) == ((), {})
    assert card.provenance["licence"] == "CC0-1.0"


def test_another_file_or_another_meaning_is_another_model(ear: Path, tmp_path: Path) -> None:
    ids = {read_card(ear).model_id}
    make_onnx(ear, biases=(9.0, 0.0, 0.0, 0.0))
    ids.add(read_card(ear).model_id)
    make_onnx(ear, without(genres={"Bebop": "Jazz", "Punk": "Punk"}))
    ids.add(read_card(ear).model_id)
    assert len(ids) == 3
    write_card(ear.with_suffix(".toml"), without(genres={"Punk": "Punk"}, licence="other"))
    own = read_card(ear).model_id
    write_card(ear.with_suffix(".toml"), without(genres={"Punk": "Punk"}))
    assert read_card(ear).model_id == own  # its licence changes nothing that it hears


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (without("name"), "name must be a text"),
        (without("licence"), "licence must be a text"),
        (without(front_end="mel"), "front_end is 'mel'; there are: ours, musicnn, maest"),
        (without(sample_rate=44_100), "front end musicnn hears 16000 samples a second"),
        (without(segments=0), "segments must be a number from 1 to 256"),
        (without(segments=True), "segments must be a number"),
        (without(treshold=1), "treshold is nothing that a card can say"),
        (without("embedding"), "[embedding] output must be a text"),
        (without(input={"name": "mel", "layout": ["batch", "mels"]}), "must name frames, mels"),
        (without(input={**CARD["input"], "size": 3}), "[input] size is nothing"),
        (without("genres"), "says of no label which genre"),
        (without(genres={"Polka": "Folk"}), "speaks of 'Polka'"),
        (without(genres={"Bebop": "Punk"}), "'Punk' is a genre in [genres] and a label"),
        (without(labels={**CARD["labels"], "names": ["a", "a"]}), "a name twice"),
        (without(labels={**CARD["labels"], "activation": "relu"}), "activation is 'relu'"),
        (without(labels="Rock"), "[labels] must be a table"),
        (without("front_end", front_end="waveform"), "samples must be a number"),
        (without(name="a\x1b[2J"), r"name has control characters: 'a\x1b[2J'"),
        (without(genres={"Punk": "Pu\nnk"}), r"[genres] Punk has control characters"),
        (without(embedding={"output": "a\x07", "size": 4}), "output has control characters"),
        (
            without(labels={**CARD["labels"], "names": ["a", "b\x1b"]}),
            "names has control characters",
        ),
        (without(segments=10**300), "segments must be a number from 1 to 256"),
    ],
)
def test_a_card_that_does_not_say_what_is_needed_is_refused(
    ear: Path, card: dict[str, Any], said: str
) -> None:
    write_card(ear.with_suffix(".toml"), card)
    with pytest.raises(CheckpointError) as caught:
        read_card(ear)
    assert said in str(caught.value)
    assert "ear.toml" in str(caught.value)


@pytest.mark.parametrize("number", [0, 1])
def test_the_cards_of_the_documentation_are_cards(ear: Path, number: int) -> None:
    page = (Path(__file__).parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
    cards = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(cards) == 2
    ear.with_suffix(".toml").write_text(textwrap.dedent(cards[number]), encoding="utf-8")
    assert read_card(ear).segment_s == pytest.approx([2.064, 10.0][number])


@pytest.mark.parametrize("text", ["name = ", b"name = '\xff'"])
def test_a_card_that_is_no_toml_is_refused(ear: Path, text: str | bytes) -> None:
    toml = ear.with_suffix(".toml")
    toml.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(CheckpointError, match="no TOML"):
        read_card(ear)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", [".toml", ".onnx"])
def test_a_card_or_a_network_that_is_no_file_is_refused_and_not_waited_for(
    ear: Path, what: str
) -> None:
    ear.with_suffix(what).unlink()
    os.mkfifo(ear.with_suffix(what))
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_card(ear)
    ear.with_suffix(what).unlink()
    ear.with_suffix(what).symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_card(ear)


def test_a_card_longer_than_any_sane_one_is_refused(ear: Path) -> None:
    with ear.with_suffix(".toml").open("ab") as file:
        file.truncate(2 * 2**20)
    with pytest.raises(CheckpointError, match="it has 2 MiB; at most 1 can be used"):
        read_card(ear)
    ear.with_suffix(".toml").write_text("segments = 1" + "0" * 9000, encoding="utf-8")
    with pytest.raises(CheckpointError, match="no TOML"):
        read_card(ear)


def test_a_name_in_capitals_and_a_link_are_a_network_as_well(ear: Path, tmp_path: Path) -> None:
    own = read_card(ear)
    (tmp_path / "link.onnx").symlink_to(ear)
    assert read_card(tmp_path / "link.onnx").model_id == own.model_id
    (tmp_path / "folder").mkdir()
    loud = tmp_path / "folder" / "EAR.ONNX"
    loud.write_bytes(ear.read_bytes())
    write_card(loud.with_suffix(".toml"), CARD)
    assert load_checkpoint(find_model(str(loud))).card.model_id == own.model_id
    with pytest.raises(CheckpointError, match=r"it is the card of EAR\.ONNX"):
        read_card(loud.with_suffix(".toml"))


def test_a_network_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file; say where the network is now"):
        find_model(str(tmp_path / "gone.onnx"))


def test_a_card_that_is_named_for_its_network_says_so(ear: Path) -> None:
    with pytest.raises(CheckpointError, match=r"it is the card of ear\.onnx; name that"):
        read_card(ear.with_suffix(".toml"))


def test_a_network_without_a_card_is_refused(ear: Path) -> None:
    ear.with_suffix(".toml").unlink()
    with pytest.raises(CheckpointError, match=r"needs a card beside it, ear\.toml"):
        read_card(ear)


# How it is fed, and what it gives


def heard_by(path: Path, features: torch.Tensor) -> tuple[FloatArray, FloatArray]:
    output = load_checkpoint(path).network(features)
    return output.logits.numpy(), output.embedding.numpy()


def test_outputs_that_mean_one_genre_count_as_the_largest(ear: Path) -> None:
    features = torch.rand(3, N_MELS, 50)
    logits, embedding = heard_by(ear, features)
    assert logits.tolist() == [[2.0, 1.0, 0.0]] * 3
    assert np.allclose(embedding, features.mean(dim=2), atol=1e-6)


@pytest.mark.parametrize(
    ("layout", "shape", "over"),
    [
        (["batch", "mels", "frames"], ("n", N_MELS, 50), (2,)),
        (["batch", "channel", "frames", "mels"], ("n", 1, 50, N_MELS), (1, 2)),
        (["batch", "mels", "frames", "channel"], ("n", N_MELS, 50, 1), (2, 3)),
        (["frames", "mels"], (50, N_MELS), (0,)),
    ],
)
def test_features_are_laid_out_as_the_card_says(
    tmp_path: Path, layout: list[str], shape: tuple[int | str, ...], over: tuple[int, ...]
) -> None:
    card = without(input={"name": "mel", "layout": layout})
    path = make_onnx(tmp_path / "ear.onnx", card, shape=shape, over=over)
    features = torch.rand(3, N_MELS, 50)
    assert np.allclose(heard_by(path, features)[1], features.mean(dim=2), atol=1e-6)


@pytest.mark.parametrize("n_segments", [1, 4, 5])
def test_a_file_that_takes_one_number_of_segments_gets_it(tmp_path: Path, n_segments: int) -> None:
    card = without(input={**CARD["input"], "batch": 4})
    path = make_onnx(tmp_path / "ear.onnx", card, shape=(4, 50, N_MELS))
    features = torch.rand(n_segments, N_MELS, 50)
    logits, embedding = heard_by(path, features)
    assert logits.shape == (n_segments, 3)
    assert np.allclose(embedding, features.mean(dim=2), atol=1e-6)


def test_a_file_that_takes_the_waveform_and_gives_many_rows_counts_as_their_mean(
    tmp_path: Path,
) -> None:
    """As exports of YAMNet do: one waveform in, a row each half second out."""
    card = without(
        "frames",
        front_end="waveform",
        samples=1000,
        input={"name": "mel", "layout": ["samples"]},
        embedding={"output": "embedding", "size": 100},
        labels={**CARD["labels"], "activation": "sigmoid", "values": "probabilities"},
    )
    path = tmp_path / "ear.onnx"
    arrays: dict[str, NDArray[Any]] = {
        "rows": np.array([10, 100], np.int64),
        "weight": np.zeros((100, 4), np.float32),
        "bias": np.array([0.5, 0.9, 0.25, 0.0], np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["mel", "rows"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
    ]
    save(path, nodes, arrays, ("n",))
    write_card(path.with_suffix(".toml"), card)
    waveforms = noise(2, 1000)
    logits, embedding = heard_by(path, torch.from_numpy(waveforms))
    assert np.allclose(embedding, waveforms.reshape(2, 10, 100).mean(axis=1), atol=1e-6)
    probabilities = 1 / (1 + np.exp(-logits))
    assert np.allclose(probabilities, [[0.9, 0.25, 0.0]] * 2, atol=1e-5)


def test_probabilities_of_labels_that_exclude_each_other_come_out_as_they_were(
    tmp_path: Path,
) -> None:
    card = without(labels={**CARD["labels"], "values": "probabilities"})
    path = make_onnx(tmp_path / "ear.onnx", card, biases=(0.1, 0.6, 0.2, 0.1))
    logits, _ = heard_by(path, torch.rand(1, N_MELS, 50))
    assert np.allclose(np.exp(logits), [[0.6, 0.2, 0.1]], atol=1e-6)


# Front ends


def test_the_front_end_of_musicnn_is_that_of_the_bundled_network(ear: Path) -> None:
    own = load_checkpoint(find_model("musicnn")).front_end
    waveforms = torch.from_numpy(noise(2, 48_000))
    assert torch.equal(load_checkpoint(ear).front_end(waveforms), own(waveforms))


def test_the_front_end_of_maest_is_musicnns_standardised(tmp_path: Path) -> None:
    """By the constants of MAESTFeatureExtractor."""
    path = make_onnx(tmp_path / "maest.onnx", without("frames", front_end="maest"))
    card = read_card(path)
    assert card.n_samples == 1875 * 256 + 512
    waveforms = torch.from_numpy(noise(1, 20_000))
    musicnn = LogMel(FrontEndConfig(16_000, 512, 256, 96, compression="log-gain"))(waveforms)
    expected = (musicnn - 2.06755686098554) / (1.268292820667291 * 2)
    assert torch.allclose(load_checkpoint(path).front_end(waveforms), expected, atol=1e-6)


@pytest.mark.parametrize("offset", [0.001, 0.01])
def test_the_front_ends_of_audioset_are_as_their_sources_say(offset: float) -> None:
    """Window by window, filter by filter, in plain words; no reference of theirs is at hand."""
    waveform = noise(1, 15_600)[0].astype(np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = [
        np.abs(np.fft.rfft(waveform[i * 160 : i * 160 + 400] * window, 512)) for i in range(96)
    ]
    mel = 1127 * np.log(1 + np.arange(257) * 16_000 / 512 / 700)
    low, high = 1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700)
    step = (high - low) / 65
    expected = np.empty((64, 96))
    for band in range(64):
        peak = low + (band + 1) * step
        height = np.maximum(0, 1 - np.abs(mel - peak) / step)
        height[0] = 0
        expected[band] = [np.log(frame @ height + offset) for frame in frames]
    made = AudioSetLogMel(offset)(torch.from_numpy(waveform.astype(np.float32))[None])[0]
    assert made.shape == (64, 96)
    assert np.abs(made.numpy() - expected).max() < 1e-3


def test_a_segment_of_yamnet_is_its_patch(tmp_path: Path) -> None:
    card = without("frames", front_end="yamnet")
    path = make_onnx(tmp_path / "ear.onnx", card)
    assert read_card(path).n_samples == 15_600  # as YAMNet pads the shortest waveform to


# What is refused


def test_without_onnxruntime_it_is_said_how_to_get_it(
    ear: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(CheckpointError, match="-m pip install onnxruntime"):
        load_checkpoint(ear)


@pytest.mark.parametrize("content", [b"", b"no network", bytes(range(256)) * 20])
def test_a_file_that_is_no_network_is_refused(ear: Path, content: bytes) -> None:
    ear.write_bytes(content)
    with pytest.raises(CheckpointError, match="onnxruntime cannot load it"):
        load_checkpoint(ear)


def test_weights_in_another_file_are_refused(ear: Path) -> None:
    onnx.save_model(
        onnx.load(ear),
        ear,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    with pytest.raises(CheckpointError, match="keeps weights in another file"):
        read_card(ear)


def test_a_file_that_no_worker_could_hold_is_refused(ear: Path) -> None:
    with ear.open("ab") as file:
        file.truncate(513 * 2**20)  # a hole: it takes no room
    with pytest.raises(CheckpointError, match="it has 513 MiB; at most 512"):
        read_card(ear)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input": {**CARD["input"], "name": "waves"}}, "has the inputs mel, and not waves"),
        ({"embedding": {"output": "middle", "size": N_MELS}}, "has no output middle"),
        ({"labels": {**CARD["labels"], "output": "end"}}, "has no output end"),
        (
            {"input": {"name": "mel", "layout": ["batch", "channel", "frames", "mels"]}},
            "takes 3 dimensions, not 4",
        ),
    ],
)
def test_a_file_with_other_ends_than_its_card_says_is_refused(
    ear: Path, changes: dict[str, Any], said: str
) -> None:
    write_card(ear.with_suffix(".toml"), without(**changes))
    with pytest.raises(CheckpointError, match=said):
        load_checkpoint(ear)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_numbers_beyond_0_and_1_are_not_believed_to_be_probabilities(
    tmp_path: Path, activation: str
) -> None:
    labels = {**CARD["labels"], "values": "probabilities", "activation": activation}
    path = make_onnx(tmp_path / "ear.onnx", without(labels=labels))
    n_frames = read_card(path).front_end["n_frames"]
    with pytest.raises(CheckpointError, match=r'beyond 0 and 1.*values = "logits"'):
        heard_by(path, torch.zeros(1, N_MELS, n_frames))


def test_a_network_that_takes_more_memory_than_there_is_costs_the_track(
    ear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> object:
        raise ort.RuntimeException("[ONNXRuntimeError] : 6 : Non-zero status: std::bad_alloc")

    monkeypatch.setattr("onnxruntime.InferenceSession.run", run)
    failure = analyse_file(make_track(tmp_path / "a.flac", 4.0), ear)
    assert isinstance(failure, TrackFailure)
    assert failure.reason.code is ReasonCode.NO_MEMORY


def test_a_network_that_takes_too_long_is_not_the_files_fault(ear: Path) -> None:
    hung: Lost[AnalysisTask] = Lost(
        AnalysisTask(Path("a.mp3"), ()), Reason(ReasonCode.HUNG, {"timeout_s": 5.0})
    )
    card = read_card(ear)
    track = Track(AudioFile(Path("a.mp3"), Path(), 1, 1), None)
    for path, code in ((ear, ReasonCode.SLOW_NETWORK), (Path("a.pt"), ReasonCode.HUNG)):
        workers = Losing(hung)
        pool = AnalysisPool(card, {card.model_id: path}, workers, 5.0, are_elsewhere=False)
        (heard,) = pool.hear([track])
        assert heard.failure is not None
        assert heard.failure.reason.code is code


@dataclass
class Losing:
    """Workers that lose what they are given."""

    lost: Lost[AnalysisTask]
    n_at_once: int = 1

    def map_unordered(self, *_: object, **__: object) -> Any:
        yield self.lost


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frames": 60}, "cannot be run on 1 x 60 x 96 numbers"),
        ({"embedding": {"output": "embedding", "size": 7}}, "gives 1 x 96 numbers for 1 segments"),
        (
            {
                "labels": {**CARD["labels"], "names": ["Bebop", "Swing", "Punk"]},
                "input": CARD["input"],
            },
            "gives 1 x 4 numbers for 1 segments, not 3",
        ),
    ],
)
def test_a_run_ends_where_the_card_says_other_numbers_than_there_are(
    ear: Path, music: Path, place: Path, changes: dict[str, Any], said: str
) -> None:
    make_track(music / "1.flac", 4.0)
    write_card(ear.with_suffix(".toml"), without(**{"segments": 1, **changes}))
    outcome = run_tagger("tag", music, "--model", ear, "--catalog", place)
    assert outcome.code == 2
    assert said in outcome.err


def test_a_track_of_which_it_gives_no_number_fails_and_the_rest_goes_on(
    tmp_path: Path, music: Path, place: Path
) -> None:
    path = make_onnx(tmp_path / "ear.onnx", scale=float("nan"))
    make_track(music / "1.flac", 4.0)
    make_track(music / "2.flac", 0.3)
    outcome = run_tagger(
        "tag", music, "--model", path, "--catalog", place, "--format", "jsonl", "--jobs", "1"
    )
    assert outcome.code == 1
    record = outcome.by_name["1.flac"]
    assert (record["status"], record["reason_code"]) == ("failed", "no_number")
    assert outcome.by_name["2.flac"]["status"] == "unsure"


# As a user does it


def test_it_writes_nothing_by_itself(ear: Path, music: Path, place: Path) -> None:
    track = make_track(music / "1.flac", 4.0)
    outcome = run_tagger("tag", music, "--model", ear, "--catalog", place, "--format", "jsonl")
    record = outcome.by_name["1.flac"]
    assert (record["status"], record["reason_code"]) == ("unsure", "untrusted")
    assert record["suggestions"][0]["genre"] == "Jazz"
    assert "applause" not in [one["genre"] for one in record["suggestions"]]
    assert genre_of(track) == []


def test_a_network_without_labels_hears_and_says_nothing(
    tmp_path: Path, music: Path, place: Path
) -> None:
    path = make_onnx(tmp_path / "ear.onnx", without("labels", "genres"))
    tracks = [make_track(music / f"{n}.flac", 4.0, album="One", artist="A") for n in range(3)]
    asked = ("--min-confidence", "0", "--genres", "all", "--format", "jsonl")
    outcome = run_tagger("tag", music, "--model", path, "--catalog", place, *asked)
    assert outcome.code == 0, outcome.err
    assert {record["reason_code"] for record in outcome.records} == {"no_labels"}
    assert all(genre_of(track) == [] for track in tracks)
    with Catalog.open(place) as catalog:
        assert len(catalog.embeddings(read_card(path).model_id).track_ids) == 3
    assert run_tagger("catalog", "check", "--catalog", place).code == 0
    assert run_tagger("info", tracks[0], "--catalog", place).code == 0
    assert run_tagger("similar", tracks[0], "--model", path, "--catalog", place).code == 0


def library_of(music: Path) -> Path:
    """A library whose genres are loud and soft, and a blank that is loud; the blank."""
    for n in range(48):
        is_loud = n % 2 == 0
        path = make_track(music / f"{n:02d}.flac", 4.0, gain=0.6 if is_loud else 0.002)
        genre = "Gabber" if is_loud else "Fado"
        set_tags(path, genre=genre, artist=f"{genre} {n // 2 % 12}")
    return make_track(music / "blank.flac", 4.0, gain=0.6)


@pytest.mark.parametrize("has_labels", [True, False])
def test_the_tags_of_its_owner_calibrate_it(
    music: Path, place: Path, tmp_path: Path, *, has_labels: bool
) -> None:
    left_out = () if has_labels else ("labels", "genres")
    path = make_onnx(tmp_path / "ear.onnx", without(*left_out))
    blank, mine = library_of(music), tmp_path / "mine.pt"
    common = ("--catalog", place, "--jobs", "1")
    told = run_tagger("learn", music, "--model", path, "-o", mine, "--format", "json", *common)
    assert told.code == 0, told.err
    assert [one["genre"] for one in json.loads(told.out)["genres"]] == ["Fado", "Gabber"]
    assert mine.stat().st_size < 100_000  # the network is not copied into it
    outcome = run_tagger("tag", music, "--model", mine, "--format", "jsonl", *common)
    assert outcome.by_name["blank.flac"]["genres"] == ["Gabber"], outcome.err
    assert genre_of(blank) == ["Gabber"]
    heard = analyse_file(blank, mine)  # as in a catalogue that knows nothing
    assert isinstance(heard, TrackPrediction)
    assert heard.probabilities["Gabber"] > 0.9


def test_what_was_learned_says_so_where_the_network_is_gone_or_another(
    music: Path, place: Path, tmp_path: Path
) -> None:
    path = make_onnx(tmp_path / "ear.onnx", without("labels", "genres"))
    library_of(music)
    mine = tmp_path / "mine.pt"
    run_tagger("learn", music, "--model", path, "-o", mine, "--catalog", place, "--jobs", "1")
    make_onnx(path, without("labels", "genres"), scale=2.0)
    new = make_track(music / "new.flac", 4.0)
    outcome = run_tagger("tag", new, "--model", mine, "--catalog", place)
    assert outcome.code == 2
    assert "learn anew" in outcome.err
    path.unlink()
    outcome = run_tagger("tag", new, "--model", mine, "--catalog", place)
    assert outcome.code == 2
    assert str(path) in outcome.err


def test_where_the_network_of_the_remembered_model_is_gone_the_default_is_used_with_a_word(
    music: Path, place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_onnx(tmp_path / "ear.onnx", without("labels", "genres"))
    new, mine = library_of(music), tmp_path / "mine.pt"
    common = ("--catalog", place, "--jobs", "1")
    assert run_tagger("learn", music, "--model", path, "-o", mine, *common).code == 0
    assert run_tagger("tag", new, "--model", mine, "--no-write", *common).code == 0
    path.rename(tmp_path / "moved.onnx")
    outcome = run_tagger("tag", new, "--dry-run", *common)
    assert outcome.code == 0, outcome.err
    assert f"{path} is gone, on which {mine} was learned: using the default" in caplog.text


def test_a_card_in_the_folder_of_models_is_no_model_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, music: Path, place: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setattr("tagger.models.choosing.models_folder", lambda: models)
    make_onnx(models / "ear.onnx")
    make_track(music / "1.flac", 4.0)
    outcome = run_tagger("tag", music, "--model", "ear", "--catalog", place, "--format", "jsonl")
    assert outcome.records[0]["model"].startswith("little ear-")
    assert "ear.toml" not in outcome.err
    assert "ear.toml" not in run_tagger("report", "-o", tmp_path / "r.html", "--catalog", place).err
