"""What to do next: commands to copy, only where they would do something."""

from __future__ import annotations

from collections.abc import Callable

from tagger.report.commands import FOLDER, Step, catalog_option, quoted, to_copy
from tagger.report.facts import ANSWERABLE, Blank, Report, Subject
from tagger.report.words import count, counted

_ENOUGH_TO_LEARN = 40  # tracks; ``tagger learn`` says what else it takes
_WORTH_A_WORD = 10  # tracks
_MOST_ROOTS = 4


def next_steps(report: Report) -> list[Step]:
    """Return what to do next, the most useful first."""
    steps = (make(report) for make in (_STEPS if report.figures.n_tracks else (_begin,)))
    named = catalog_option(report.subject.catalog)
    return [Step(step.why, step.command + named) for step in steps if step is not None]


def _begin(report: Report) -> Step:
    folder = quoted(report.subject.under) if report.subject.under else "~/Music"
    return Step("See what would be done; nothing is touched.", f"tagger tag --dry-run {folder}")


def _write(report: Report) -> Step | None:
    n = report.figures.n_waiting
    if not n:
        return None
    why = f"{counted(n, 'genre')} decided and not written: write what is recorded, at once."
    return Step(why, f"tagger tag{_model(report)} {_where(report.subject)}")


def _finish_albums(report: Report) -> Step | None:
    n = report.owners_word.n_fillable
    if not n or report.figures.n_waiting:  # the command that writes those does both
        return None
    why = f"{counted(n, 'track')} left blank that your own tags would fill: write them."
    return Step(why, f"tagger tag{_model(report)} {_where(report.subject)}")


def _hear_better(report: Report) -> Step | None:
    n = _n_blank(report, Blank.UNSURE)
    if n < _WORTH_A_WORD or "default" in report.models.used:
        return None
    why = (
        f"{counted(n, 'track')} left blank for want of confidence: the default model, which has "
        "not heard them, is sure of more."
    )
    return Step(why, f"tagger tag --model default {_where(report.subject)}")


def _ask_for_more(report: Report) -> Step | None:
    n = _n_blank(report, Blank.UNASKED)
    if n < _WORTH_A_WORD:
        return None
    why = (
        f"{counted(n, 'track')} sound like a genre that is written only where you ask for it: see "
        "what would become of them; nothing is touched."
    )
    return Step(why, f"tagger tag --dry-run{_model(report)} --genres all {_where(report.subject)}")


def _review(report: Report) -> Step | None:
    n = sum(one.n_tracks for one in report.blanks if one.why in ANSWERABLE)
    if n < _WORTH_A_WORD:
        return None
    why = (
        f"{counted(n, 'track')} left blank that you may know: answer for them in your browser, a "
        "whole artist or album at a time."
    )
    return Step(why, f"tagger review {_where(report.subject)}")


def _learn(report: Report) -> Step | None:
    n = report.figures.n_persons - report.figures.n_fillers
    if n < _ENOUGH_TO_LEARN or report.models.has_learned:
        return None
    why = f"{counted(n, 'track')} bear a genre of yours: they can teach the tagger your words."
    return Step(why, f"tagger learn {_where(report.subject)}")


def _look_at_doubts(report: Report) -> Step | None:
    found = report.suspects
    if found.n_found <= len(found.worst):
        return None
    why = f"See all {count(found.n_found)} tracks whose genre looks wrong."
    folder = f" {quoted(report.subject.under)}" if report.subject.under else ""
    return Step(why, f"tagger doubtful -n {found.n_found}{folder}")


def _look_at_failures(report: Report) -> Step | None:
    n = sum(one.n_files for one in report.failures) + report.n_more_failures
    if not n:
        return None
    why = f"{counted(n, 'file')} failed: see each one with its reason."
    return Step(why, f"tagger list --status failed{_under(report.subject)}")


def _forget_gone(report: Report) -> Step | None:
    n = report.figures.n_vanished
    if not n:
        return None
    why = f"{counted(n, 'file')} no longer there: see what would be forgotten."
    return Step(why, "tagger catalog prune --dry-run")


_STEPS: tuple[Callable[[Report], Step | None], ...] = (
    _write,
    _finish_albums,
    _hear_better,
    _ask_for_more,
    _review,
    _learn,
    _look_at_doubts,
    _look_at_failures,
    _forget_gone,
)


def list_unsure(subject: Subject) -> str:
    """Return the command that names each track that nothing is sure of, and why."""
    return f"tagger list --status unsure{_under(subject)}{catalog_option(subject.catalog)}"


def undo(run_id: int, subject: Subject) -> str:
    """Return the command that takes a run back."""
    return f"tagger undo {run_id}{catalog_option(subject.catalog)}"


def _n_blank(report: Report, why: Blank) -> int:
    return sum(one.n_tracks for one in report.blanks if one.why is why)


def _model(report: Report) -> str:
    name = report.models.to_name
    return f" --model {to_copy(name, 'NAME')}" if name else ""


def _where(subject: Subject) -> str:
    folders = (subject.under,) if subject.under else subject.roots
    if len(folders) > _MOST_ROOTS:
        return FOLDER
    return " ".join(quoted(folder) for folder in folders)


def _under(subject: Subject) -> str:
    return f" --under {quoted(subject.under)}" if subject.under else ""
