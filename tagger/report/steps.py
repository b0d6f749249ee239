"""What to do next: commands to copy, only where they would do something."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tagger.report.commands import FOLDER, Step, catalog_option, quoted, to_copy
from tagger.report.facts import Blank, Report, Subject
from tagger.report.prospects import MOST_STEPS, filling_steps, with_learning
from tagger.wording import count, counted

_WORTH_A_WORD = 10  # tracks
_MOST_ROOTS = 4


class NextSteps(NamedTuple):
    """What to do next: what fills the most blanks first, and what else is worth doing."""

    first: list[Step]
    also: list[Step]


def next_steps(report: Report) -> NextSteps:
    """Return what to do next, only where it would do something."""
    if report.figures.n_tracks:
        filling = _filling(report)
        others = [step for step in (make(report) for make in _OTHERS) if step is not None]
    else:
        filling, others = [_begin(report)], []
    named = catalog_option(report.subject.catalog)
    steps = [Step(_sentence(one.why), one.command + named) for one in (*filling, *others)]
    n_first = min(len(filling), MOST_STEPS)
    return NextSteps(steps[:n_first], steps[n_first:])


def _begin(report: Report) -> Step:
    folder = quoted(report.subject.under) if report.subject.under else "~/Music"
    return Step("shows what would be done; nothing is touched", f"tagger tag --dry-run {folder}")


def _filling(report: Report) -> list[Step]:
    """Return what fills blanks: what costs nothing first, then what fills the most."""
    where, model = _where(report.subject), _model(report)
    steps = [*_write(report), *filling_steps(report.prospects, where, model)]
    n_taught = report.figures.n_persons - report.figures.n_fillers
    return with_learning(steps, 0 if report.models.has_learned else n_taught, where)


def _write(report: Report) -> list[Step]:
    """Return the command that writes what is decided, and what the owner's own tags say."""
    n_decided, n_told = report.figures.n_waiting, report.owners_word.n_fillable
    whys = []
    if n_decided:
        whys.append(f"writes {counted(n_decided, 'genre')} that {_are(n_decided)} decided")
    if n_told:
        whys.append(f"fills {counted(n_told, 'track')} by what you call the rest of the music")
    command = f"tagger tag{_model(report)} {_where(report.subject)}"
    return [Step(", and ".join(whys), command)] if whys else []


def _hear_better(report: Report) -> Step | None:
    n = sum(one.n_tracks for one in report.blanks if one.why is Blank.UNSURE)
    if n < _WORTH_A_WORD or "default" in report.models.used:
        return None
    why = f"hears {counted(n, 'track')} anew by the default model, which is sure of more"
    return Step(why, f"tagger tag --model default {_where(report.subject)}")


def _look_at_doubts(report: Report) -> Step | None:
    found = report.suspects
    if found.n_found <= len(found.worst):
        return None
    why = f"names all {count(found.n_found)} tracks whose genre looks wrong"
    folder = f" {quoted(report.subject.under)}" if report.subject.under else ""
    return Step(why, f"tagger doubtful -n {found.n_found}{folder}")


def _look_at_failures(report: Report) -> Step | None:
    n = sum(one.n_files for one in report.failures) + report.n_more_failures
    if not n:
        return None
    why = f"names {counted(n, 'file')} that failed, each with its reason"
    return Step(why, f"tagger list --status failed{_under(report.subject)}")


def _forget_gone(report: Report) -> Step | None:
    n = report.figures.n_vanished
    if not n:
        return None
    why = f"shows {counted(n, 'file')} that {_are(n)} gone, and would be forgotten"
    return Step(why, "tagger catalog prune --dry-run")


_OTHERS: tuple[Callable[[Report], Step | None], ...] = (
    _hear_better,
    _look_at_doubts,
    _look_at_failures,
    _forget_gone,
)


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _sentence(why: str) -> str:
    return f"{why[:1].upper()}{why[1:]}."


def list_unsure(subject: Subject) -> str:
    """Return the command that names each track that nothing is sure of, and why."""
    return f"tagger list --status unsure{_under(subject)}{catalog_option(subject.catalog)}"


def undo(run_id: int, subject: Subject) -> str:
    """Return the command that takes a run back."""
    return f"tagger undo {run_id}{catalog_option(subject.catalog)}"


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
