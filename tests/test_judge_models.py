"""Judging models on labelled clips: the counts are those of the verdicts."""

from pathlib import Path

import pytest

from tests.library import make_track
from tools import count_segments, judge_models
from tools.judge_models import Verdict, agreed
from tools.labelled_clips import Clip


def verdict(folder: str, genre: str, likeliest: str, written: str) -> Verdict:
    return Verdict(Clip(Path("x"), (folder,), (folder, genre), ""), likeliest, 0.5, written)


def test_right_is_what_the_folder_or_the_clips_own_genre_says() -> None:
    one = verdict("pop", "alternative rock", "Rock", "Rock")
    assert (one.is_heard, one.is_right, one.is_right_by_either) == (False, False, True)
    none = verdict("pop", "rock", "Pop", "")
    assert (none.is_heard, none.is_right, none.is_right_by_either) == (True, False, False)


def test_two_models_agree_where_both_say_the_same() -> None:
    one, other = verdict("rock", "", "Rock", "Rock"), verdict("rock", "", "Rock", "")
    assert (agreed(one, other).likeliest, agreed(one, other).written) == ("Rock", "")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    make_track(folder / "rock" / "1.flac", genre="Punk Rock")
    make_track(folder / "folk" / "1.flac", genre="Rock")
    make_track(folder / "folk" / "2.flac")
    return folder


def test_the_table_counts_each_folder(
    clips: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["judge", str(clips), "--model", str(model)])
    assert judge_models.main() == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["rock", "1", "1", "1", "1", "1"] in lines
    assert ["folk", "2", "0", "2", "0", "1"] in lines
    assert ["all", "3", "1", "3", "1", "2"] in lines


def test_segments_are_counted_until_the_verdict_stands(
    clips: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["count", str(clips), "--model", str(model)])
    assert count_segments.main() == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1][-5:] == ["placed", *count_segments.PLACES]
    assert lines[2] == ["1", *["100.0%"] * 5]
    assert " ".join(lines[-1]) == "as many as it hears, 1.0 a recording: 100.0%"


def test_a_folder_without_clips_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["judge", str(tmp_path)])
    assert judge_models.main() == 2
    assert "holds no labelled clips" in capsys.readouterr().err
    assert count_segments.main() == 2
    assert "holds no recordings" in capsys.readouterr().err


def test_what_both_hear_is_told_by_genre_and_beside_what_each_is_surest_of(
    clips: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again = model.with_name("again.pt")
    again.write_bytes(model.read_bytes())
    monkeypatch.setattr("sys.argv", ["judge", str(clips), f"--model={model}", f"--model={again}"])
    assert judge_models.main() == 0
    out = capsys.readouterr().out
    assert ["Rock", "3", "1", "2"] in [line.split() for line in out.splitlines()]
    assert "both hear the same genre in 3 clips, in 1 of them that of the label" in out
    assert f"the surest by {again}: 3 clips, in 1 of them" in out
