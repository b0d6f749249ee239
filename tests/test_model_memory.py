"""A catalogue keeps the model that ``tagger tag --model`` named last."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger.catalog import Catalog
from tagger.models.files import read_card
from tagger.models.head import Head
from tagger.tagging.decision import Rival
from tagger.tagging.rivals import Rivals
from tests.library import (
    Outcome,
    genre_of,
    make_model,
    make_track,
    make_tracks,
    request_for,
    run_tagger,
    start_tagger,
)

Tag = Callable[..., Outcome]
_SAID = "model: {name}, as tag --model named it last; --model default goes back\n"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_process: None) -> Path:
    """A folder of bundled models: the default hears Rock, and ``folk`` hears Folk."""
    for module in ("files", "choosing"):
        monkeypatch.setattr(f"tagger.models.{module}.BUNDLED", tmp_path)
    monkeypatch.setattr("tagger.models.choosing.models_folder", lambda: tmp_path / "models")
    make_model(tmp_path / "default.pt")
    make_model(tmp_path / "folk.pt", favourite="Folk")
    return tmp_path


@pytest.fixture
def tag(models: Path, place: Path) -> Tag:
    def run(*arguments: str | Path, **variables: str) -> Outcome:
        common = ("--catalog", place, "--format", "jsonl")
        return run_tagger("tag", *arguments, *common, **variables)

    return run


def genres(outcome: Outcome) -> set[str]:
    assert outcome.code == 0, outcome.err
    return {genre for one in outcome.records for genre in one["genres"]}


def test_the_settings_show_the_model_that_the_catalogue_keeps(
    tag: Tag, models: Path, music: Path, place: Path
) -> None:
    def shown(*arguments: str, **variables: str) -> str:
        told = run_tagger("info", "--config", "--catalog", place, *arguments, **variables)
        assert told.code == 0, told.err
        (line,) = [line for line in told.out.splitlines() if line.startswith("model ")]
        return " ".join(line.split())

    assert shown() == "model default (default)"
    make_track(music / "a.flac")
    tag("--model", "folk", music)
    assert shown() == "model folk (the catalogue)"
    assert shown("--model", "default") == "model default (option)"
    place.write_bytes(b"no catalogue")
    assert shown() == "model default (default)"


def test_a_run_that_names_no_model_uses_the_one_named_last_and_says_so(
    tag: Tag, music: Path
) -> None:
    make_tracks(music / "a", 1)
    assert genres(tag(music / "a", "--model", "folk")) == {"Folk"}
    make_tracks(music / "b", 1)
    outcome = tag(music / "b")
    assert genres(outcome) == {"Folk"}
    assert outcome.err.startswith(_SAID.format(name="folk"))
    assert "as tag --model" not in tag(music / "b", "--quiet").err


def test_the_default_that_is_named_goes_back(tag: Tag, music: Path) -> None:
    make_tracks(music / "a", 1)
    tag(music / "a", "--model", "folk")
    tag(music / "a", "--model", "default")
    make_tracks(music / "b", 1)
    outcome = tag(music / "b")
    assert genres(outcome) == {"Rock"} and "as tag --model" not in outcome.err


def test_a_dry_run_and_a_run_that_begins_nothing_name_no_model(
    tag: Tag, music: Path, tmp_path: Path
) -> None:
    make_tracks(music, 1)
    assert genres(tag(music, "--model", "folk", "--dry-run")) == {"Folk"}
    assert tag(tmp_path / "nowhere", "--model", "folk").code == 2
    assert genres(tag(music)) == {"Rock"}


def test_a_setting_wins_over_the_memory_and_is_not_kept(tag: Tag, music: Path) -> None:
    make_tracks(music / "a", 1)
    tag(music / "a", "--model", "default")
    make_tracks(music / "b", 1)
    assert genres(tag(music / "b", TAGGER_MODEL="folk")) == {"Folk"}
    make_tracks(music / "c", 1)
    assert genres(tag(music / "c")) == {"Rock"}


def test_a_model_that_is_remembered_hears_nothing_anew(tag: Tag, music: Path) -> None:
    make_track(music / "a" / "known.flac")
    tag(music / "a")
    make_tracks(music / "b", 1)
    tag(music / "b", "--model", "folk")
    outcome = tag(music)
    assert outcome.by_name["known.flac"]["reason_code"] == "other_model"
    assert "--refresh hears them anew" in outcome.err


def test_where_the_remembered_model_is_gone_the_default_is_used_with_a_word(
    tag: Tag, music: Path, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_tracks(music / "a", 1)
    (models / "elsewhere").mkdir()
    file = make_model(models / "elsewhere" / "mine.pt", favourite="Folk")
    tag(music / "a", "--model", file)
    make_tracks(music / "b", 1)
    assert genres(tag(music / "b")) == {"Folk"}
    file.unlink()
    make_tracks(music / "c", 1)
    assert genres(tag(music / "c")) == {"Rock"}
    assert f"{file}, which tag --model named last, is gone: using the default" in caplog.text


def test_what_was_learned_and_what_was_named_have_one_memory(
    tag: Tag, models: Path, place: Path, music: Path
) -> None:
    (models / "models").mkdir()
    own = make_model(models / "models" / "own.pt", favourite="Electronic")
    make_tracks(music / "a", 1)
    tag(music / "a", "--model", "folk")
    card = read_card(own)
    with Catalog.open(place) as catalog:
        folk = next(one for one in catalog.models() if one.model_id != card.model_id)
        catalog.set_default_model(folk.model_id, own)
        remembered = catalog.remembered_model()
        assert remembered is not None and (remembered.name, remembered.is_own) == (str(own), True)
    tag(music / "a", "--model", "folk")
    with Catalog.open(place) as catalog:
        remembered = catalog.remembered_model()
        assert remembered is not None and (remembered.name, remembered.is_own) == ("folk", False)


def test_others_read_what_tag_named(tag: Tag, models: Path, place: Path, music: Path) -> None:
    make_tracks(music / "a", 2)
    tag(music / "a")
    tag(music / "a", "--model", "folk")
    folk = read_card(models / "folk.pt").model_id
    told = run_tagger("info", "--catalog", place, "--format", "jsonl")
    assert json.loads(told.out)["model"]["id"] == folk
    new = make_track(models / "new.flac", 1.6)
    (models / "default.pt").unlink()  # a stranger that is new can be heard by the other alone
    similar = run_tagger("similar", new, "--catalog", place)
    assert similar.code == 0 and similar.out, similar.err


def test_watch_uses_what_tag_named_and_names_nothing_itself(
    model: Path, tmp_path: Path, music: Path, place: Path
) -> None:
    other = make_model(tmp_path / "folk.pt", favourite="Folk")
    make_tracks(music / "a", 1)
    common = ("--catalog", place)
    assert run_tagger("tag", music, "--model", other, *common).code == 0
    for options, expected in (((), str(other)), (("--model", model), str(other))):
        process = start_tagger("watch", music, *options, *common)
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line.decode())
            if "waiting for new files" in lines[-1]:
                break
        process.terminate()
        process.communicate(timeout=60)
        assert (_SAID.format(name=other) in lines) is not bool(options)
        with Catalog.open(place) as catalog:
            remembered = catalog.remembered_model()
            assert remembered is not None and remembered.name == expected


# What another network has heard


def test_a_genre_is_not_written_where_another_network_heard_a_different_one_more_surely(
    tag: Tag, models: Path, music: Path
) -> None:
    make_model(models / "surer.pt", favourite="Folk", temperature=0.5, thresholds={})
    surer = read_card(models / "surer.pt").model_id
    (path,) = make_tracks(music, 1)
    assert tag(music, "--model", "surer").records[0]["status"] == "unsure"
    (one,) = tag(music, "--model", "default").records
    assert (one["status"], one["reason_code"], one["genres"]) == ("unsure", "heard_otherwise", [])
    assert one["reason"] == f"{surer} heard Folk in it (87 %), and more surely"
    assert genre_of(path) == []
    # Whoever is surer is believed.
    (one,) = tag(music, "--model", "surer", "--min-confidence", "0.5").records
    assert (one["status"], genre_of(path)) == ("written", ["Folk"])
    (one,) = tag(music, "--model", "default").records
    assert (one["status"], one["reason_code"]) == ("unchanged", "heard_otherwise")
    assert one["reason"].startswith("left as it is: ") and genre_of(path) == ["Folk"]


def test_an_album_is_weighed_against_an_album(tag: Tag, models: Path, music: Path) -> None:
    """Four tracks together are surer of Rock (0.99) than one is of Folk, but not than four are."""
    make_model(models / "surer.pt", favourite="Folk", temperature=0.5, thresholds={})
    make_tracks(music, 4, album="One", artist="A")
    tag(music, "--model", "surer", "--by", "track")
    told = tag(music, "--model", "default")
    assert {one["reason_code"] for one in told.records} == {"heard_otherwise"}
    told = tag(music, "--model", "default", "--by", "track")
    assert {one["reason_code"] for one in told.records} == {"heard_otherwise"}


def test_a_model_that_is_no_longer_at_hand_contradicts_nobody(
    tag: Tag, models: Path, music: Path
) -> None:
    make_model(models / "surer.pt", favourite="Folk", temperature=0.5, thresholds={})
    make_tracks(music, 1)
    tag(music, "--model", "surer")
    for name in ("surer", "folk"):  # of the same weights
        (models / f"{name}.pt").unlink()
    assert genres(tag(music, "--model", "default")) == {"Rock"}


def test_what_another_heard_in_an_earlier_recording_says_nothing(
    tag: Tag, models: Path, music: Path
) -> None:
    make_model(models / "surer.pt", favourite="Folk", temperature=0.5, thresholds={})
    (path,) = make_tracks(music, 1)
    tag(music, "--model", "surer")
    make_track(path, 2.5)
    assert genres(tag(music, "--model", "default")) == {"Rock"}


def test_a_server_keeps_it_as_a_file_does(
    models: Path, music: Path, new_database: Callable[[], str]
) -> None:
    place = new_database()
    common = ("--catalog", place, "--format", "jsonl")
    make_model(models / "surer.pt", favourite="Folk", temperature=0.5, thresholds={})
    outside = make_track(models / "new.flac", 1.6)
    make_tracks(music, 1)
    for options, code in (
        (("--model", "surer"), "untrusted"),
        ((), "untrusted"),
        (("--model", "default"), "heard_otherwise"),
        ((), "heard_otherwise"),
    ):
        (one,) = run_tagger("tag", music, *options, *common).records
        assert one["reason_code"] == code
        told = run_tagger("similar", outside, "--catalog", place)
        assert told.code == 0 and told.out, told.err


def test_the_networks_of_which_a_model_is_made_do_not_contradict_it(
    tag: Tag, models: Path, music: Path
) -> None:
    make_model(models / "surer.pt", favourite="Folk", temperature=0.5, thresholds={})
    rule = 'members = ["default", "surer"]\nagreeing = []\ndoubt_left = 1.0\n'
    (models / "joined.toml").write_text(rule)
    make_tracks(music, 1)
    assert tag(music, "--model", "surer").records[0]["status"] == "unsure"
    assert genres(tag(music, "--model", "joined")) == {"Rock"}


def test_a_model_that_was_taught_is_contradicted_only_in_words_that_it_knows(
    models: Path, music: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shoegaze is no contradiction to Rock; a bundled model with a head speaks no owner's words."""
    card = read_card(models / "default.pt")
    head = Head(("base",), np.zeros((4, 8), np.float32), np.zeros(4, np.float32), None)
    request = replace(request_for(models / "default.pt", music), card=replace(card, head=head))
    rivals = Rivals(request, catalog)
    assert [rivals._counts(Rival("m", label, 0.9)) for label in ("Folk", "Shoegaze")] == [
        True,
        False,
    ]
    monkeypatch.setattr("tagger.tagging.rivals.BUNDLED", models)
    assert rivals._counts(Rival("m", "Shoegaze", 0.9))
