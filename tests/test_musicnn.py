"""The second bundled network: equal to the original, and as much at home here as the first.

What the original says stands in golden/musicnn.npz, written by tools/musicnn_original.py of three
of the example recordings: the tags of their first patches, and the log-mels of the very first.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from tagger.catalog import Catalog
from tagger.errors import CheckpointError
from tagger.hearing.analysis import analyse_file
from tagger.models import files as model_files
from tagger.models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from tagger.models.files import find_model, read_card
from tagger.networks import MusicNN, MusicNNConfig, network_of_card
from tagger.networks.musicnn import Filters
from tagger.records import TrackPrediction
from tagger.tagging.decision import make_policy
from tests.library import make_track, run_tagger
from tools.compare_musicnn import TOLERANCE, listen, load_oracle
from training.odd_sounds import nth_sound
from training.oddities import hear

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden" / "musicnn.npz"
EXAMPLES = {path.name: path for path in (ROOT / "examples").glob("*/*/*")}
SHAPE = MusicNNConfig(
    n_labels=3, embedding_dim=5, timbre_channels=(4, 5), rhythm_channels=(2, 1, 3), channels=4
)


@pytest.fixture(scope="module")
def musicnn() -> LoadedModel:
    """The bundled one."""
    return load_checkpoint(find_model("musicnn"))


def small() -> MusicNN:
    torch.manual_seed(0)
    return MusicNN(SHAPE).eval()


def test_every_tag_is_as_the_original_has_it_of_its_own_mels(musicnn: LoadedModel) -> None:
    assert isinstance(musicnn.network, MusicNN)
    with np.load(GOLDEN) as golden:
        names = sorted(load_oracle(GOLDEN))
        mels = np.stack([golden[f"{name}|mel"].astype(np.float32).T for name in names])
        theirs = np.stack([golden[f"{name}|tags"][0] for name in names])
    with torch.inference_mode():
        ours = musicnn.network.tags(torch.from_numpy(mels)).numpy()
    assert theirs.max() > 0.3
    assert np.abs(ours - theirs).max() < TOLERANCE


def test_every_tag_is_as_the_original_has_it_from_the_file_on(musicnn: LoadedModel) -> None:
    for name, theirs in load_oracle(GOLDEN).items():
        ours = listen(musicnn, EXAMPLES[Path(name).name], len(theirs))
        assert np.abs(ours - theirs).max() < TOLERANCE


def test_docstring_tells_the_number_of_parameters() -> None:
    n_parameters = MusicNN(MusicNNConfig()).n_parameters
    assert f"{n_parameters:,} parameters" in str(MusicNN.__doc__)
    assert read_card(find_model("musicnn")).n_parameters == n_parameters


def test_a_filter_whose_norm_turns_its_answer_gives_the_highest_after_it() -> None:
    filters = Filters(4, 7, 38).eval()
    weight = torch.tensor([1.0, -1.0, 2.0, -0.5])
    image = torch.randn(1, 1, 20, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        filters.norm.weight.copy_(weight)
        maps = torch.relu(filters.conv(torch.nn.functional.pad(image, (0, 0, 3, 3))))
        normed = maps * weight[:, None, None] / np.sqrt(1 + 1e-3)
        assert torch.allclose(filters(image), normed.amax(dim=3), atol=1e-5)


@pytest.mark.parametrize("n_frames", [130, 187, 200])
def test_filters_of_any_length_keep_the_number_of_frames(n_frames: int) -> None:
    network = small()
    image = torch.randn(2, 1, n_frames, 96)
    for filters in (*network.timbre, *network.rhythm):
        assert filters(image).shape[2] == n_frames


def test_segments_of_a_batch_do_not_touch_each_other() -> None:
    network, mels = small(), torch.rand(3, 96, 187)
    with torch.inference_mode():
        together, alone = network(mels), network(mels[1:2])
    assert torch.allclose(together.logits[1:2], alone.logits, atol=1e-5)
    assert together.embedding.shape == (3, 5)


def test_calibration_changes_the_logits_and_not_the_tags() -> None:
    network, mels = small(), torch.rand(1, 96, 187)
    with torch.inference_mode():
        plain, tags = network(mels).logits, network.tags(mels)
        network.mix.mul_(2.0)
        network.shift.fill_(1.0)
        assert torch.allclose(network(mels).logits, 2 * plain + 1, atol=1e-5)
        assert torch.allclose(network.tags(mels), tags, atol=1e-6)


def test_weights_may_have_a_scale_a_label_where_others_have_a_mix() -> None:
    network, mels = small(), torch.rand(1, 96, 187)
    state = network.state_dict()
    del state["mix"]
    with torch.inference_mode():
        plain = network(mels).logits
        network.load_state_dict({**state, "scale": torch.tensor([1.0, 2.0, -3.0])})
        assert torch.allclose(network(mels).logits, plain * torch.tensor([1.0, 2.0, -3.0]))


def test_a_card_may_have_one_number_of_filters_for_all_sizes() -> None:
    config = network_of_card("musicnn", {"timbre_channels": 204, "rhythm_channels": 51}).config
    assert config == MusicNNConfig(timbre_channels=(204, 204), rhythm_channels=(51, 51, 51))


def test_a_shape_that_is_not_its_own_is_refused() -> None:
    with pytest.raises(TypeError):
        network_of_card("musicnn", {"gru_size": 3})
    with pytest.raises(ValueError, match="no architecture 'vgg'"):
        network_of_card("vgg", {})


def test_weights_of_the_other_network_are_refused(musicnn: LoadedModel, tmp_path: Path) -> None:
    other = load_checkpoint(find_model("fast"))
    path = tmp_path / "odd.pt"
    save_checkpoint(path, other.network, musicnn.card)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_checkpoint(path)


def test_moods_and_decades_are_heard_but_no_genres(musicnn: LoadedModel) -> None:
    labels, genres = set(musicnn.card.labels), set(musicnn.card.genre_labels)
    assert len(labels) == 50
    assert {"80s", "happy", "female vocalists", "instrumental", "experimental"} <= labels - genres
    assert {"Rock", "Hip-Hop", "R&B", "Progressive Rock", "House", "Jazz"} <= genres
    assert musicnn.card.broader["Indie Rock"] == "Rock"


def test_its_probabilities_are_each_ones_own() -> None:
    jazz = analyse_file(EXAMPLES["01 Vibe Ace.opus"], find_model("musicnn"))
    assert isinstance(jazz, TrackPrediction)
    assert jazz.probabilities["Jazz"] == jazz.confidence > 0.4
    assert sum(jazz.probabilities.values()) > 1.0


def test_music_that_it_does_not_know_comes_out_unsure(tmp_path: Path, in_process: None) -> None:
    dry = ("--dry-run", "--format", "jsonl", "--catalog", tmp_path / "catalog.db")
    heard = run_tagger("tag", ROOT / "examples", "--model", "musicnn", *dry).by_name
    for name in ("Dance of the Sugar Plum Fairy.flac", "Humpback Whale Song.wav"):
        assert heard[f"01 {name}"]["status"] == "unsure"
    assert heard["07 Hungarian Dance No. 5.ogg"]["genres"] == ["Classical"]  # as it stood there


@pytest.mark.parametrize("kind", ["clicks", "ticking", "rain"])
def test_sounds_that_are_no_music_get_no_genre(musicnn: LoadedModel, kind: str) -> None:
    card = musicnn.card
    policy = make_policy(card.genre_labels, card.writable, card.thresholds)
    for i in range(2):
        sound = nth_sound(kind, i, 0, card.sample_rate, 20 * card.sample_rate)
        assert policy.choose(hear(musicnn, sound.astype(np.float32)).probabilities) == ()


def test_two_networks_live_side_by_side_in_a_catalogue(
    model: Path, tmp_path: Path, in_process: None
) -> None:
    music, place = tmp_path / "music", tmp_path / "catalog.db"
    for i in range(3):
        make_track(music / f"{i}.flac", 8.0 + 4 * i)  # of one length they would be one recording
    common = ("--catalog", place, "--format", "jsonl")
    for name, dim in ((str(model), 8), ("musicnn", 200)):
        tagged = run_tagger("tag", music, "--model", name, "--no-write", *common)
        model_id = read_card(find_model(name)).model_id
        assert {record["model"] for record in tagged.records} == {model_id}
        assert run_tagger("info", music / "0.flac", *common).records[0]["model"] == model_id
        assert len(run_tagger("similar", music / "0.flac", *common).records) == 2
        with Catalog.open(str(place)) as catalog:
            assert catalog.embeddings(model_id).vectors.shape == (3, dim)
    with Catalog.open(str(place)) as catalog:
        assert len(catalog.embeddings(read_card(model).model_id).vectors) == 3


def test_nothing_breaks_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "default.pt").symlink_to(find_model("fast"))
    monkeypatch.setattr(model_files, "BUNDLED", tmp_path)
    assert read_card(find_model("default")).exclusive
    outcome = run_tagger("tag", tmp_path, "--model", "musicnn", "--catalog", tmp_path / "c.db")
    assert outcome.code == 2
    assert "there is no such model; there are: fast" in outcome.err
