"""Learning from a catalogue, and the commands: lessons, doubts, and blanks filled that way."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from tqdm import tqdm

from tagger.catalog import Action, Catalog, GivenAnswer
from tagger.cli.counting import count_meanwhile
from tagger.config import models_folder
from tagger.errors import LearnError
from tagger.learning.teaching import Aside, doubts, gather, teach
from tagger.models.checkpoint import load_checkpoint
from tagger.models.files import BUNDLED, read_card
from tagger.tagging.run import TagRun
from tests.catalogs import MODEL, entry, filled
from tests.lessons import library, tagged
from tests.library import (
    genre_of,
    make_model,
    make_track,
    make_tracks,
    request_for,
    run_tagger,
    set_tags,
)
from tests.sounds import tone, write_sound

pytestmark = pytest.mark.usefixtures("in_process", "one_thread")


# From a catalogue


def test_mistagged_tracks_are_found(place: Path) -> None:
    with library(place, wrong=3) as catalog:
        lesson = gather(catalog, [MODEL.model_id], [])
    found = doubts(lesson)
    assert {doubt.path.name for doubt in found[:3]} == {"000.mp3", "001.mp3", "002.mp3"}
    assert all(doubt.likelihood < doubt.confidence for doubt in found)
    assert found[0].suggestion in ("Dub", "Fado")


def test_our_own_genres_and_copies_are_left_aside(place: Path) -> None:
    with library(place) as catalog:
        run_id = catalog.begin_run("tag", MODEL.model_id)
        ours = entry("ours.mp3", 500)
        copy = [tagged(f"copy{n}.mp3", 600 + n, "Dub", "Twin", audio="1-aa") for n in range(3)]
        catalog.record(run_id, [ours, *copy])
        lesson = gather(catalog, [MODEL.model_id], [])
    assert lesson.aside == Aside(n_ours=1, n_copies=2, n_contradicting=0, n_unusable=0)
    assert len(lesson.tracks) == 91


@pytest.mark.parametrize("n", [0, 1, 30])
def test_too_little_is_refused_with_what_there_is(place: Path, n: int) -> None:
    some = [tagged(f"{i}.mp3", i, "Dub", f"Artist {i}") for i in range(n)]
    with filled(place, *some) as catalog, pytest.raises(LearnError, match="too little") as caught:
        gather(catalog, [MODEL.model_id], [])
    assert f"a person set: {n}, their artists: {n})" in str(caught.value)
    assert str(caught.value).endswith(f"there are: Dub ({n} by {n})" if n else "there are: none")


def test_what_is_too_little_is_told_with_what_would_help(place: Path) -> None:
    nameless = [tagged(f"{n}.mp3", n, ("Dub", "Fado")[n % 2], "") for n in range(48)]
    everything = filled(place, *nameless, entry("ours.mp3", 99))
    with everything as catalog, pytest.raises(LearnError) as caught:
        gather(catalog, [MODEL.model_id], [])
    said = str(caught.value)
    assert "set: 48, their artists: 1)" in said
    assert "name no artist: 48, and those of one folder count as one artist's" in said
    assert said.endswith("tracks with a genre of tagger's, which teaches nothing: 1")


def test_where_no_tag_names_an_artist_the_folders_stand_in(place: Path) -> None:
    tracks = [tagged(f"{n // 4}/{n}.mp3", n, ("Dub", "Fado")[n // 4 % 2], "") for n in range(48)]
    with filled(place, *tracks) as catalog:
        lesson = gather(catalog, [MODEL.model_id], [])
    assert (lesson.n_nameless, len(np.unique(lesson.examples.groups))) == (48, 12)


def test_copies_that_contradict_each_other_are_counted(place: Path) -> None:
    with library(place) as catalog:
        run_id = catalog.begin_run("tag", MODEL.model_id)
        genres = ("Dub", "dub", "Fado")  # of which two are the same, written otherwise
        copies = [
            tagged(f"copy{n}.mp3", 600 + n, genre, "Twin", audio="1-aa")
            for n, genre in enumerate(genres)
        ]
        catalog.record(run_id, copies)
        lesson = gather(catalog, [MODEL.model_id], [])
    assert (lesson.aside.n_copies, lesson.aside.n_contradicting) == (2, 1)


def test_what_was_heard_and_is_no_number_is_left_aside(place: Path) -> None:
    """Else none of the others could be learned from either."""
    with library(place) as catalog:
        run_id = catalog.begin_run("tag", MODEL.model_id)
        for number, value in enumerate((np.nan, np.inf)):
            one = tagged(f"bad{number}.mp3", 700 + number, "Dub", "Somebody")
            assert one.prediction is not None
            bad = np.full(MODEL.embedding_dim, value, np.float32)
            heard = replace(one.prediction, embedding=bad)
            catalog.record(run_id, [replace(one, prediction=heard)])
        lesson = gather(catalog, [MODEL.model_id], [])
    assert lesson.aside.n_unusable == 1  # the infinite one was kept as the largest number
    assert len(lesson.tracks) == 91
    assert np.isfinite(lesson.examples.embeddings).all()


def test_contradictory_tags_are_told_as_such(place: Path) -> None:
    with library(place) as catalog:
        lesson = gather(catalog, [MODEL.model_id], [])
    rng = np.random.default_rng(5)
    first = rng.permutation(lesson.examples.first)
    examples = replace(lesson.examples, first=first, truth=np.eye(2, dtype=np.bool_)[first])
    card = replace(read_card(Path("tagger/models/default.pt").absolute()), model_id=MODEL.model_id)
    made, _, report = teach(replace(lesson, examples=examples), card, "mine; too")
    assert report.accuracy < 0.65
    assert made.writable == ()
    assert made.model_id.startswith("mine_ too-"), "it is to stand in a tag, behind a ';'"


# As a user does it


def test_a_library_teaches_and_its_blanks_are_filled_from_what_was_heard(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base = make_model(tmp_path / "base.pt")
    for n in range(48):
        is_loud = n % 2 == 0
        path = make_track(music / f"{n:02d}.flac", 1.6, gain=0.6 if is_loud else 0.02)
        genre = "Gabber" if is_loud else "Fado"
        set_tags(path, genre=genre, artist=f"{genre} {n // 2 % 12}")
    blank = make_track(music / "blank.flac", 1.6, gain=0.6)
    mine = tmp_path / "mine.pt"
    common = ("--catalog", place, "--jobs", "1")
    told = run_tagger("learn", music, "--model", base, "-o", mine, "--format", "json", *common)
    assert told.code == 0, told.err
    report = json.loads(told.out)
    assert [genre["genre"] for genre in report["genres"]] == ["Fado", "Gabber"]
    card = read_card(mine)
    assert (card.labels, card.head is not None) == (("Fado", "Gabber"), True)
    assert load_checkpoint(mine).card == card
    assert genre_of(blank) == []
    filled_now = run_tagger(
        "tag",
        music,
        "--model",
        mine,
        "--min-confidence",
        "0",
        "--genres",
        "all",
        "--format",
        "jsonl",
        *common,
    )
    record = filled_now.by_name["blank.flac"]
    assert record["status"] == "written"
    assert genre_of(blank) == record["genres"]
    with Catalog.open(place) as catalog:
        run = catalog.runs(1)[0]
    assert run.model_id == card.model_id


def test_what_is_derived_is_what_the_model_hears_itself(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base = make_model(tmp_path / "base.pt")
    for n in range(44):
        path = music / f"{n:02d}.flac"
        write_sound(path, tone(1.6, 44_100, 100 * 1.1**n), 44_100)  # from deep to shrill
        set_tags(path, genre=("Gabber", "Fado")[n % 2], artist=f"Artist {n}")
    mine = tmp_path / "mine.pt"
    run_tagger("learn", music, "--model", base, "-o", mine, "--catalog", place)
    common = ("--model", mine, "--format", "jsonl", "--no-write")
    derived = run_tagger("tag", music, "--catalog", place, *common)
    heard = run_tagger("tag", music, "--catalog", tmp_path / "other.db", *common)
    # A network that was never trained tells sounds apart by little more than the half precision of
    # the embeddings in a catalogue.
    for name, record in heard.by_name.items():
        assert derived.by_name[name]["probabilities"] == pytest.approx(
            record["probabilities"], abs=0.05
        )


def test_a_model_of_the_catalogues_own_is_used_from_then_on(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base = make_model(tmp_path / "base.pt")
    for n in range(44):
        path = make_track(music / f"{n:02d}.flac", 1.6)
        set_tags(path, genre=("Gabber", "Fado")[n % 2], artist=f"Artist {n}")
    mine = tmp_path / "mine.pt"
    run_tagger("learn", music, "--model", base, "-o", mine, "--default", "--catalog", place)
    outcome = run_tagger("tag", music, "--catalog", place, "--format", "jsonl", "--no-write")
    assert {record["model"] for record in outcome.records} == {read_card(mine).model_id}
    assert f"model: {mine}, which was learned for this catalogue; --model default" in outcome.err


@pytest.fixture
def teachers(music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with genres that a person set, and a data folder of one's own; the library."""
    monkeypatch.setattr("tagger.cli.learn.BUNDLED", tmp_path)
    monkeypatch.setattr("tagger.models.files.BUNDLED", tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    make_model(tmp_path / "default.pt")
    for n in range(44):
        path = make_track(music / f"{n:02d}.flac", 1.6)
        set_tags(path, genre=("Gabber", "Fado")[n % 2], artist=f"Artist {n}")
    return music


@pytest.fixture
def taught(teachers: Path, place: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A library, and the file of a model that was learned from it."""
    told = run_tagger("learn", teachers, "--default", "--catalog", place)
    assert told.code == 0, told.err
    return teachers, models_folder() / "mine.pt"


def test_a_catalogue_on_a_server_teaches_as_a_file_does(
    teachers: Path, new_database: Callable[[], str], tmp_path: Path
) -> None:
    set_tags(teachers / "00.flac", genre="Fado", artist="Artist 0")  # like all: told by chance
    reports, doubtful = [], []
    for location in (new_database(), tmp_path / "catalog.db"):
        common = ("--catalog", location, "--format", "json")
        told = run_tagger("learn", teachers, "--default", *common)
        assert told.code == 0, told.err
        reports.append(json.loads(told.out))
        doubted = run_tagger("doubtful", teachers, "--catalog", location, "--format", "jsonl")
        doubtful.append((doubted.code, doubted.records))
        own = run_tagger("tag", teachers, "--catalog", location, "--format", "jsonl")
        assert {record["model"] for record in own.records} == {reports[-1]["model"]}
        again = run_tagger("learn", teachers, "--catalog", location)
        assert "learned from 44 tracks" in again.out, again.err
    assert reports[0] == reports[1]
    assert doubtful[0] == doubtful[1]


def test_a_file_outside_is_heard_by_the_model_that_the_catalogue_compares_by(
    taught: tuple[Path, Path], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the one that has heard all; by the catalogue's own once that has; never by a stranger."""
    music, mine = taught
    monkeypatch.setattr("tagger.models.choosing.BUNDLED", tmp_path)
    (tmp_path / "default.pt").rename(tmp_path / "older.pt")
    make_model(tmp_path / "default.pt", favourite="Folk")
    new = make_track(tmp_path / "new.flac", 1.6)
    common = ("similar", new, "--catalog", place)
    told = run_tagger(*common)
    assert told.code == 0 and told.out, told.err
    run_tagger("tag", music, "--catalog", place)
    (tmp_path / "older.pt").unlink()
    told = run_tagger(*common)
    assert told.code == 0 and told.out, told.err
    mine.unlink()
    told = run_tagger(*common)
    assert (told.code, told.out) == (2, "")
    assert "whose file is not at hand; name it with --model" in told.err


def test_a_learned_model_is_named_shortly(taught: tuple[Path, Path], place: Path) -> None:
    music, mine = taught
    outcome = run_tagger("learn", music, "--catalog", place.with_name("other.db"))
    assert "tagger tag --model mine --no-write says what it hears" in outcome.err
    assert outcome.err.endswith("since it is sure enough of none\n")  # too few to be sure of one
    by_name = ("--model", "mine", "--dry-run", "--format", "jsonl", "--catalog", place)
    assert {r["model"] for r in run_tagger("tag", music, *by_name).records} == {
        read_card(mine).model_id
    }
    wrong = run_tagger("tag", music, "--model", "yours", "--catalog", place)
    assert wrong.err == "error: yours: there is no such model; there are: fast, mine\n"


def test_info_tells_of_the_catalogues_own_model(taught: tuple[Path, Path], place: Path) -> None:
    outcome = run_tagger("info", "--catalog", place, "--format", "jsonl")
    assert json.loads(outcome.out)["model"]["labels"] == ["Fado", "Gabber"]


def test_a_model_of_the_catalogues_own_that_is_gone_is_told(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, mine = taught
    mine.unlink()
    for command in (("tag", music), ("info",)):
        outcome = run_tagger(*command, "--catalog", place)
        assert outcome.code == 2
        assert "this catalogue's own model is gone; make it anew" in outcome.err
    assert run_tagger("tag", music, "--model", "default", "--catalog", place).code == 0


def test_what_learned_itself_teaches_by_the_network_below_it(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, mine = taught
    before = read_card(mine)
    outcome = run_tagger("learn", music, "--model", "mine", "--catalog", place)
    assert outcome.code == 0, outcome.err
    assert read_card(mine) == before
    assert run_tagger("doubtful", "--model", "mine", "--catalog", place).code == 0


def test_what_a_learned_model_says_of_each_track_is_recorded(
    taught: tuple[Path, Path], place: Path
) -> None:
    """Also where that changes nothing of what is decided: else similar would know but some."""
    music, mine = taught
    for _ in range(2):
        run_tagger("tag", music, "--catalog", place)
    with closing(sqlite3.connect(place)) as database:
        counts = dict(
            database.execute("SELECT model_id, count(*) FROM predictions GROUP BY model_id")
        )
    assert counts[read_card(mine).model_id] == 44


def test_the_bar_of_a_run_learns_how_much_there_is_to_hear(
    music: Path, place: Path, model: Path
) -> None:
    make_tracks(music, 3)
    with Catalog.open(place) as catalog, tqdm(file=io.StringIO()) as bar:
        count_meanwhile(TagRun(request_for(model, music), catalog), bar).join()
    assert bar.total == 3


def test_what_a_learned_model_heard_first_is_not_heard_again_by_its_base(
    taught: tuple[Path, Path], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, mine = taught
    new = make_track(music / "new.flac", 1.6)
    set_tags(new, genre="Fado", artist="Somebody new")
    run_tagger("tag", music, "--catalog", place)
    base = read_card(mine).provenance["learned_on"]
    rows = run_tagger("catalog", "export", "--format", "jsonl", "--catalog", place).by_name
    assert rows["new.flac"]["model"] == read_card(mine).model_id

    def no_more(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("it is heard again")

    monkeypatch.setattr("tagger.hearing.analysis.predict_track", no_more)
    assert "learned from 45 tracks" in run_tagger("learn", music, "--catalog", place).out
    with Catalog.open(place) as catalog:
        assert len(catalog.embeddings(base).track_ids) == 45


def test_a_run_that_hears_for_learning_is_called_so(taught: tuple[Path, Path], place: Path) -> None:
    assert (
        run_tagger("runs", "--catalog", place, "--format", "jsonl").records[0]["command"] == "learn"
    )


def test_what_takes_the_place_of_the_catalogues_own_model_is_its_own_from_then_on(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, mine = taught
    kept = mine.with_name("mine.before.pt")
    assert "is kept" not in run_tagger("learn", music, "--catalog", place).err, "the same again"
    before = mine.read_bytes()
    set_tags(music / "00.flac", genre="Fado", artist="Artist 0")
    outcome = run_tagger("learn", music, "--catalog", place)
    assert f"the one before it is kept: {kept}\n" in outcome.err
    assert kept.read_bytes() == before != mine.read_bytes()
    assert "tagger tag uses it with this catalogue from now on, but it writes no" in outcome.err
    assert "tagger tag --model default goes back" in outcome.err
    with closing(sqlite3.connect(place)) as database:
        own = database.execute("SELECT model_id FROM models WHERE default_since IS NOT NULL")
        assert (read_card(mine).model_id,) in own.fetchall()


def test_where_nothing_can_be_saved_nothing_is_listened_to(
    music: Path, place: Path, tmp_path: Path
) -> None:
    make_track(music / "1.flac", 1.6)
    for target in (tmp_path / "nowhere" / "x.pt", music):
        outcome = run_tagger("learn", music, "-o", target, "--catalog", place)
        assert outcome.code == 2
        assert str(target.parent) in outcome.err
    assert not place.exists()


@pytest.mark.parametrize("name", ["wide.pt", "new.pt"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_nothing_is_learned_into_the_folder_of_what_is_bundled(
    taught: tuple[Path, Path],
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    force: tuple[str, ...],
) -> None:
    bundled = tmp_path / "bundled"
    shutil.copytree(BUNDLED, bundled)
    monkeypatch.setattr("tagger.cli.learn._SHIPPED", bundled)
    target = bundled / name
    before = target.read_bytes() if target.is_file() else b""
    outcome = run_tagger("learn", taught[0], "-o", target, *force, "--catalog", place)
    assert (outcome.code, target.is_file()) == (2, name == "wide.pt")
    assert "what lies there came with the tagger" in outcome.err
    assert (target.read_bytes() if target.is_file() else b"") == before


@pytest.mark.parametrize("there", ["a song", "text", "a network", "a pipe", "a dead link"])
def test_nothing_but_a_learned_model_is_replaced(
    taught: tuple[Path, Path], place: Path, tmp_path: Path, there: str
) -> None:
    music, _ = taught
    target = music / "00.flac" if there == "a song" else tmp_path / "target.pt"
    if there == "text":
        target.write_text("My notes")
    elif there == "a network":
        make_model(target)
    elif there == "a pipe":
        os.mkfifo(target)
    elif there == "a dead link":
        target.symlink_to(tmp_path / "nowhere")
    before = target.read_bytes() if target.is_file() else b""
    outcome = run_tagger("learn", music, "-o", target, "--catalog", place)
    assert outcome.code == 2
    assert f"{target} is there already and is no model that was learned" in outcome.err
    assert (target.read_bytes() if target.is_file() else b"") == before


def test_a_disk_that_is_full_leaves_the_model_that_was_learned_before(
    taught: tuple[Path, Path], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, mine = taught
    before = mine.read_bytes()
    set_tags(music / "00.flac", genre="Fado", artist="Artist 0")  # another model comes of it

    def half(_payload: object, file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tagger.models.checkpoint.torch.save", half)
        outcome = run_tagger("learn", music, "--catalog", place)
    assert outcome.code == 2
    assert "mine.pt: cannot be written: No space left on device: make room" in outcome.err
    copies = {path.name: path.read_bytes() == before for path in mine.parent.iterdir()}
    assert copies == {"mine.pt": True, "mine.before.pt": True}
    tagged_with = run_tagger("tag", music, "--no-write", "--format", "jsonl", "--catalog", place)
    assert {record["model"] for record in tagged_with.records} == {read_card(mine).model_id}


def test_a_model_in_a_file_of_any_name_writes_tags_that_are_known_as_ours(
    taught: tuple[Path, Path], place: Path, tmp_path: Path
) -> None:
    """Its name stands in the catalogue and in tags, where not all that a file may be called can."""
    music, _ = taught
    target = tmp_path / os.fsdecode(b"my; own\n (1) \xff.pt")
    outcome = run_tagger("learn", music, "-o", target, "--catalog", place)
    assert outcome.code == 0, outcome.err
    assert re.fullmatch(r"my_ own_ \(1\) _-[0-9a-f]+", read_card(target).model_id)
    new = make_track(music / "new.flac", 1.6)
    how = ("--model", target, "--genres", "all", "--min-confidence", "0", "--format", "jsonl")
    statuses = [
        run_tagger("tag", music, *how, "--catalog", place).by_name["new.flac"]["status"]
        for _ in range(2)
    ]
    assert statuses == ["written", "unchanged"]
    assert genre_of(new) != []
    assert run_tagger("undo", "--catalog", place).code == 0
    assert genre_of(new) == []


def test_a_genre_that_needs_care_is_written_as_it_is_called(
    music: Path, place: Path, tmp_path: Path
) -> None:
    base, mine = make_model(tmp_path / "base.pt"), tmp_path / "mine.pt"
    genres = ("AC/DC-like", "Drum & Bass, live; 1990")
    for n in range(44):
        path = make_track(music / f"{n:02d}.flac", 1.6, gain=0.6 if n % 2 else 0.02)
        set_tags(path, genre=genres[n % 2], artist=f"Artist {n}")
    common = ("--catalog", place, "--jobs", "1")
    run_tagger("learn", music, "--model", base, "-o", mine, *common)
    kinds = ("mp3", "m4a", "ogg", "flac", "wav")
    blank = [make_track(music / f"new.{kind}", 1.6) for kind in kinds]
    how = ("--model", mine, "--genres", "all", "--min-confidence", "0", "--format", "jsonl")
    told = run_tagger("tag", music, *how, *common).by_name
    assert {told[path.name]["status"] for path in blank} == {"written"}
    assert {told[path.name]["genres"][0] for path in blank} <= set(genres)
    again = run_tagger("tag", music, *how, *common).by_name
    assert {again[path.name]["status"] for path in blank} == {"unchanged"}


def test_a_file_that_failed_is_named_and_the_rest_is_learned_from(
    taught: tuple[Path, Path], place: Path
) -> None:
    music, _ = taught
    (music / "broken.flac").write_bytes(b"no sound")
    outcome = run_tagger("learn", music, "--catalog", place)
    assert outcome.code == 1
    assert "broken.flac" in outcome.err
    assert "learned from 44 tracks" in outcome.out


def test_doubtful_names_the_folder_that_is_not_known(place: Path, tmp_path: Path) -> None:
    library(place).close()
    outcome = run_tagger("doubtful", tmp_path / "other", "--catalog", place)
    assert f"known yet in {tmp_path / 'other'}; run" in outcome.err


def test_what_is_never_written_is_explained(taught: tuple[Path, Path], place: Path) -> None:
    music, _ = taught
    outcome = run_tagger("learn", music, "--dry-run", "--catalog", place)
    assert "never\n" in outcome.out
    assert "would be right: Fado, Gabber\n" in outcome.out
    assert "--genres all --min-confidence 0.8 writes these all the same" in outcome.out


def test_whether_more_tracks_would_help_is_told(taught: tuple[Path, Path], place: Path) -> None:
    """Of two genres that sound the same nothing can be said."""
    common = ("learn", taught[0], "--dry-run", "--catalog", place)
    told = run_tagger(*common).out
    assert "\nwhether more tracks would help cannot be said: Fado, Gabber\n" in told
    report = json.loads(run_tagger(*common, "--format", "json").out)
    assert {genre["outlook"]["verdict"] for genre in report["genres"]} == {"unknown"}


def test_a_dry_run_of_learn_touches_nothing(place: Path, tmp_path: Path) -> None:
    library(place).close()
    before = place.read_bytes()
    outcome = run_tagger("learn", "/music", "--dry-run", "--catalog", place)
    assert outcome.code == 2  # nothing there was heard by a bundled network
    assert "too little to learn from" in outcome.err
    assert place.read_bytes() == before
    assert list(tmp_path.iterdir()) == [place]


def test_doubtful_needs_no_network_at_hand(place: Path) -> None:
    library(place, wrong=3).close()
    outcome = run_tagger("doubtful", "-n", "1", "--catalog", place)
    assert outcome.code == 0
    assert "sounds like" in outcome.out
    assert outcome.err.startswith("90 tracks judged, ")


def test_one_answer_is_one_observation_however_many_tracks_it_settles(place: Path) -> None:
    with library(place) as catalog:
        whole = gather(catalog, [MODEL.model_id], [])
        ids = [track.track_id for track in whole.tracks if track.tags.genres == ("Dub",)][:10]
        file_of = {one.track_id: one.named for one in catalog.unanswered((), only_blank=False)}
        run_id = catalog.begin_run("review", None)
        files = tuple(file_of[n] for n in ids)
        noted = catalog.give_answer(run_id, GivenAnswer(Action.GENRES, "", ("Dub",), files))
        lesson = gather(catalog, [MODEL.model_id], [])
        assert len(lesson.tracks) == len(whole.tracks) - 9
        assert lesson.aside.n_with_others == 9
        row = [track.track_id for track in lesson.tracks].index(ids[0])
        rows = [n for n, track in enumerate(whole.tracks) if track.track_id in ids]
        expected = whole.examples.embeddings[rows].mean(axis=0)
        assert np.allclose(lesson.examples.embeddings[row], expected, atol=1e-6)
        catalog.withdraw_answers(noted.answer_id)
        assert len(gather(catalog, [MODEL.model_id], []).tracks) == len(whole.tracks)


def doubted_paths(place: Path) -> list[Path]:
    outcome = run_tagger("doubtful", "--catalog", place, "--format", "jsonl")
    return [Path(one["path"]) for one in outcome.records]


def test_what_a_person_keeps_is_doubtful_no_more(place: Path) -> None:
    with library(place, wrong=3) as catalog:
        doubted = doubted_paths(place)
        keep = [one.named for one in catalog.unanswered((), only_blank=False)]
        files = tuple(file for file in keep if file.path == doubted[0])
        run_id = catalog.begin_run("review", None)
        noted = catalog.give_answer(run_id, GivenAnswer(Action.KEEP, "", (), files))
        after = doubted_paths(place)
        assert after == doubted[1:]
        catalog.withdraw_answers(noted.answer_id)
        assert len(doubted_paths(place)) == len(doubted)
