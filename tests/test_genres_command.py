"""The owner's list in a run, and `tagger genres`: what it lists, renames and leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.flac import FLAC

from tagger.cli import genres as command
from tests import tagged
from tests.catalogs import assert_consistent
from tests.library import (
    Run,
    contents,
    genre_of,
    make_model,
    make_track,
    run_tagger,
    set_tags,
)

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list that calls Rock otherwise, and what Rock is a kind of."""
    file = tmp_path / "genres.toml"
    file.write_text(
        'never = ["Live"]\n[aliases]\nRock = "Rock Music"\nRap = "Hip-Hop"\n'
        '[parents]\n"Rock Music" = "Popular"\n"Hip-Hop" = "Popular"\n'
    )
    return file


def make_album(folder: Path, *genres: str) -> list[Path]:
    """Tracks of an album, each with a genre; "" is a blank one."""
    return [
        make_track(folder / f"{n}.flac", genre=genre, artist="A", album="One", title=f"One {n}")
        for n, genre in enumerate(genres)
    ]


def set_genres(path: Path, *genres: str) -> None:
    """Give a FLAC file several genres."""
    file = FLAC(path)
    file["genre"] = list(genres)
    file.save()


def field_of(path: Path) -> str:
    file: Any = mutagen.File(path)
    return str((file.tags or {}).get("tagger_genre", [""])[0])


# In a run


def test_what_is_heard_is_written_in_the_owners_words(music: Path, run: Run, listed: Path) -> None:
    track = make_track(music / "a.flac")
    told = run("tag", music, "--genre-list", listed)
    assert (told.statuses, genre_of(track)) == ({"a.flac": "written"}, ["Rock Music"])
    assert told.records[0]["suggestions"][0]["genre"] == "Rock Music"
    assert run("tag", music, "--genre-list", listed).statuses == {"a.flac": "unchanged"}


def test_the_list_comes_behind_the_genre_map(music: Path, place: Path, listed: Path) -> None:
    model = make_model(music.parent / "model.pt")
    track = make_track(music / "a.flac")
    options = ("--catalog", place, "--model", model, "--genre-list", listed)
    assert run_tagger("tag", music, *options, TAGGER_GENRE_MAP="Rock=Rap").code == 0
    assert genre_of(track) == ["Hip-Hop"]


def test_what_the_list_does_not_allow_is_not_written(music: Path, run: Run, tmp_path: Path) -> None:
    only = tmp_path / "only.toml"
    only.write_text('allowed = ["Folk"]')
    make_track(music / "a.flac")
    before = contents(music)
    (record,) = run("tag", music, "--genre-list", only).records
    assert (record["status"], record["reason_code"]) == ("unsure", "not_listed")
    assert "would be Rock, which your list of genres does not allow" in record["reason"]
    assert "Rock" not in {one["genre"] for one in record["suggestions"]}
    assert contents(music) == before


def test_parents_are_written_behind_the_style(music: Path, run: Run, listed: Path) -> None:
    heard = make_track(music / "a.flac")
    make_album(music / "one", "Rap", "Hip Hop", "")
    run("tag", music, "--genre-list", listed, "--with-parents")
    assert genre_of(heard) == ["Rock Music", "Popular"]
    assert field_of(heard).startswith("Rock Music; Popular; 0.6")
    assert genre_of(music / "one" / "2.flac") == ["Hip-Hop", "Popular"]
    before = contents(music)
    run("tag", music, "--genre-list", listed, "--with-parents")
    assert contents(music) == before


def test_it_is_told_where_no_list_names_parents(music: Path, run: Run, tmp_path: Path) -> None:
    make_track(music / "a.flac")
    (tmp_path / "flat.toml").write_text('never = ["Live"]')
    told = run("tag", music, "--with-parents", "--genre-list", tmp_path / "flat.toml")
    assert "--with-parents: your list of genres names none" in told.err


def test_words_for_one_genre_speak_as_one(music: Path, run: Run, listed: Path) -> None:
    """Of two minds without the list, of one with it; and nothing that a person set changes."""
    owners = make_album(music, "Rap", "hip hop", "Hip-Hop", "")[:3]
    before = contents(music)
    told = run("tag", music, "--genre-list", listed).by_name["3.flac"]
    assert (told["genres"], told["evidence"]) == (["Hip-Hop"], "album")
    after = contents(music)
    assert all(after[path.name] == before[path.name] for path in owners)


def test_where_the_owner_calls_an_album_what_is_not_allowed_the_sound_is_not_asked(
    music: Path, run: Run, tmp_path: Path
) -> None:
    only = tmp_path / "only.toml"
    only.write_text('allowed = ["Rock"]')
    make_album(music, "Space Disco", "Space Disco", "Space Disco", "")
    told = run("tag", music, "--genre-list", only).by_name["3.flac"]
    assert (told["status"], told["reason_code"]) == ("unsure", "not_listed")
    assert genre_of(music / "3.flac") == [""]


