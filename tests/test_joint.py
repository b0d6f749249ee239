"""Several networks heard as one: what they say together, and that none is heard twice."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import Catalog
from tagger.cli import learn
from tagger.errors import CheckpointError
from tagger.files.scan import ScanOptions, ScanTally, scan
from tagger.hearing import analysis
from tagger.models import choosing as cli_models
from tagger.models import files as model_files
from tagger.models.card import ModelCard
from tagger.models.checkpoint import load_checkpoint
from tagger.models.files import find_model, read_card
from tagger.models.head import Head
from tagger.models.novelty import Novelty
from tagger.models.verdict import derive
from tagger.reasons import Reason, ReasonCode
from tagger.records import TrackFailure, TrackPrediction
from tests.catalogs import Location, assert_consistent, database
from tests.library import contents, genre_of, make_model, make_track, make_tracks, run_tagger

pytestmark = pytest.mark.usefixtures("in_process")

SHORT = Reason(ReasonCode.TOO_SHORT, {"duration_s": 0.4, "needed_s": 3.0})
RULE = 'members = ["first", "second"]\nagreeing = ["Rock"]\ndoubt_left = 0.45\n'
PATH = Path("/music/a.mp3")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two networks that hear Rock in everything, of which the first alone may never write it."""
    folder = tmp_path / "models"
    folder.mkdir()
    strict = {"Rock": 0.7, "Folk": 0.7, "Electronic": 0.7}
    make_model(folder / "first.pt", model_id="first-1", thresholds=strict)
    make_model(folder / "second.pt", model_id="second-1", writable=("Folk",))
    (folder / "both.toml").write_text(RULE)
    for module in (model_files, analysis, learn, cli_models):
        monkeypatch.setattr(module, "BUNDLED", folder)
    _forget_loaded()
    yield folder
    _forget_loaded()


def _forget_loaded() -> None:
    analysis._card.cache_clear()
    analysis._model.cache_clear()


