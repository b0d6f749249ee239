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
    assert seeded.read_bytes() == before