def test_what_is_never_written_does_not_travel_with_a_genre(
    music: Path, run: Run, listed: Path
) -> None:
    for track in make_album(music, "x", "x", "x", "")[:3]:
        set_genres(track, "Dub", "Live")
    told = run("tag", music, "--genre-list", listed).by_name["3.flac"]
    assert (told["status"], told["genres"]) == ("written", ["Dub"])


def test_genres_asked_for_may_be_named_in_any_of_their_words(
    music: Path, run: Run, listed: Path
) -> None:
    make_album(music, "Rap", "Rap", "Rap", "")
    told = run("tag", music, "--genre-list", listed, "--genres", "Rap").by_name["3.flac"]
    assert told["genres"] == ["Hip-Hop"]


def test_a_list_with_a_circle_lets_nothing_start(music: Path, run: Run, tmp_path: Path) -> None:
    make_track(music / "a.flac")
    (tmp_path / "bad.toml").write_text('[parents]\nA = "B"\nB = "A"\n')
    for arguments in (("tag", music), ("genres",), ("genres", "--apply")):
        told = run(*arguments, "--genre-list", tmp_path / "bad.toml")
        assert told.code == 2 and "circle: A > B > A" in told.err


# Listing


def test_genres_lists_what_stands_in_the_library_and_what_would_change(
    music: Path, run: Run, listed: Path
) -> None:
    make_album(music, "Rap", "hip hop", "hip hop", "Live")
    make_track(music / "ours.flac")
    run("tag", music)
    found = {one["genre"]: one for one in run("genres", "--genre-list", listed).records}
    assert list(found) == ["hip hop", "Rap", "Live", "Rock"]
    assert (found["Rap"]["word"], found["Rap"]["n_tracks"]) == ("Hip-Hop", 1)
    assert (found["hip hop"]["word"], found["hip hop"]["n_tracks"]) == ("Hip-Hop", 2)
    assert (found["Live"]["word"], found["Live"]["allowed"]) == ("Live", False)
    assert (found["Rock"]["word"], found["Rock"]["n_ours"]) == ("Rock Music", 1)


def test_genres_reads_well(music: Path, run: Run, place: Path, listed: Path) -> None:
    make_album(music, "Rap", "hip hop", "hip hop", "Live")
    make_track(music / "ours.flac")
    run("tag", music)
    told = run_tagger("genres", "--catalog", place, "--genre-list", listed)
    assert told.out.splitlines() == [
        "      3  Hip-Hop",
        "               2  hip hop                   → Hip-Hop",
        "               1  Rap                       → Hip-Hop",
        "      1  Live                      not allowed by your list",
        "      1  Rock                      → Rock Music  1 by the tagger",
    ]
    asked = f"tagger genres --apply --genre-list {listed} --catalog {place}"
    assert told.err == f"to put these words into the files: {asked}\n"
    settings = {"TAGGER_CATALOG": str(place), "TAGGER_GENRE_LIST": str(listed)}
    told = run_tagger("genres", "--under", music, **settings)
    assert told.err.endswith(f"files: tagger genres --apply --under {music}\n")
    assert "a list of your own goes to" in run_tagger("genres", "--catalog", place).err


# Renaming


def test_apply_puts_the_owners_words_and_undo_takes_them_back_byte_for_byte(
    music: Path, run: Run, place: Path, listed: Path
) -> None:
    make_album(music, "Rap", "hip hop", "Polka", "Hip-Hop")
    ours = make_track(music / "ours.mp3", artist="B")
    run("tag", music)
    before = contents(music)
    told = run("genres", "--apply", "--genre-list", listed)
    assert told.statuses == dict.fromkeys(("0.flac", "1.flac", "ours.mp3"), "written")
    assert {name: one["ours"] for name, one in told.by_name.items()} == {
        "0.flac": False,
        "1.flac": False,
        "ours.mp3": True,
    }
    assert [genre_of(music / f"{n}.flac") for n in range(4)] == [
        ["Hip-Hop"],
        ["Hip-Hop"],
        ["Polka"],
        ["Hip-Hop"],
    ]
    assert genre_of(ours) == ["Rock Music"]
    assert run("genres", "--apply", "--genre-list", listed).records == []
    assert run("runs").records[0]["command"] == "genres"
    assert run("undo").code == 0
    restored = contents(music)
    assert {name: data for name, (data, _) in restored.items()} == {
        name: data for name, (data, _) in before.items()
    }
    assert_consistent(place)


