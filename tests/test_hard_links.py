"""Files that have several names, such as a download that is still seeded."""

from pathlib import Path

import pytest

from tests.library import Run, genre_of, make_track

pytestmark = pytest.mark.usefixtures("in_process")


def test_a_file_of_two_names_is_written_and_told_of_once_a_run(
    music: Path, tmp_path: Path, run: Run
) -> None:
    seeded = make_track(tmp_path / "seeded" / "a.flac", title="with room for a genre")
    (music / "a.flac").hardlink_to(seeded)
    make_track(music / "b.flac")
    outcome = run("tag", music)
    assert set(outcome.statuses.values()) == {"written"}, outcome.out
    assert outcome.err.count("written under all their names") == 1
    assert 'hard_links = "leave"' in outcome.err
    assert genre_of(seeded) == ["Rock"]


def test_it_is_left_alone_where_the_setting_says_so(
    music: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = make_track(tmp_path / "seeded" / "a.flac")
    (music / "a.flac").hardlink_to(seeded)
    make_track(music / "b.flac")
    before = seeded.read_bytes()
    folder = tmp_path / "config" / "tagger"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('hard_links = "leave"\n')
    monkeypatch.setattr("tagger.config.config_path", lambda: folder / "config.toml")
    outcome = run("tag", music)
    assert (outcome.code, outcome.statuses) == (0, {"a.flac": "predicted", "b.flac": "written"})
    assert outcome.by_name["a.flac"]["reason_code"] == "linked"
    assert outcome.err.count("left alone, since they have several names") == 1
    assert "hard_links says so: 1\n" in outcome.err
    assert "written under" not in outcome.err
    assert seeded.read_bytes() == before


def test_a_dry_run_tells_of_a_file_of_two_names_as_well(
    music: Path, tmp_path: Path, run: Run
) -> None:
    make_track(music / "a.flac", title="with room for a genre")
    (tmp_path / "seeded.flac").hardlink_to(music / "a.flac")
    outcome = run("tag", music, "--dry-run")
    assert "would be written though they have several names: 1;" in outcome.err


def test_a_copy_that_parts_a_file_from_its_other_name_is_told_as_that(
    music: Path, tmp_path: Path, run: Run
) -> None:
    make_track(music / "a.flac")  # without room for a genre
    seeded = tmp_path / "seeded.flac"
    seeded.hardlink_to(music / "a.flac")
    outcome = run("tag", music, "--allow-copies")
    assert "written under one of several names, since allow_copies says so: 1;" in outcome.err
    assert "under all their names" not in outcome.err
    assert genre_of(seeded) == []
