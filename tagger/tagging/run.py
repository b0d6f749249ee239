"""A batch run: scan, skip what is known, analyse in parallel, and hand on to be settled.

One writer: workers decode and compute; only this process, through ``settling``, touches tags and
the catalogue.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tagger.catalog import Catalog, ModelRecord
from tagger.errors import WorkersError
from tagger.evidence.trials import TAKEN, Kind
from tagger.files.paths import absolute
from tagger.files.scan import ScanTally, is_folder, scan
from tagger.genre_text import are_among, say_nothing
from tagger.models.files import read_card
from tagger.nets import tell
from tagger.records import AudioFile, RunSummary, Status, TrackResult
from tagger.tagging.chunking import Units, chunks
from tagger.tagging.gathering import gather
from tagger.tagging.interrupt import Interrupts
from tagger.tagging.linked import Linked
from tagger.tagging.listening import AnalysisPool, open_analysis_pool
from tagger.tagging.mixtures import mixtures
from tagger.tagging.recognition import recognise
from tagger.tagging.recovery import close_pending
from tagger.tagging.request import TagRequest
from tagger.tagging.settling import Settler
from tagger.tagging.testimony import Testimony
from tagger.tagging.track import Track
from tagger.tagging.vanished import Missing, Seen, mark_missing
from tagger.tags import clean_leftovers

_CHUNK_FILES = 256  # looked up at a time, at least; a folder is not cut unless it is huge
_ROUNDS = 32  # the workers wait for each other at a chunk's end, so each gets so many of its files
_FLUSH_FILES = 32  # decided, written and recorded in one go
_FLUSH_S = 0.5
_MOST_MIXTURES = 100  # albums of several genres that are told one by one
_SETTLED = (Status.WRITTEN, Status.PLANNED, Status.PREDICTED)
_MANY_FOLLOWING = 100  # genres of ours that change unasked, since the owner's tags do


def _nobody_counts(_n: int) -> None:
    pass


def _nobody_agrees(_n: int) -> bool:
    return False


@dataclass
class TagRun:
    """A run that gives the result of each track; its summary is true at any moment.

    Args:
        request: What to do.
        catalog: Where it is recorded; never written to in a dry run.
        may_follow: Asked once, before anything is heard, where many genres of ours would follow
            what the owner's tags say now; told how many at most.
        look: Told of how many more files were looked at before anything is heard.
        tick: Told of how many more tracks all that takes long is done; an album's results come
            together, but its tracks are told of one by one.
        testify: Gives what the owner's tags say; None asks the files of the run and the catalogue.
    """

    request: TagRequest
    catalog: Catalog
    may_follow: Callable[[int], bool] = _nobody_agrees
    look: Callable[[int], object] = _nobody_counts
    tick: Callable[[int], object] = _nobody_counts
    testify: Callable[[], Testimony] | None = None
    n_analysed: int = 0
    _tally: ScanTally = field(default_factory=ScanTally)
    _by_status: Counter[Status] = field(default_factory=Counter)
    _by_genre: Counter[str] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)
    _interrupted: bool = False
    _fillers: Counter[str] = field(default_factory=Counter)
    _n_left: int = 0
    _linked: Linked = field(default_factory=Linked)
    _about_following: str = ""
    _n_by_evidence: int = 0
    _are_rates_measured: bool = True
    _mixtures: list[str] = field(default_factory=list)
    _seen: Seen = field(default_factory=Seen)
    _missing: Missing = field(default_factory=Missing)
    _listeners: AnalysisPool = field(init=False)

    @property
    def summary(self) -> RunSummary:
        """Counts so far."""
        return RunSummary(
            by_status=dict(self._by_status),
            by_genre=dict(self._by_genre),
            skipped=dict(self._tally.skipped),
            elapsed_s=time.monotonic() - self._started,
            interrupted=self._interrupted,
            fillers=dict(self._fillers),
            n_vanished=self._missing.n_marked,
            notes=(
                *self._missing.held_back,
                *filter(None, [self._about_following]),
                *self.request.notes,
                *_about_rates(self._n_by_evidence, are_measured=self._are_rates_measured),
                *_about_mixtures(self._mixtures),
                *_about_left(self._n_left),
                *self._linked.told(),
                *_about_heard(self.n_analysed, self._interrupted),
            ),
        )

    @property
    def unsettled(self) -> frozenset[str]:
        """Folders with files that were passed over, since they may still be being written."""
        return frozenset(self._tally.unsettled)

    def results(self) -> Generator[TrackResult, None, None]:
        """Yield the result of each track as soon as it stands in the catalogue.

        Raises:
            ScanError: none of the paths is there.
            CatalogError: the catalogue cannot be written.
            CheckpointError: the model cannot be loaded.
            WorkersError: workers cannot be started; on other machines, not reached, or are not fit.
            KeyboardInterrupt: after Ctrl-C; what was finished stays finished.
        """
        files = scan(self.request.paths, self.request.scan, self._tally)
        first = next(files, None)  # says now, before anything is recorded, if nothing is there
        files = chain([] if first is None else [first], files)
        with Interrupts() as interrupts, open_analysis_pool(self.request) as self._listeners:
            run_id = self._begin()
            try:
                testimony = self._testimony()
                may_follow = self._may_follow(testimony.n_following(self.request.policy))
                settler = Settler(
                    self.request, self.catalog, run_id, testimony, may_follow=may_follow
                )
                self._linked = settler.linked
                n_files = max(_CHUNK_FILES, _ROUNDS * self._listeners.workers.n_at_once)
                self._are_rates_measured = testimony.rates.are_measured
                for chunk in chunks(files, n_files):
                    yield from self._noted(self._run_chunk(chunk, settler, interrupts))
                yield from self._not_scanned()
                if run_id and self.request.scan.folders is None:
                    self._mark_missing()
            except (KeyboardInterrupt, GeneratorExit):
                self._interrupted = True
                raise
            finally:
                if run_id:
                    self.catalog.end_run(run_id, self.summary)

    def _testimony(self) -> Testimony:
        if self.testify is not None:
            return self.testify()
        return gather(self.request, self.catalog, self.look)

    def _may_follow(self, n_following: int) -> bool:
        """Return whether so many genres of ours may follow the owner's tags."""
        if n_following <= _MANY_FOLLOWING:
            return True
        may_follow = self.may_follow(n_following)
        self._about_following = (
            f"genres of ours that follow what your tags say now: {n_following} at most"
            if may_follow
            else f"your tags say something else now of genres of ours: {n_following} at most; "
            f"more than {_MANY_FOLLOWING} are changed only with --yes, and none is now"
        )
        return may_follow

    def _begin(self) -> int:
        """Note that a run begins; return its number, 0 in a dry run."""
        if self.request.intent.dry_run:
            return 0
        close_pending(self.catalog, [absolute(path) for path in self.request.paths])
        card = self.request.card
        networks = self._listeners.networks
        bases = [read_card(path) for name, path in networks.items() if name != card.model_id]
        for one in (*bases, card):
            dim = int(one.network["embedding_dim"])
            record = ModelRecord(one.model_id, one.architecture, one.labels, dim)
            self.catalog.register_model(record)
        if self.request.remember_as:
            self.catalog.remember_model(card.model_id, self.request.remember_as)
        return self.catalog.begin_run(self.request.command, card.model_id, self.request.paths)

    def _noted(self, results: Iterator[TrackResult]) -> Iterator[TrackResult]:
        """Yield the results of whole folders, and note what is to be said of them together."""
        told: list[TrackResult] = []
        for result in results:
            is_settled = result.status in _SETTLED
            self._n_by_evidence += is_settled and result.evidence in tuple(Kind)
            told.append(result)
            yield result
        self._mixtures += mixtures(told)

    def _mark_missing(self) -> None:
        """Mark what is gone from the folders asked for, now that they were looked through."""
        folders = [folder for folder in map(absolute, self.request.paths) if is_folder(folder)]
        self._missing = mark_missing(self.catalog, folders, self._seen)

    def _not_scanned(self) -> list[TrackResult]:
        results = [TrackResult.of_failure(failure) for failure in self._tally.failures]
        self._count(results)
        self.tick(len(results))
        return results

    def _count(self, results: list[TrackResult]) -> None:
        for result in results:
            if result.failure is not None:
                tell(result.path, result.failure.trace)
            self._by_status[result.status] += 1
            if result.status in _SETTLED:
                self._by_genre.update(result.genres)
            if self._is_kept_filler(result):
                self._fillers.update(result.before)

    def _is_kept_filler(self, result: TrackResult) -> bool:
        """Return whether a genre that says nothing keeps a track from being filled."""
        blank = self.request.intent.treat_as_blank
        stays = result.status in (Status.KEPT, Status.UNCHANGED) and bool(result.before)
        return stays and say_nothing(result.before) and not are_among(result.before, blank)

    def _run_chunk(
        self, files: list[AudioFile], settler: Settler, interrupts: Interrupts
    ) -> Iterator[TrackResult]:
        if self.request.intent.write and not self.request.intent.dry_run:
            for folder in {file.folder for file in files}:
                clean_leftovers(Path(folder))
        known = self.catalog.lookup(files, self.request.card.model_id)
        tracks = {f.path: Track(f, k) for f, k in zip(files, known, strict=True)}
        self._recall(list(tracks.values()))
        todo = [path for path, track in tracks.items() if self._must_be_heard(track)]
        waiting = set(todo)
        left = [t for p, t in tracks.items() if t.is_anothers and p not in waiting]
        ours = [t for p, t in tracks.items() if p in waiting or not t.is_anothers]
        filled = settler.decide_unheard(left)
        yield from self._put_down(filled, settler, interrupts)
        yield from self._leave([t for t in left if t.decision is None], settler)
        units = Units(ours, waiting, by_folder=self.request.by_album)
        yield from self._settle(units.complete(), settler, interrupts)
        for heard in self._heard([tracks[path] for path in todo], settler, interrupts):
            ready = [track for one in heard for track in units.done(one)]
            yield from self._settle(ready, settler, interrupts)

    def _recall(self, tracks: list[Track]) -> None:
        """Let tracks take up what is known of them."""
        for track in tracks:
            track.recall()
        recognise(
            [track for track in tracks if not (track.failure and track.known)],
            self.catalog,
            self.request.card,
            dry_run=self.request.intent.dry_run,
        )
        for track in tracks:
            self._seen.add(track.file, track.known.file_id if track.known else None)
            if self.request.force:
                track.forget()

    def _must_be_heard(self, track: Track) -> bool:
        """Return whether nothing is known of a track's sound, nor why nothing can be."""
        if track.prediction or track.failure:
            return False
        return self.request.force or self.request.refresh or not track.is_anothers

    def _leave(self, tracks: list[Track], settler: Settler) -> list[TrackResult]:
        if not tracks:
            return []
        results = settler.leave(tracks)
        self._n_left += len(results)
        self._count(results)
        self.tick(len(results))
        return results

    def _heard(
        self, tracks: list[Track], settler: Settler, interrupts: Interrupts
    ) -> Iterator[list[Track]]:
        """Yield tracks as they have been analysed and recorded, some at a time."""
        heard: list[Track] = []
        kept_at = time.monotonic()
        try:
            for track in self._listeners.hear(tracks):
                heard.append(track)
                self.n_analysed += 1
                self.tick(1)
                if len(heard) >= _FLUSH_FILES or time.monotonic() - kept_at > _FLUSH_S:
                    with interrupts.held():
                        settler.keep(heard)
                    done, heard, kept_at = heard, [], time.monotonic()
                    interrupts.raise_pending()
                    yield done
        except (KeyboardInterrupt, WorkersError):
            settler.keep(heard)
            raise
        with interrupts.held():
            settler.keep(heard)
        interrupts.raise_pending()
        yield heard

    def _settle(
        self, tracks: list[Track], settler: Settler, interrupts: Interrupts
    ) -> Iterator[TrackResult]:
        """Decide on whole albums, then put down what was decided."""
        settler.decide(tracks)
        yield from self._put_down(tracks, settler, interrupts)

    def _put_down(
        self, tracks: list[Track], settler: Settler, interrupts: Interrupts
    ) -> Iterator[TrackResult]:
        """Write and record tracks that were decided on, some at a time."""
        for start in range(0, len(tracks), _FLUSH_FILES):
            some = tracks[start : start + _FLUSH_FILES]
            with interrupts.held():
                results = settler.settle(some)
                self._count(results)
            self.tick(sum(not track.heard_now for track in some))
            yield from results
            interrupts.raise_pending()


def _about_left(n_left: int) -> tuple[str, ...]:
    return (f"left as another model heard them: {n_left}; --refresh hears them anew",) * bool(
        n_left
    )


def _about_rates(n_by_evidence: int, *, are_measured: bool) -> tuple[str, ...]:
    note = (
        "your tags are too few to measure how often an album or an artist tells a genre: two "
        f"recordings that agree are taken as {TAKEN * 100:.0f} % sure, and one is not believed"
    )
    return (note,) * bool(n_by_evidence and not are_measured)


def _about_mixtures(lines: list[str]) -> tuple[str, ...]:
    n_more = len(lines) - _MOST_MIXTURES
    more = f"several genres on {n_more} more albums"
    return (*lines[:_MOST_MIXTURES], *([more] if n_more > 0 else []))


def _about_heard(n_analysed: int, interrupted: bool) -> tuple[str, ...]:
    note = f"heard and recorded: {n_analysed}; the next run does not hear them again"
    return (note,) * bool(n_analysed and interrupted)


def count_files(request: TagRequest) -> int:
    """Return how many results a run over these paths would give."""
    tally = ScanTally()
    n_files = sum(1 for _ in scan(request.paths, request.scan, tally))
    return n_files + len(tally.failures)
