"""The end of a run says what was left blank, and why."""

from pathlib import Path

from tagger.cli.outlook import Outlook
from tagger.reasons import Reason, ReasonCode
from tagger.records import Status, Suggestion, TrackResult


def unsure(code: ReasonCode, *likeliest: str) -> TrackResult:
    suggestions = tuple(Suggestion(genre, 0.4) for genre in likeliest)
    return TrackResult(
        Path("/m/a.mp3"), Status.UNSURE, reason=Reason(code), suggestions=suggestions
    )


def test_blanks_are_counted_by_reason_with_what_they_are_most_like() -> None:
    outlook = Outlook()
    for result in (
        unsure(ReasonCode.UNSURE, "Rock", "Pop"),
        unsure(ReasonCode.UNSURE, "Rock"),
        unsure(ReasonCode.UNSURE, "Folk\x1b"),
        unsure(ReasonCode.SILENT),
        TrackResult(Path("/m/b.mp3"), Status.WRITTEN, ("Rock",)),
    ):
        outlook.see(result)
    assert outlook.lines() == [
        "left blank: 4 tracks",
        "       3  not sure enough (most like Rock 2, Folk\\x1b 1)",
        "       1  silent",
    ]
