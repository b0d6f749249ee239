"""A run's results as a person reads them: a line an album, and what differs beneath it."""

from pathlib import Path

import pytest

from tagger.cli.album_lines import AlbumLines
from tagger.cli.screen import Screen, screen_of_stdout, width_of
from tagger.reasons import Reason
from tagger.records import Stage, Status, Suggestion, TagsFound, TrackFailure, TrackResult


def result(
    name: str,
    status: Status = Status.WRITTEN,
    genres: tuple[str, ...] = ("Rock",),
    *,
    album: str = "Blue",
    artist: str = "Joni",
    confidence: float = 0.9,
    like: str = "",
) -> TrackResult:
    path = Path("/m") / name
    return TrackResult(
        path,
        status,
        genres,
        before=genres if status is Status.KEPT else (),
        confidence=confidence,
        suggestions=(Suggestion(like, confidence),) if like else (),
        evidence="sound" if status is Status.WRITTEN else None,
        tags=TagsFound(title=path.stem.title(), artist=artist, album=album),
    )


def lines_of(*results: TrackResult, width: int | None = None) -> list[str]:
    lines = AlbumLines(Screen(width), (Path("/m"),))
    told_before = [line for one in results for line in lines.take(one)]
    return told_before + lines.rest()


def test_an_album_is_one_line_with_the_least_sure_of_its_tracks() -> None:
    assert lines_of(result("a/1.mp3"), result("a/2.mp3", confidence=0.8)) == [
        "written   Rock                80 %  sound   Joni – Blue  (2 tracks)"
    ]


def test_tracks_that_differ_from_their_album_stand_beneath_it() -> None:
    other = result("a/tango.mp3", Status.UNSURE, (), confidence=0.4, like="Latin")
    assert lines_of(result("a/1.mp3"), other, result("a/3.mp3")) == [
        "written   Rock                90 %  sound   Joni – Blue  (2 of 3 tracks)",
        "  unsure  Latin?              40 %            Tango",
    ]


def test_albums_and_lone_tracks_have_lines_of_their_own() -> None:
    lone = result("b/carey.mp3", Status.KEPT, ("Folk",), album="")
    assert lines_of(
        result("a/1.mp3"), result("a/2.mp3"), result("a/x.mp3", album="Hejira"), lone
    ) == [
        "written   Rock                90 %  sound   Joni – Blue  (2 tracks)",
        "written   Rock                90 %  sound   Joni – X",
        "kept      Folk                              Joni – Carey",
    ]


def test_a_folder_of_lone_tracks_is_named_by_its_folder() -> None:
    singles = [result(f"singles/{n}.mp3", album="", artist=f"A{n}") for n in range(3)]
    other = result("singles/9.mp3", Status.KEPT, ("Ska",), album="", artist="A9")
    assert lines_of(*singles[:2], other, singles[2]) == [
        "written   Rock                90 %  sound   singles  (3 tracks)",
        "kept      Ska                               A9 – 9",
    ]


def test_unchanged_and_failed_tracks_have_no_line() -> None:
    unchanged = result("a/1.mp3", Status.UNCHANGED)
    failed = TrackResult.of_failure(
        TrackFailure(Path("/m/a/2.mp3"), Stage.DECODE, Reason.told("no"))
    )
    assert lines_of(unchanged, failed) == []


def test_lines_fit_the_terminal_whatever_the_letters() -> None:
    album, artist = "無罪モラトリアム" * 8, "椎名林檎"
    tracks = [result(f"a/{n}.mp3", artist=artist, album=album) for n in range(2)]
    (line,) = lines_of(*tracks, width=60)
    assert width_of(line) <= 60
    assert line.endswith("…")


def test_control_letters_of_a_tag_reach_no_terminal() -> None:
    (line,) = lines_of(result("a/1.mp3", artist="\x1b[31mred"))
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("color", "no_color", "is_terminal", "expected"),
    [
        ("auto", "", True, True),
        ("auto", "", False, False),
        ("auto", "1", True, False),
        ("always", "1", False, True),
        ("never", "", True, False),
    ],
)
def test_colours_are_shown_on_a_terminal_unless_told_otherwise(
    color: str,
    no_color: str,
    is_terminal: bool,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    assert screen_of_stdout(color).color is expected
