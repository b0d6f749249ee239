"""A report on a library: from the catalogue to the facts. No music file is opened or heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tagger import __version__
from tagger.catalog import Catalog, RunRow, SurveyedTrack
from tagger.learning.doubting import Doubtful, Doubts
from tagger.report import counting
from tagger.report.facts import Models, Report, Subject, Suspect, Suspects, Whose
from tagger.report.listing import Listing
from tagger.report.owning import OwnersRules, OwnersTags
from tagger.report.prospects import BlankTrack, Prospector
from tagger.report.soundmap import sound_map

MOST_LISTED = 200_000  # tracks: a page of some 15 MB, which browsers still bear
MOST_JUDGED = 200_000  # all their embeddings lie in memory then, and it takes half a minute
_MOST_GENRES = 40
_MOST_FOLDERS = 40
_MOST_FAILURES = 40
_MOST_LABELS = 5
_LATEST_RUNS = 5
_MOST_RUNS = 10  # those among them that wrote what still stands, too
_MOST_SUSPECTS = 30


@dataclass(frozen=True, slots=True)
class ModelsAtHand:
    """The models that a command may name.

    Args:
        names: {model_id: what ``--model`` calls it}.
        unnamed: What the one is called that is used unless another is named.
        has_learned: Whether one of them was learned from a person's own tags.
    """

    names: Mapping[str, str]
    unnamed: str
    has_learned: bool = False


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What is to be reported.

    Args:
        under: Only tracks in this folder.
        model_id: The model whose embeddings make the map; None: no map.
        catalog: Where the catalogue is, as commands are to name it; "" for the usual place.
        at_hand: The models that a command may name.
        rules: By what a run asks the owner's tags.
    """

    under: Path | None = None
    model_id: str | None = None
    catalog: str = ""
    at_hand: ModelsAtHand = field(default_factory=lambda: ModelsAtHand({}, ""))
    rules: OwnersRules = field(default_factory=OwnersRules)


class _Survey:
    """All that is counted while the tracks pass by."""

    def __init__(self, under: Path | None, owners: OwnersTags) -> None:
        self.owners = owners
        self.totals = counting.Totals()
        self.genres = counting.Genres()
        self.decades = counting.Decades()
        self.blanks = counting.Blanks()
        self.confidences = counting.Confidences()
        self.folders = counting.Folders(under)
        self.failures = counting.Failures()
        self.listing = Listing(MOST_LISTED)
        self.prospector = Prospector()

    def add(self, track: SurveyedTrack) -> None:
        by = counting.whose(track)
        self.totals.add(track, by)
        self.genres.add(track, by)
        self.decades.add(track)
        self.confidences.add(track)
        self.folders.add(track)
        self.failures.add(track)
        if by in (Whose.WAITING, Whose.NOBODYS):
            self.blanks.add(track)
            if not self.owners.add(track):
                self.prospector.see(_blank(track))
        self.listing.add(track, by)


def gather(catalog: Catalog, request: ReportRequest, suspects: Suspects) -> Report:
    """Return the facts of a report.

    Args:
        catalog: What is asked; nothing in it changes.
        request: What about.
        suspects: The tracks whose genre looks wrong, as ``suspects_of`` has them.
    """
    owners = OwnersTags(catalog, request.under, request.rules)
    survey = _Survey(request.under, owners)
    for track in catalog.surveyed(request.under, request.model_id):
        survey.add(track)
    left = catalog.leftovers(request.under)
    genres, folders = survey.genres.counts(), survey.folders.counts()
    failures = survey.failures.counts()
    runs = catalog.runs()
    tracks = survey.listing.tracks()
    subject = Subject(
        roots=tuple(root for root, _ in survey.totals.roots.most_common()),
        under=request.under,
        catalog=request.catalog,
        made=datetime.now().astimezone(),
        version=__version__,
    )
    return Report(
        subject=subject,
        figures=survey.totals.figures(n_vanished=left.n_vanished, n_copies=left.n_copies),
        genres=tuple(genres[:_MOST_GENRES]),
        n_more_genres=len(genres[_MOST_GENRES:]),
        blanks=survey.blanks.counts(_MOST_LABELS),
        sureness=survey.confidences.counts(),
        folders=tuple(folders[:_MOST_FOLDERS]),
        n_more_folders=len(folders[_MOST_FOLDERS:]),
        suspects=suspects,
        failures=tuple(failures[:_MOST_FAILURES]),
        n_more_failures=sum(one.n_files for one in failures[_MOST_FAILURES:]),
        tracks=tracks,
        sound_map=sound_map(catalog, request.model_id, tracks),
        runs=_told(runs),
        models=_models(catalog, runs, request.at_hand),
        decades=tuple(survey.decades.counts()),
        owners_word=owners.told(),
        prospects=survey.prospector.told(),
    )


def _blank(track: SurveyedTrack) -> BlankTrack:
    row = track.row
    why = counting.why_blank(track)
    return BlankTrack(row.path, track.tags, why, row.reason, track.confidence)


def _told(runs: Sequence[RunRow]) -> tuple[RunRow, ...]:
    """Return the latest runs, and some before them that can be undone."""
    chosen = [run for n, run in enumerate(runs) if n < _LATEST_RUNS or run.n_standing]
    return tuple(chosen[:_MOST_RUNS])


def _models(catalog: Catalog, runs: Sequence[RunRow], at_hand: ModelsAtHand) -> Models:
    names = at_hand.names
    last = next((run.model_id for run in runs if run.command == "tag"), None)
    named = names.get(last or "", at_hand.unnamed)
    return Models(
        used=frozenset(
            names[model.model_id] for model in catalog.models() if model.model_id in names
        ),
        to_name="" if named == at_hand.unnamed else named,
        has_learned=at_hand.has_learned,
    )


def suspects_of(doubts: Doubts) -> Suspects:
    """Return the tracks whose genre looks wrong, as ``tagger doubtful`` names them."""
    return Suspects(
        tuple(map(_suspect, doubts.found[:_MOST_SUSPECTS])),
        n_found=len(doubts.found),
        n_judged=doubts.n_judged,
        why_none="" if doubts.n_judged else "no track with a genre of yours is known yet",
    )


def _suspect(one: Doubtful) -> Suspect:
    rest, heard = one.rest, one.heard
    return Suspect(
        path=one.path,
        genres=one.genres,
        sureness=one.sureness,
        rest=rest.genres if rest else (),
        against=rest.kind.value if rest else "",
        n_agreeing=rest.n_agreeing if rest else 0,
        n_others=rest.n_recordings if rest else 0,
        suggestion=heard.suggestion if heard else "",
        confidence=heard.confidence if heard else 0.0,
    )