def test_apply_and_its_undo_on_a_server(
    music: Path, run: Run, listed: Path, model: Path, new_database: Callable[[], str]
) -> None:
    url = new_database()
    make_album(music, "Rap", "hip hop", "Polka")
    ours = make_track(music / "ours.mp3", artist="B")
    assert run_tagger("tag", music, "--catalog", url, "--model", model).code == 0
    before = {path.name: path.read_bytes() for path in music.iterdir()}
    asked = ("genres", "--apply", "--genre-list", listed, "--catalog", url, "--format", "jsonl")
    planned = run_tagger(*asked, "--dry-run")
    assert planned.statuses == dict.fromkeys(("0.flac", "1.flac", "ours.mp3"), "planned")
    assert {path.name: path.read_bytes() for path in music.iterdir()} == before
    told = run_tagger(*asked)
    assert told.statuses == dict.fromkeys(("0.flac", "1.flac", "ours.mp3"), "written")
    assert (genre_of(music / "0.flac"), genre_of(ours)) == (["Hip-Hop"], ["Rock Music"])
    stands = run_tagger("genres", "--catalog", url, "--format", "jsonl").records
    assert {one["genre"]: (one["n_tracks"], one["n_ours"]) for one in stands} == {
        "Hip-Hop": (2, 0),
        "Polka": (1, 0),
        "Rock Music": (1, 1),
    }
    assert run_tagger(*asked).records == []
    assert run_tagger("undo", "--catalog", url).code == 0
    assert {path.name: path.read_bytes() for path in music.iterdir()} == before


def test_ours_stays_ours_and_a_persons_stays_a_persons(music: Path, run: Run, listed: Path) -> None:
    persons, ours = make_album(music, "Rap", "")
    run("tag", music, "--evidence", "sound")
    assert field_of(ours).startswith("Rock; 0.99; ")
    run("genres", "--apply", "--genre-list", listed)
    assert field_of(ours).startswith("Rock Music; 0.99; ")
    assert field_of(persons) == ""
    before = contents(music)
    told = run("tag", music, "--genre-list", listed, "--evidence", "sound")
    assert set(told.statuses.values()) == {"unchanged"} and contents(music) == before


def test_an_old_field_of_ours_makes_no_genre_of_a_persons_ours(
    music: Path, run: Run, listed: Path
) -> None:
    """A person corrected ours to what the list calls by the very word that our field has."""
    listed.write_text('[aliases]\n"Rock Music" = "Rock"\n')
    track = make_track(music / "a.flac")
    run("tag", music)
    set_tags(track, genre="Rock Music")
    run("tag", music)
    (told,) = run("genres", "--apply", "--genre-list", listed).records
    assert (told["ours"], genre_of(track), field_of(track)) == (False, ["Rock"], "")
    assert run("tag", music).records[0]["reason_code"] == "somebodys"


def test_ours_without_our_field_stays_ours(music: Path, run: Run, listed: Path) -> None:
    persons, ours = make_album(music, "Rap", "")
    run("tag", music, "--no-provenance", "--evidence", "sound")
    run("genres", "--apply", "--genre-list", listed)
    assert (genre_of(ours), field_of(ours)) == (["Rock Music"], "")
    assert genre_of(persons) == ["Hip-Hop"]
    found = {one["genre"]: one["n_ours"] for one in run("genres").records}
    assert found == {"Hip-Hop": 0, "Rock Music": 1}
    told = run("tag", music, "--no-provenance", "--evidence", "sound")
    assert told.statuses == {"0.flac": "unchanged", "1.flac": "written"}


def test_what_was_renamed_back_is_not_renamed_by_the_next_run(
    music: Path, run: Run, listed: Path
) -> None:
    track = make_track(music / "a.flac")
    run("tag", music)
    run("genres", "--apply", "--genre-list", listed)
    run("undo")
    told = run("tag", music, "--genre-list", listed)
    assert (genre_of(track), told.records[0]["reason_code"]) == (["Rock"], "taken_back")


def test_several_genres_become_one_where_they_mean_the_same(
    music: Path, run: Run, listed: Path
) -> None:
    track = make_track(music / "a.flac")
    set_genres(track, "Rap", "Live", "Hip-Hop", "Polka")
    run("tag", music)
    run("genres", "--apply", "--genre-list", listed)
    assert genre_of(track) == ["Hip-Hop", "Live", "Polka"]


def test_nothing_is_touched_by_a_dry_run(music: Path, run: Run, place: Path, listed: Path) -> None:
    make_album(music, "Rap", "Polka")
    run("tag", music)
    before, catalog = contents(music), place.read_bytes()
    told = run("genres", "--apply", "--dry-run", "--genre-list", listed)
    assert told.statuses == {"0.flac": "planned"} and told.records[0]["genres"] == ["Hip-Hop"]
    assert (contents(music), place.read_bytes()) == (before, catalog)


