"""The end of a run says what was left blank, and why."""

from pathlib import Path

from tagger.reasons import Reason, ReasonCode
from tagger.records import Status, Suggestion, TagsFound, TrackResult
from tagger.report.outlook import Outlook


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


def test_what_was_blank_before_is_counted_too() -> None:
    outlook = Outlook()
    for status, genres in (
        (Status.UNCHANGED, ()),
        (Status.MOVED, ()),
        (Status.UNCHANGED, ("Rock",)),
        (Status.FAILED, ()),
    ):
        outlook.see(TrackResult(Path("/m/a.mp3"), status, genres))
    (line,) = outlook.lines()
    assert line == "blank since earlier runs: 2 tracks (tagger list --blank names them)"


def of(code: ReasonCode, name: str, artist: str, confidence: float = 0.4) -> TrackResult:
    return TrackResult(
        Path(f"/m/{name}.mp3"),
        Status.UNSURE,
        reason=Reason(code),
        suggestions=(Suggestion("Rock", confidence),),
        tags=TagsFound(artist=artist, title=name),
    )


def told(outlook: Outlook, catalog: str = "") -> list[tuple[str, str]]:
    steps = outlook.next_steps([Path("/m/my music")], catalog)
    return [(step.command, step.why) for step in steps]


def test_the_next_step_is_what_fills_most() -> None:
    outlook = Outlook()
    for n in range(20):  # twelve artists: one with nine tracks, the rest with one
        outlook.see(of(ReasonCode.UNSURE, f"a{n}", "Ann" if n < 9 else f"Artist {n}", 0.59))
    for n in range(3):
        outlook.see(of(ReasonCode.UNASKED, f"b{n}", "Ann", 0.9))
    assert told(outlook) == [
        ("tagger review '/m/my music'", "10 answers in your browser settle 21 of them"),
        ("tagger tag --genres all '/m/my music'", "writes 3 more, about 3 of them rightly"),
    ]


def test_a_lower_threshold_is_named_with_what_it_costs() -> None:
    outlook = Outlook()
    for n in range(40):
        outlook.see(of(ReasonCode.UNSURE, f"a{n}", f"Artist {n}", 0.6 if n < 20 else 0.5))
    assert told(outlook, "/c.db") == [
        (
            "tagger tag --min-confidence 0.6 '/m/my music' --catalog /c.db",
            "writes 20 more, about 12 of them rightly",
        ),
        (
            "tagger review '/m/my music' --catalog /c.db",
            "10 answers in your browser settle 10 of them",
        ),
    ]


def test_what_is_decided_is_written_first() -> None:
    outlook = Outlook()
    outlook.see(of(ReasonCode.UNSURE, "a", "Ann"))
    outlook.see(TrackResult(Path("/m/b.mp3"), Status.PLANNED, ("Rock",)))
    linked = TrackResult(
        Path("/m/c.mp3"), Status.PREDICTED, ("Rock",), reason=Reason(ReasonCode.LINKED)
    )
    outlook.see(linked)
    assert told(outlook) == [("the same command without --dry-run or --no-write", "writes 1 genre")]


def test_whoever_has_tagged_a_lot_is_told_of_learning() -> None:
    outlook = Outlook()
    for n in range(40):
        outlook.see(TrackResult(Path(f"/m/{n}.mp3"), Status.KEPT, ("Dub",), ("Dub",)))
    assert told(outlook) == []
    for n in range(4):
        outlook.see(of(ReasonCode.UNSURE, f"{n}", "Ann"))
    assert [command for command, _ in told(outlook)] == [
        "tagger review '/m/my music'",
        "tagger learn '/m/my music'",
    ]


def test_what_no_answer_fills_is_not_asked_about() -> None:
    outlook = Outlook()
    outlook.see(of(ReasonCode.NEVER, "a", "Ann"))
    assert told(outlook) == []
