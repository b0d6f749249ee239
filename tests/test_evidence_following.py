"""Genres of ours follow the owner's tags: also without our field, and never many unasked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tagger.catalog import Catalog
from tagger.cli.tag import _asker
from tagger.models.files import read_card
from tests.library import (
    Outcome,
    contents,
    genre_of,
    make_model,
    make_track,
    run_tagger,
    set_tags,
)

Tag = Callable[..., Outcome]
pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def tag(place: Path, model: Path) -> Tag:
    def run(*arguments: str | Path) -> Outcome:
        common = ("--catalog", place, "--model", model, "--format", "jsonl")
        return run_tagger("tag", *common, *arguments)

    return run


def make_album(folder: Path, *genres: str, album: str = "One") -> list[Path]:
    """Tracks of an album, each with a genre; "" is a blank one."""
    return [
        make_track(folder / f"{n}.flac", genre=genre, artist="A", album=album, title=f"{album} {n}")
        for n, genre in enumerate(genres)
    ]


def correct(paths: list[Path], genre: str) -> None:
    for path in paths:
        set_tags(path, genre=genre)


# Without our field


def test_what_was_written_without_our_field_follows_one_correction(tag: Tag, music: Path) -> None:
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "")[:3]
    filled = music / "3.flac"
    tag(music, "--no-provenance")
    assert genre_of(filled) == ["Ambient"]
    again = tag(music, "--no-provenance")
    assert set(again.statuses.values()) == {"unchanged"}
    correct(owners, "Techno")
    before = contents(music)
    told = tag(music, "--no-provenance")
    assert told.by_name["3.flac"]["status"] == "written" and genre_of(filled) == ["Techno"]
    run_tagger("undo", "--catalog", music.parent / "catalog.db")
    assert filled.read_bytes() == before["3.flac"][0]


def test_what_was_heard_and_written_without_our_field_follows_two_corrections(
    tag: Tag, music: Path
) -> None:
    make_track(music / "0.flac", artist="A", album="One", title="0")
    one, two = (
        make_track(music / f"{n}.flac", genre="Dub", artist="B", album=f"B {n}", title=str(n))
        for n in (1, 2)
    )
    tag(music, "--no-provenance")
    assert genre_of(music / "0.flac") == ["Rock"]
    set_tags(one, artist="A", album="One")
    tag(music, "--no-provenance")
    assert genre_of(music / "0.flac") == ["Rock"]
    set_tags(two, artist="A", album="One")
    assert tag(music, "--no-provenance").by_name["0.flac"]["evidence"] == "album"
    assert genre_of(music / "0.flac") == ["Dub"]


def test_a_genre_without_our_field_that_a_person_set_or_took_out_stays_so(
    tag: Tag, music: Path
) -> None:
    filled = make_album(music, "Ambient", "Ambient", "Ambient", "", "")[3:]
    tag(music, "--no-provenance")
    set_tags(filled[0], genre="Techno")
    set_tags(filled[1], genre="")
    before = contents(music)
    told = tag(music, "--no-provenance")
    assert told.by_name["3.flac"]["reason_code"] == "somebodys"
    assert told.by_name["4.flac"]["reason_code"] == "taken_back"
    assert contents(music) == before


# Replaced, and set again


@pytest.mark.parametrize("options", [(), ("--no-provenance",)])
@pytest.mark.parametrize("other", ["Techno", ""])
@pytest.mark.parametrize("is_seen_again", [True, False])
def test_a_genre_of_ours_that_a_person_replaced_and_set_again_is_the_persons(
    tag: Tag, music: Path, options: tuple[str, ...], other: str, is_seen_again: bool
) -> None:
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "")[:3]
    filled = music / "3.flac"
    tag(music, *options)
    set_tags(filled, genre=other)
    tag(music, *options)
    set_tags(filled, genre="Ambient")
    if is_seen_again:
        assert tag(music, *options).by_name["3.flac"]["reason_code"] == "somebodys"
    correct(owners, "Dub")
    before = contents(music)
    assert tag(music, *options).by_name["3.flac"]["reason_code"] == "somebodys"
    assert tag(music, "--refresh", *options).by_name["3.flac"]["reason_code"] == "somebodys"
    assert contents(music) == before


@pytest.mark.parametrize("options", [(), ("--no-provenance",)])
def test_what_a_person_set_again_is_a_witness(
    tag: Tag, music: Path, options: tuple[str, ...]
) -> None:
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "")[:3]
    filled = music / "3.flac"
    tag(music, *options)
    for genre in ("Techno", "Ambient"):
        set_tags(filled, genre=genre)
        tag(music, *options)
    correct(owners[1:], "")
    blank = make_track(music / "4.flac", artist="A", album="One", title="One 4")
    said = tag(music, *options).by_name["4.flac"]["said"]
    assert said["n_agreeing"] == 2 and genre_of(blank) == ["Ambient"]


@pytest.mark.parametrize("options", [(), ("--no-provenance",)])
def test_what_was_written_in_place_of_a_persons_is_ours(
    tag: Tag, music: Path, options: tuple[str, ...]
) -> None:
    track = make_track(music / "0.flac", artist="A", album="One", title="0")
    tag(music, *options)
    set_tags(track, genre="Dub")
    tag(music, *options)
    tag(music, "--overwrite", *options)
    assert genre_of(track) == ["Rock"]
    for n in (1, 2):
        make_track(music / f"{n}.flac", genre="Metal", artist="A", album="One", title=str(n))
    tag(music, *options)
    assert genre_of(track) == ["Metal"]


def test_what_a_person_set_again_is_the_persons_after_an_undo(
    tag: Tag, music: Path, place: Path
) -> None:
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "")[:3]
    filled = music / "3.flac"
    tag(music)
    for genre in ("Techno", "Ambient"):
        set_tags(filled, genre=genre)
        tag(music)
    assert tag(filled, "--overwrite").by_name["3.flac"]["status"] == "written"
    assert genre_of(filled) == ["Rock"]
    run_tagger("undo", "--catalog", place)
    assert genre_of(filled) == ["Ambient"]
    correct(owners, "Dub")
    assert tag(music).by_name["3.flac"]["reason_code"] == "somebodys"
    assert genre_of(filled) == ["Ambient"]


def test_a_copy_of_what_a_person_set_again_is_the_persons(tag: Tag, music: Path) -> None:
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "")[:3]
    filled = music / "3.flac"
    tag(music, "--no-provenance")
    for genre in ("Techno", "Ambient"):
        set_tags(filled, genre=genre)
        tag(music, "--no-provenance")
    copy = music / "copy.flac"
    copy.write_bytes(filled.read_bytes())
    correct(owners, "Dub")
    for _ in range(2):
        assert tag(music, "--no-provenance").by_name["copy.flac"]["status"] in ("kept", "unchanged")
    assert genre_of(copy) == ["Ambient"]


# Many at once


@pytest.fixture
def corrected(tag: Tag, music: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An album of which three of ours would follow what the owner says now; two may unasked."""
    monkeypatch.setattr("tagger.tagging.run._MANY_FOLLOWING", 2)
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "", "", "")[:3]
    tag(music)
    correct(owners, "Techno")
    return music