def test_only_files_in_a_folder_are_renamed(music: Path, run: Run, listed: Path) -> None:
    one, other = make_track(music / "a" / "1.flac"), make_track(music / "b" / "2.flac")
    for track in (one, other):
        set_tags(track, genre="Rap")
    run("tag", music)
    run("genres", "--apply", "--genre-list", listed, "--under", music / "a")
    assert (genre_of(one), genre_of(other)) == (["Hip-Hop"], ["Rap"])


def test_many_files_are_renamed_only_with_yes(
    music: Path, run: Run, listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_MANY", 1)
    make_album(music, "Rap", "Rap")
    run("tag", music)
    before = contents(music)
    told = run("genres", "--apply", "--genre-list", listed)
    assert told.code == 2 and "2 files would be renamed; so many only with --yes" in told.err
    assert contents(music) == before
    assert run("genres", "--apply", "--yes", "--genre-list", listed).code == 0
    assert genre_of(music / "0.flac") == ["Hip-Hop"]


def test_a_genre_that_was_changed_meanwhile_is_left(music: Path, run: Run, listed: Path) -> None:
    track = make_track(music / "a.flac")
    set_tags(track, genre="Rap")
    run("tag", music)
    set_tags(track, genre="Polka")
    (told,) = run("genres", "--apply", "--genre-list", listed).records
    assert (told["status"], genre_of(track)) == ("unchanged", ["Polka"])


def test_what_a_kill_left_between_a_tag_and_its_row_is_put_right(
    music: Path, run: Run, listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = make_track(music / "a.flac")
    set_tags(track, genre="Rap")
    run("tag", music)
    with monkeypatch.context() as patch:
        patch.setattr("tagger.tagging.renaming.ledger.record", _killed)
        assert run("genres", "--apply", "--genre-list", listed).code == 130
    assert genre_of(track) == ["Hip-Hop"]
    assert run("genres", "--apply", "--genre-list", listed).statuses == {"a.flac": "unchanged"}
    assert [one["genre"] for one in run("genres").records] == ["Hip-Hop"]
    assert run("genres").records[0]["n_ours"] == 0
    run("undo")
    assert genre_of(track) == ["Rap"]


def _killed(_catalog: object, _run_id: int, entries: Sequence[object]) -> dict[Path, Any]:
    if entries:
        raise KeyboardInterrupt
    return {}


def test_a_file_that_cannot_be_written_is_told_and_the_others_are_renamed(
    music: Path, run: Run, listed: Path
) -> None:
    gone, broken, whole = (make_track(music / f"{n}.flac") for n in "abc")
    for track in (gone, broken, whole):
        set_tags(track, genre="Rap")
    run("tag", music)
    gone.unlink()
    broken.write_bytes(b"no music")
    told = run("genres", "--apply", "--genre-list", listed)
    assert told.code == 1
    assert told.statuses == {"a.flac": "failed", "b.flac": "failed", "c.flac": "written"}
    assert "a.flac: No such file" in told.err and genre_of(whole) == ["Hip-Hop"]


def test_without_a_list_nothing_is_applied(music: Path, run: Run) -> None:
    make_track(music / "a.flac")
    run("tag", music)
    told = run("genres", "--apply")
    assert told.code == 2 and "there is no list of genres here yet" in told.err
    assert "genres.toml" in told.err


@pytest.mark.parametrize("kind", ["mp3", "ogg", "m4a", "wav", "wma", "opus"])
def test_formats_are_renamed_and_put_back(kind: str, music: Path, run: Run, listed: Path) -> None:
    file = music / f"a.{kind}"
    file.write_bytes(tagged.sound(kind))
    run("tag", music, "--min-confidence", "0")
    before = file.read_bytes()
    told = run("genres", "--apply", "--genre-list", listed)
    assert told.statuses == {file.name: "written"}, told.err
    assert file.read_bytes() != before
    run("undo")
    assert file.read_bytes() == before


def test_more_than_one_value_is_kept_as_several(music: Path, run: Run, listed: Path) -> None:
    track = make_track(music / "a.flac")
    run("tag", music, "--genre-list", listed, "--with-parents")
    assert FLAC(track)["genre"] == ["Rock Music", "Popular"]


# Doubts


def test_two_words_for_one_genre_are_no_doubt(music: Path, run: Run, listed: Path) -> None:
    """A track called Rap on an album called Hip-Hop stands alone, unless the list joins the two."""
    for n in range(6):
        for track in make_album(music / f"{n}", *["Hip-Hop"] * 5):
            set_tags(track, artist=f"A{n}", album=f"B{n}")
    odd = make_track(music / "0" / "odd.flac", genre="Rap", artist="A0", album="B0", title="odd")
    run("tag", music, "--evidence", "sound")
    assert [one["path"] for one in run("doubtful").records] == [str(odd)]
    assert run("doubtful", "--genre-list", listed).records == []
