"""The parts of the page that tell what there is and what was done; "" where that is nothing."""

from __future__ import annotations

from tagger.catalog import RunRow
from tagger.report.bars import Part, bar, legend
from tagger.report.commands import catalog_option
from tagger.report.facts import N_BINS, Figures, FolderCount, GenreCount, Report
from tagger.report.html import Html, element, file_name, joined, name, paragraph
from tagger.report.soundmap import drawn_map
from tagger.report.steps import next_steps
from tagger.report.tables import BARS, ColumnHead, first, more, number, table
from tagger.report.words import count, hours, share

_STEP = 100 // N_BINS


def at_a_glance(report: Report) -> str:
    """How much there is, and how much of it has a genre."""
    figures = report.figures
    parts = [
        Part("persons", "set by a person", figures.n_persons),
        Part("ours", "set by the tagger", figures.n_ours),
        Part("waiting", "decided, not written", figures.n_waiting),
        Part("blank", "blank", figures.n_blank),
        Part("unread", "could not be read", figures.n_unread),
    ]
    return joined(
        element("dl", *_figures(figures), class_="figures"),
        element("h3", "Genres, by who set them"),
        element("div", bar(parts, figures.n_tracks), class_="whole"),
        legend(parts, figures.n_tracks),
        *(paragraph(text, class_="note") for text in _asides(figures)),
    )


def _figures(figures: Figures) -> list[Html]:
    n_with = figures.n_persons + figures.n_ours
    named = [
        ("tracks", count(figures.n_tracks)),
        ("of music", hours(figures.duration_s)),
        ("artists", count(figures.n_artists)),
        ("albums", count(figures.n_albums)),
        ("have a genre", share(n_with, figures.n_tracks)),
    ]
    return [element("div", element("dt", what), element("dd", text)) for what, text in named]


def _asides(figures: Figures) -> list[str]:
    told = (
        (figures.n_unmeasured, "Never decoded, so that their length is not counted: {}."),
        (figures.n_copies, "Copies of a recording that another file here holds, too: {}."),
        (
            figures.n_fillers,
            "Genres that say nothing, such as “Other” or “Unknown”: {}. Named in the setting "
            "treat_as_blank, they count as none and are filled.",
        ),
    )
    return [words.format(count(n)) for n, words in told if n]


def what_next(report: Report) -> str:
    """Commands to copy."""
    steps = [
        element("li", paragraph(step.why), element("pre", element("code", step.command)))
        for step in next_steps(report)
    ]
    return element("ol", *steps, class_="steps") if steps else ""


def the_map(report: Report) -> str:
    """Each track a dot."""
    if report.sound_map is None:
        return paragraph("There is no map yet: no model has heard three tracks of these.")
    return drawn_map(report.sound_map)


def genres(report: Report) -> str:
    """How many tracks each genre has."""
    largest = max((one.n_tracks for one in report.genres), default=0)
    rows = [
        (
            name(one.genre),
            bar(_by_whom(one), largest),
            count(one.n_tracks),
            count(one.n_persons),
            count(one.n_ours),
            count(one.n_waiting),
        )
        for one in report.genres
    ]
    if not rows:
        return paragraph("No track has a genre yet.")
    heads = (
        first("Genre"),
        BARS,
        number("tracks"),
        number("a person’s", "persons"),
        number("the tagger’s", "ours"),
        number("not written", "waiting"),
    )
    return joined(
        table("Tracks by genre, and who set it", heads, rows),
        more(report.n_more_genres, "genre", "less frequent"),
        paragraph("A track with several genres counts in each.", class_="note"),
    )


def _by_whom(one: GenreCount) -> list[Part]:
    return [
        Part("persons", "", one.n_persons),
        Part("ours", "", one.n_ours),
        Part("waiting", "", one.n_waiting),
    ]


def decades(report: Report) -> str:
    """How many tracks were released in which years; "" where no tag says it."""
    n_dated = sum(one.n_tracks for one in report.decades)
    largest = max((one.n_tracks for one in report.decades), default=0)
    rows = [
        (
            f"{one.first}s",
            bar([Part("known", "", one.n_tracks)], largest),
            count(one.n_tracks),
            _most(one.genre, one.n_of_genre, one.n_tracks),
        )
        for one in report.decades
    ]
    if not rows:
        return ""
    heads = (first("Decade"), BARS, number("tracks"), ColumnHead("most frequent genre"))
    note = f"By the year in the tag, which {share(n_dated, report.figures.n_tracks)} have."
    return joined(table("Tracks by decade", heads, rows), paragraph(note, class_="note"))


def _most(genre: str, n_of_genre: int, n_tracks: int) -> Html | str:
    return joined(name(genre), f" {share(n_of_genre, n_tracks)}") if genre else "–"


def sureness(report: Report) -> str:
    """How sure the tagger was."""
    both = list(zip(report.sureness.decided, report.sureness.undecided, strict=True))
    largest = max(map(sum, both))
    if not largest:
        return paragraph("Nothing was heard yet.")
    rows = [
        (
            f"{n * _STEP} to {(n + 1) * _STEP} %",
            bar([Part("ours", "", decided), Part("blank", "", undecided)], largest),
            count(decided),
            count(undecided),
        )
        for n, (decided, undecided) in reversed(list(enumerate(both)))
    ]
    heads = (
        first("Confidence"),
        BARS,
        number("genre decided", "ours"),
        number("undecided", "blank"),
    )
    return joined(
        table("Tracks by the tagger’s confidence", heads, rows),
        paragraph(
            "Of its likeliest genre, in every track that was heard, whoever set the genre that "
            "stands there.",
            class_="note",
        ),
    )


def folders(report: Report) -> str:
    """What is in each folder."""
    largest = max((one.n_tracks for one in report.folders), default=0)
    rows = [_folder(one, largest) for one in report.folders]
    heads = (
        first("Folder"),
        BARS,
        number("tracks"),
        number("without genre", "blank"),
        ColumnHead("most frequent genre"),
    )
    return joined(
        table("Tracks by folder", heads, rows), more(report.n_more_folders, "folder", "smaller")
    )


def _folder(one: FolderCount, largest: int) -> tuple[str, ...]:
    parts = [Part("known", "", one.n_tracks - one.n_blank), Part("blank", "", one.n_blank)]
    return (
        file_name(one.folder),
        bar(parts, largest),
        count(one.n_tracks),
        count(one.n_blank),
        _most(one.genre, one.n_of_genre, one.n_tracks),
    )


def runs(report: Report) -> str:
    """The latest runs, and how each is taken back."""
    if not report.runs:
        return ""
    rows = [_run(run, report) for run in report.runs]
    heads = (
        first("Run"),
        ColumnHead("when"),
        ColumnHead("command"),
        ColumnHead("what became of the tracks"),
        ColumnHead("take it back"),
    )
    return joined(
        table("The latest runs", heads, rows),
        paragraph("Of the whole catalogue, whichever folder this page is about.", class_="note")
        if report.subject.under
        else "",
    )


def _run(run: RunRow, report: Report) -> tuple[str, ...]:
    counts = [f"{count(n)} {status}" for status, n in run.summary.by_status.items() if n]
    if run.ended is None:
        counts.append("under way, or killed")
    elif run.summary.interrupted:
        counts.append("interrupted")
    undo = f"tagger undo {run.run_id}{catalog_option(report.subject.catalog)}"
    return (
        str(run.run_id),
        run.started.astimezone(report.subject.made.tzinfo).strftime("%Y-%m-%d %H:%M"),
        name(run.command),
        ", ".join(counts) or "nothing to do",
        element("code", undo) if run.n_standing else "nothing written",
    )