def test_many_changes_are_told_and_not_made(tag: Tag, corrected: Path) -> None:
    before = contents(corrected)
    for options in ((), ("--dry-run",)):
        told = tag(corrected, *options)
        assert "of genres of ours: 3 at most; more than 2 are changed only with --yes" in told.err
        codes = {told.by_name[f"{n}.flac"]["reason_code"] for n in (3, 4, 5)}
        assert codes == {"held_back"} and contents(corrected) == before
    assert told.by_name["3.flac"]["genres"] == ["Ambient"]


def test_many_changes_are_made_with_yes(tag: Tag, corrected: Path) -> None:
    told = tag(corrected, "--yes")
    assert "genres of ours that follow what your tags say now: 3 at most" in told.err
    assert all(genre_of(corrected / f"{n}.flac") == ["Techno"] for n in (3, 4, 5))
    assert "your tags say" not in tag(corrected).err


def test_as_many_as_may_follow_unasked_do(
    tag: Tag, corrected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.tagging.run._MANY_FOLLOWING", 3)
    tag(corrected)
    assert all(genre_of(corrected / f"{n}.flac") == ["Techno"] for n in (3, 4, 5))


def test_blanks_are_filled_while_changes_are_held_back(tag: Tag, corrected: Path) -> None:
    blank = make_track(corrected / "6.flac", artist="A", album="One", title="One 6")
    tag(corrected)
    assert genre_of(blank) == ["Techno"] and genre_of(corrected / "3.flac") == ["Ambient"]


def test_in_a_new_catalogue_our_field_tells_what_would_follow(
    tag: Tag, corrected: Path, place: Path
) -> None:
    for file in place.parent.glob("catalog.db*"):
        file.unlink()
    assert "3 at most; more than 2 are changed only with --yes" in tag(corrected).err


@pytest.mark.parametrize(("answer", "expected"), [("y", True), ("n", False), ("", False)])
def test_a_terminal_is_asked(answer: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bool] = []

    @click.command()
    def command() -> None:
        for stream in (sys.stdin, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
        found.append(_asker(yes=False, asks=True)(150))

    told = CliRunner().invoke(command, input=f"{answer}\n")
    assert found == [expected] and "up to 150 genres that the tagger wrote" in told.output


def test_nobody_is_asked_by_a_dry_run_or_where_there_is_no_terminal() -> None:
    assert not _asker(yes=False, asks=False)(150)
    assert not _asker(yes=False, asks=True)(150)
    assert _asker(yes=True, asks=True)(150)


# Tracks left to another model


def hear_by_another(music: Path, place: Path, models: Path) -> None:
    """Let another model hear all, of which the catalogue keeps no memory."""
    sound = ("tag", music, "--catalog", place, "--no-write", "--evidence", "sound")
    assert run_tagger(*sound, TAGGER_MODEL=str(models / "other.pt")).code == 0


def test_a_track_that_is_left_to_another_model_is_filled_by_evidence(
    music: Path, models: Path, place: Path
) -> None:
    owners = make_album(music, "Ambient", "Ambient", "Ambient", "")[:3]
    make_track(music / "other.flac", title="other")
    hear_by_another(music, place, models)
    common = ("--catalog", place, "--format", "jsonl")
    told = run_tagger("tag", music, *common)
    filled = told.by_name["3.flac"]
    assert (filled["status"], filled["evidence"]) == ("written", "album")
    assert genre_of(music / "3.flac") == ["Ambient"] and filled["n_segments"] == 0
    assert told.by_name["other.flac"]["reason_code"] == "other_model"
    assert told.err.count("left as another model heard them: 4") == 1
    after = contents(music)
    again = run_tagger("tag", music, *common)
    assert set(again.statuses.values()) == {"unchanged"} and contents(music) == after
    # What the other has heard is kept, and nothing was heard by this one.
    with Catalog.open(place) as catalog:
        known = catalog.info(music / "3.flac")
    assert known is not None and list(known.probabilities) == [
        read_card(models / "other.pt").model_id
    ]
    assert known.row.duration_s
    correct(owners, "Techno")
    assert run_tagger("tag", music, *common).by_name["3.flac"]["status"] == "written"
    assert genre_of(music / "3.flac") == ["Techno"]


def test_a_dry_run_plans_what_it_would_fill_of_those_left(
    music: Path, models: Path, place: Path
) -> None:
    make_album(music, "Ambient", "Ambient", "Ambient", "")
    hear_by_another(music, place, models)
    before = contents(music)
    told = run_tagger("tag", music, "--catalog", place, "--format", "jsonl", "--dry-run")
    assert told.by_name["3.flac"]["status"] == "planned" and contents(music) == before


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundled models: a default that hears Rock, and another that hears Folk."""
    folder = tmp_path / "models"
    folder.mkdir()
    for module in ("files", "choosing"):
        monkeypatch.setattr(f"tagger.models.{module}.BUNDLED", folder)
    make_model(folder / "default.pt")
    make_model(folder / "other.pt", favourite="Folk")
    return folder