Heard = Callable[[], list[str]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What was heard since it was last asked: the network's name for each track."""
    names: list[str] = []
    hear = analysis._hear

    def counted(path: Path, model_path: Path, most: int) -> TrackPrediction | TrackFailure:
        names.append(model_path.stem)
        return hear(path, model_path, most)

    def since() -> list[str]:
        told = sorted(names)
        names.clear()
        return told

    monkeypatch.setattr(analysis, "_hear", counted)
    return since


def said(first: dict[str, float], second: dict[str, float], **changes: object) -> TrackPrediction:
    """What both say of a track together; changes are the second's."""
    one = TrackPrediction(PATH, first, 0.5, np.ones(8, np.float32), 4, "first-1", 9.0)
    other = replace(one, probabilities=second, model_id="second-1", **changes)  # type: ignore[arg-type]
    together = derive(read_card(find_model("both")), {"first-1": one, "second-1": other})
    assert together is not None
    return together


def of(**probabilities: float) -> dict[str, float]:
    return {"Electronic": 0.0, "Experimental": 0.0, "Folk": 0.0, "Rock": 0.0} | probabilities


@pytest.mark.parametrize(
    ("first", "second", "rock"),
    [
        (of(Rock=0.6, Folk=0.4), of(Rock=0.3), 0.82),
        (of(Rock=0.6, Folk=0.4), of(Folk=0.6, Rock=0.4), 0.6),
        (of(Rock=0.4, Folk=0.6), of(Rock=0.9), 0.4),
    ],
)
@pytest.mark.usefixtures("models")
def test_only_agreement_on_the_likeliest_leaves_less_doubt(
    first: dict[str, float], second: dict[str, float], rock: float
) -> None:
    assert said(first, second).probabilities["Rock"] == pytest.approx(rock)


@pytest.mark.usefixtures("models")
def test_a_genre_counts_as_the_first_hears_it_that_may_write_it() -> None:
    one = said(of(Folk=0.9, Electronic=0.2), of(Folk=0.8, Electronic=0.7))
    assert one.probabilities["Folk"] == pytest.approx(0.9), "agreement on Folk is worth nothing"
    assert one.probabilities["Electronic"] == pytest.approx(0.2)


@pytest.mark.usefixtures("models")
def test_what_is_strange_or_unheard_to_either_is_so_to_both() -> None:
    strange = said(of(Rock=0.9), of(Rock=0.9), is_novel=True)
    assert strange.is_novel
    assert strange.confidence == pytest.approx(0.5)
    silent = said(of(Rock=0.9), of(Rock=0.9), unheard=SHORT, embedding=None)
    assert (silent.unheard, silent.confidence) == (SHORT, 0.0)


def tag(music: Path, place: Location, model: str, *options: str) -> dict[str, str]:
    ran = run_tagger(
        "tag", music, "--catalog", place, "--model", model, "--by", "track", "--format", "jsonl",
        *options, XDG_DATA_HOME=os.environ["XDG_DATA_HOME"],
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return ran.statuses


@pytest.mark.usefixtures("models")
def test_what_neither_may_write_alone_both_write_and_undo_takes_back(
    tmp_path: Path, location: Location
) -> None:
    music, place = tmp_path / "music", location
    path = make_track(music / "a.flac")
    before = path.read_bytes()
    assert tag(music, place, "first", "--no-write") == {"a.flac": "unsure"}
    assert tag(music, place, "second", "--no-write") == {"a.flac": "unsure"}
    assert tag(music, place, "both") == {"a.flac": "written"}
    assert genre_of(path) == ["Rock"]
    undone = run_tagger("undo", "--catalog", place, XDG_DATA_HOME=os.environ["XDG_DATA_HOME"])
    assert undone.code == 0, undone.err
    assert path.read_bytes() == before


def test_where_they_hear_different_genres_nothing_is_written(tmp_path: Path, models: Path) -> None:
    make_model(models / "second.pt", "Folk", model_id="second-2", writable=("Folk",))
    make_track(tmp_path / "music" / "a.flac")
    assert tag(tmp_path / "music", tmp_path / "c.db", "both") == {"a.flac": "unsure"}


@pytest.mark.usefixtures("models")
def test_only_what_is_missing_is_heard(tmp_path: Path, location: Location, heard: Heard) -> None:
    music, place = tmp_path / "music", location
    make_tracks(music, 2)
    tag(music, place, "first", "--no-write")
    assert heard() == ["first", "first"]
    tag(music, place, "both", "--dry-run")
    assert heard() == ["second", "second"]
    tag(music, place, "both", "--no-write")
    assert heard() == ["second", "second"]
    assert set(tag(music, place, "both").values()) == {"written"}
    for model in ("both", "second", "first"):
        tag(music, place, model)
    assert heard() == []
    tag(music, place, "both", "--force")
    assert heard() == ["first", "first", "second", "second"]


@pytest.mark.usefixtures("models")
def test_what_each_heard_stays_that_of_the_run_that_heard_it(tmp_path: Path) -> None:
    music, place = tmp_path / "music", tmp_path / "c.db"
    make_track(music / "a.flac")
    for model in ("first", "second", "both"):
        tag(music, place, model, "--no-write", "--refresh")
    with database(place) as connection:
        rows = connection.execute("SELECT model_id, run_id FROM predictions ORDER BY run_id")
        assert [(name.partition("-")[0], run) for name, run in rows.fetchall()] == [
            ("first", 1),
            ("second", 2),
            ("both", 3),
        ]


@pytest.mark.usefixtures("models")
def test_what_was_heard_without_its_embedding_is_heard_again(tmp_path: Path, heard: Heard) -> None:
    music, place = tmp_path / "music", tmp_path / "c.db"
    make_track(music / "a.flac")
    tag(music, place, "first", "--no-write")
    with database(place) as connection:
        connection.execute("UPDATE predictions SET block_id = NULL, block_row = NULL")
        connection.execute("DELETE FROM embedding_blocks")
    assert heard() == ["first"]
    tag(music, place, "both", "--no-write")
    assert heard() == ["first", "second"]
    assert_consistent(place)


@pytest.mark.usefixtures("models")
def test_a_copy_takes_over_what_each_has_heard(
    tmp_path: Path, location: Location, heard: Heard
) -> None:
    music, place = tmp_path / "music", location
    path = make_track(music / "a.flac")
    tag(music, place, "both", "--no-write")
    assert heard() == ["first", "second"]
    shutil.copy(path, music / "copy.flac")
    tag(music, place, "both", "--no-write")
    assert heard() == []
    with Catalog.open(place) as catalog:
        info = catalog.info(music / "copy.flac")
    assert info is not None
    assert next(iter(info.probabilities)).startswith("both-"), "the verdict comes before its parts"
    assert set(info.embedded_by) == {"first-1", "second-1"}


def test_the_verdict_of_a_track_is_what_both_say_and_not_a_part_of_it(
    tmp_path: Path, location: Location, models: Path
) -> None:
    music, place = tmp_path / "music", location
    make_track(music / "a.flac")
    (models / "both.toml").rename(models / "sum.toml")  # by name it would come first as well
    tag(music, place, "sum", "--no-write")
    assert run_tagger("catalog", "check", "--catalog", place).code == 0
    exported = run_tagger("catalog", "export", "--format", "jsonl", "--catalog", place)
    assert "sum-" in exported.out
    (file,) = scan((music,), ScanOptions(), ScanTally())
    with Catalog.open(place) as catalog:
        (known,) = catalog.lookup([file], "another")
    assert known is not None
    assert str(known.other_model).startswith("sum-")


@pytest.mark.usefixtures("models")
def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    music = tmp_path / "music"
    make_track(music / "a.flac")
    before = contents(music)
    assert tag(music, tmp_path / "c.db", "both", "--dry-run") == {"a.flac": "planned"}
    assert contents(music) == before
    assert not (tmp_path / "c.db").exists()


@pytest.mark.usefixtures("models")
def test_what_one_cannot_decode_fails_once(tmp_path: Path) -> None:
    path = tmp_path / "music" / "bad.mp3"
    path.parent.mkdir()
    path.write_bytes(b"no music " * 1000)
    ran = run_tagger("tag", path.parent, "--catalog", tmp_path / "c.db", "--model", "both")
    assert (ran.code, ran.err.count("bad.mp3")) == (1, 1)


@pytest.mark.usefixtures("models")
def test_a_file_outside_is_compared_by_the_leading_network(tmp_path: Path) -> None:
    music, place = tmp_path / "music", tmp_path / "c.db"
    inside, _ = make_track(music / "a.flac", 6.0), make_track(music / "b.flac", 11.0)
    tag(music, place, "both", "--no-write")
    for path in (inside, make_track(tmp_path / "outside" / "c.flac", 1.5)):
        ran = run_tagger("similar", path, "--model", "both", "--catalog", place)
        assert (ran.code, "b.flac" in ran.out) == (0, True), ran.err


def similar(place: Location, *arguments: str | Path, **environment: str) -> list[str]:
    common = ("--catalog", place, "--format", "jsonl")
    ran = run_tagger("similar", *common, *arguments, **environment)
    assert ran.code == 0, ran.err
    return [Path(record["path"]).name for record in ran.records]


@pytest.mark.usefixtures("models")
def test_who_names_a_model_compares_by_it(tmp_path: Path, location: Location, heard: Heard) -> None:
    music, place = tmp_path / "music", location
    seed = make_track(music / "seed.flac", artist="Ann")
    make_track(music / "first" / "a.flac", 6.0)
    make_track(music / "second" / "b.flac", 11.0)
    tag(seed, place, "both", "--no-write")
    tag(music / "first", place, "first", "--no-write")
    tag(music / "second", place, "second", "--no-write")
    heard()
    for start in ([seed], ["--artist", "Ann"], ["--mix", "Rock"]):
        for model, name in (("first", "a.flac"), ("second", "b.flac"), ("both", "a.flac")):
            found = similar(place, *start, "--model", model)
            assert [name for name in found if name != "seed.flac"] == [name]
    assert heard() == []
    outside = make_track(tmp_path / "outside" / "c.flac", 16.0)
    assert "a.flac" in similar(place, outside, "--model", "both")
    assert heard() == ["first"], "nobody else is asked"


@pytest.mark.usefixtures("models")
def test_a_model_that_is_set_once_and_for_all_need_not_have_heard_this_catalogue(
    tmp_path: Path,
) -> None:
    music, place = tmp_path / "music", tmp_path / "c.db"
    seed = make_track(music / "seed.flac")
    make_track(music / "b.flac", 6.0)
    tag(music, place, "first", "--no-write")
    outside = make_track(tmp_path / "outside" / "c.flac", 11.0)
    for start in (seed, outside):
        assert "b.flac" in similar(place, start, TAGGER_MODEL="second")
        ran = run_tagger("similar", start, "--catalog", place, "--model", "second")
        assert (ran.code, ran.out) == (2, "")


def test_without_the_leading_networks_file_the_others_still_compare(
    tmp_path: Path, models: Path, heard: Heard
) -> None:
    music, place = tmp_path / "music", tmp_path / "c.db"
    make_track(music / "a.flac")
    tag(music, place, "both", "--no-write")
    outside = make_track(tmp_path / "outside" / "c.flac", 6.0)
    heard()
    (models / "first.pt").write_bytes(b"damaged")
    assert similar(place, outside) == ["a.flac"]
    (models / "first.pt").unlink()
    assert similar(place, outside) == ["a.flac"]
    assert heard() == ["second", "second"]
    (models / "second.pt").unlink()
    ran = run_tagger("similar", outside, "--catalog", place)
    assert (ran.code, "whose file is not at hand" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (RULE, "members = [", "does not say how to join"),
        ("doubt_left", "doubt", r"there is no setting doubt\b"),
        ("doubt_left = 0.45", "", "doubt_left must be a number above 0"),
        ("0.45", "0", "doubt_left must be a number above 0"),
        ("0.45", "true", "doubt_left must be a number above 0"),
        ('["Rock"]', '"Rock"', "agreeing must be a list of names"),
        ('"second"', '"first"', "two different models"),
        ('"second"', '"./first"', "names of bundled models, not paths"),
        ('"second"', '"third"', "a model that it joins cannot be used: .*third.pt"),
        ('"Rock"', '"Polka"', "not all that it joins know Polka"),
    ],
)
def test_a_bad_rule_is_refused(models: Path, old: str, new: str, told: str) -> None:
    path = models / "both.toml"
    path.write_text(RULE.replace(old, new))
    with pytest.raises(CheckpointError, match=told) as caught:
        read_card(path)
    assert caught.value.path == path


def test_no_doubt_may_be_lost_in_whole_numbers(models: Path) -> None:
    path = models / "both.toml"
    path.write_text(RULE.replace("0.45", "1"))
    joint = read_card(path).joint
    assert joint is not None
    assert joint.doubt_left == 1.0


def test_a_damaged_part_is_named(models: Path) -> None:
    whole = (models / "second.pt").read_bytes()
    (models / "second.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"cannot be used: .*second.pt: not a checkpoint, or"):
        read_card(models / "both.toml")


@pytest.mark.parametrize("name", ["a; b", "a\nb", "a\udcff", "ünder zwei"])
def test_a_rule_of_ones_own_may_have_any_name(tmp_path: Path, models: Path, name: str) -> None:
    own = tmp_path / f"{name}.toml"
    (models / "both.toml").rename(own)
    path, place = make_track(tmp_path / "music" / "a.mp3"), tmp_path / "c.db"
    assert tag(path.parent, place, str(own)) == {"a.mp3": "written"}
    assert genre_of(path) == ["Rock"]
    assert tag(path.parent, place, str(own)) == {"a.mp3": "unchanged"}, "it is known as ours"


@pytest.mark.usefixtures("models")
def test_it_is_no_network_to_load() -> None:
    with pytest.raises(CheckpointError, match="name one of them"):
        load_checkpoint(find_model("both"))


def test_the_bundled_two_never_agree_on_folk() -> None:
    both = read_card(find_model("both"))
    assert both.joint is not None
    assert both.joint.agreeing == {"Electronic", "Rock"}
    assert set(both.bases) == {read_card(find_model(m)).model_id for m in ("fast", "musicnn")}
    assert "Folk" not in both.writable


# A person's genres, learned on both


@pytest.fixture
def teachers(tmp_path: Path) -> Path:
    """A library with genres that a person set, loud and soft."""
    music = tmp_path / "music"
    for n in range(44):
        genre, gain = ("Gabber", 0.6) if n % 2 else ("Fado", 0.02)
        make_track(music / f"{n:02d}.flac", 1.6, gain=gain, genre=genre, artist=f"Artist {n}")
    return music


def learned_on_both(music: Path, place: Location, target: Path, *options: str) -> ModelCard:
    common = ("--model", "both", "--catalog", place)
    ran = run_tagger("learn", music, "-o", target, *common, *options)
    assert ran.code == 0, ran.err
    assert "learned from 44 tracks" in ran.out
    return read_card(target)


@pytest.mark.usefixtures("models")
def test_genres_are_learned_on_both_from_what_each_has_heard(
    tmp_path: Path, location: Location, teachers: Path, heard: Heard
) -> None:
    mine = tmp_path / "mine.pt"
    tag(teachers, location, "first", "--no-write")
    heard()
    own = learned_on_both(teachers, location, mine)
    assert heard() == ["second"] * 44
    assert (own.bases, own.labels) == (("first-1", "second-1"), ("Fado", "Gabber"))
    assert own.head is not None
    assert own.head.weight.shape == (2, 16)

    make_track(teachers / "blank.flac", 1.6, gain=0.6)
    sure = ("--genres", "all", "--min-confidence", "0")
    assert tag(teachers, location, str(mine), "--refresh", *sure)["blank.flac"] == "written"
    assert heard() == ["first", "second"]
    assert genre_of(teachers / "blank.flac")[0] in own.labels
    assert tag(teachers, location, str(mine), *sure)["blank.flac"] == "unchanged"
    doubted = run_tagger("doubtful", "--model", mine, "--catalog", location)
    assert (doubted.code, "44 tracks judged" in doubted.err) == (0, True)
    again = run_tagger("learn", teachers, "--model", mine, "-o", mine, "--catalog", location)
    assert (again.code, read_card(mine)) == (0, own), again.err
    assert heard() == []
    assert run_tagger("catalog", "check", "--catalog", location).code == 0


@pytest.mark.usefixtures("models")
def test_what_was_learned_on_both_compares_by_the_leading_network(
    tmp_path: Path, teachers: Path, heard: Heard
) -> None:
    place, mine = tmp_path / "c.db", tmp_path / "mine.pt"
    own = learned_on_both(teachers, place, mine, "--default")
    inside = make_track(teachers / "inside.flac", 6.0)
    run_tagger("tag", teachers, "--catalog", place, "--no-write")
    heard()
    outside = make_track(tmp_path / "outside" / "c.flac", 1.6)
    for by in ((), ("--model", str(mine))):
        assert similar(place, outside, *by)
        assert heard() == ["first"]
        assert similar(place, inside, *by)
    told = run_tagger("info", "--catalog", place, "--format", "jsonl")
    assert json.loads(told.out)["model"]["bases"] == list(own.bases)


@pytest.mark.usefixtures("models")
def test_a_head_on_both_reads_their_embeddings_side_by_side(tmp_path: Path) -> None:
    weight = np.zeros((2, 16), np.float32)
    weight[1, 8] = 1.0  # the first number of the second's embedding
    usual = Novelty(np.zeros((2, 16), np.float32), np.eye(16, dtype=np.float32), 99.0)
    head = Head(("first-1", "second-1"), weight, np.zeros(2, np.float32), usual)
    own = replace(
        read_card(find_model("both")), model_id="mine-1", labels=("A", "B"), joint=None, head=head
    )
    one = TrackPrediction(PATH, of(), 0.5, np.ones(8, np.float32), 4, "first-1", 9.0)
    other = replace(one, embedding=np.full(8, 3, np.float32), model_id="second-1")
    together = derive(own, {"second-1": other, "first-1": one})
    assert together is not None
    assert together.probabilities["B"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert (together.embedding, together.n_segments, len(together.parts)) == (None, 8, 2)
    assert derive(own, {"first-1": one}) is None
    assert Head.from_plain(head.to_plain()) == head


def test_a_head_that_was_saved_when_it_could_have_one_base_alone_is_read() -> None:
    usual = Novelty(np.zeros((2, 8), np.float32), np.eye(8, dtype=np.float32), 99.0)
    plain = Head(("a-1",), np.ones((2, 8), np.float32), np.zeros(2, np.float32), usual).to_plain()
    del plain["bases"]
    assert Head.from_plain({**plain, "base": "a-1"}).bases == ("a-1",)


def test_what_was_learned_on_both_says_which_of_them_is_gone(
    tmp_path: Path, models: Path, teachers: Path
) -> None:
    """It holds neither of them, as no rule does that joins them."""
    place, mine = tmp_path / "c.db", tmp_path / "mine.pt"
    learned_on_both(teachers, place, mine)
    with pytest.raises(CheckpointError, match="name one of them"):
        load_checkpoint(mine)
    make_model(models / "second.pt", model_id="second-2")
    for command in (("tag", teachers), ("learn", teachers, "-o", mine)):
        ran = run_tagger(*command, "--model", mine, "--catalog", place)
        assert (ran.code, "second-1" in ran.err, "bundled" in ran.err) == (2, True, True)
    doubted = run_tagger("doubtful", "--model", mine, "--catalog", place)  # by what they heard
    assert (doubted.code, "44 tracks judged" in doubted.err) == (0, True)
