"""Whatever a library holds: what evidence writes is sure enough, a person's genre stays, and
neither the order of the walk nor how it is cut changes anything; a second run writes nothing.

Whole runs, with an ear that hears what a file's name says.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tagger.catalog import Catalog
from tagger.evidence.trials import BAR, Kind
from tagger.files import scan as walking
from tagger.genre_text import are_among
from tagger.hearing.analysis import AnalysisTask, Heard
from tagger.models.files import read_card
from tagger.records import AudioFile, Status, TrackPrediction, TrackResult
from tagger.tagging.gathering import gather
from tagger.tagging.run import TagRun
from tagger.tags import read_tags
from tests.library import LABELS, contents, genre_of, make_track, request_for, set_tags

pytestmark = pytest.mark.slow

_SOUNDS = ("Rock9", "Folk9", "Rock3")  # what is heard, and how surely, in tenths
_ARTISTS = ("The Cure", "Cure, The", "Björk", "ガガガSP", "Various Artists", "")
_ALBUMS = ("One", "Two", "")
_GENRES = ("Ambient", "ambient", "Dub", "Other", "", "", "")

_tracks = st.lists(
    st.tuples(
        st.sampled_from(("a", "a/CD1", "b", "c")),
        st.sampled_from(_SOUNDS),
        st.sampled_from(_ARTISTS),
        st.sampled_from(_ALBUMS),
        st.sampled_from(_GENRES),
    ),
    min_size=1,
    max_size=12,
)
Tracks = Sequence[tuple[str, str, str, str, str]]
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # whole runs take too long to be shrunk


def listen(_function: object, tasks: Sequence[AnalysisTask], **_options: object) -> Iterator[Heard]:
    """Hear in each track what its name says."""
    for task in tasks:
        genre, sure = task.path.stem.split("-")[1][:-1], int(task.path.stem[-1]) / 10
        rest = (1 - sure) / (len(LABELS) - 1)
        heard = {label: sure if label == genre else rest for label in LABELS}
        embedding = np.ones(8, np.float32)
        (network,) = task.listeners
        yield (TrackPrediction(task.path, heard, sure, embedding, 4, network.model_id, 1.0),)


def backward(*arguments: Any, **options: Any) -> Iterator[AudioFile]:
    """Walk as ever, but folders and files from the last to the first."""
    found = list(walking.scan(*arguments, **options))
    return iter(sorted(found, key=lambda file: (file.folder, file.path), reverse=True))


@contextmanager
def library_of(tracks: Tracks) -> Iterator[Path]:
    """A folder with a library of them, beside which there is room."""
    with tempfile.TemporaryDirectory() as name:
        music = Path(name) / "music"
        for n, (folder, sound, artist, album, genre) in enumerate(tracks):
            tags = {"artist": artist, "album": album, "genre": genre, "title": f"Title {n}"}
            path = music / folder / f"{n:02d}-{sound}.flac"
            make_track(path, 0.02)
            set_tags(path, **{key: value for key, value in tags.items() if value})
        yield music


def tagged(music: Path, model: Path, place: Path) -> list[TrackResult]:
    """The results of a run."""
    with Catalog.open(place) as catalog:
        request = request_for(model, music, evidence=tuple(Kind))
        return list(TagRun(request, catalog).results())


@pytest.fixture(scope="module", autouse=True)
def ear() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tagger.hearing.pool.map_unordered", listen)
        yield


def others(wrong: set[int]) -> Tracks:
    """Albums by six artists, enough to measure by, of which some tracks are called otherwise."""
    places = [(artist, album) for artist in "UVWXYZ" for album in ("One", "Two") for _ in (1, 2)]
    return [
        (f"{artist}/{album}", "Rock3", artist, album, "Dub" if n in wrong else "Ambient")
        for n, (artist, album) in enumerate(places)
    ]


Property = Callable[..., Any]


def whole_runs(test: Property) -> Property:
    """Try a property of whole runs on some libraries."""
    return settings(max_examples=15, deadline=None, phases=_PHASES)(given(tracks=_tracks)(test))


@settings(max_examples=15, deadline=None, phases=_PHASES)
@given(tracks=_tracks, wrong=st.sets(st.integers(0, 23), max_size=12))
def test_what_is_written_is_sure_enough_and_what_a_person_set_stays(
    model: Path, tracks: Tracks, wrong: set[int]
) -> None:
    with library_of([*tracks, *others(wrong), ("U/One", "Rock3", "U", "One", "")]) as music:
        persons = {p: p.read_bytes() for p in music.rglob("*.flac") if genre_of(p)}
        with Catalog.open(music.parent / "other.db") as catalog:
            heard = gather(request_for(model, music, evidence=tuple(Kind)), catalog)
        before = {path: read_tags(path) for path in music.rglob("*.flac")}
        results = tagged(music, model, music.parent / "catalog.db")
        assert {path: path.read_bytes() for path in persons} == persons
        for result in results:
            said = heard.said(result.path, before[result.path])
            if result.status is Status.WRITTEN and result.evidence in tuple(Kind):
                assert said is not None and said.confidence >= BAR
                assert heard.rates.confidence(said.of_class) == result.confidence
                assert are_among(result.genres, said.genres)
            elif result.path not in persons and said is not None and said.n_agreeing > 1:
                assert said.confidence < BAR  # else it would have been believed


@whole_runs
def test_a_second_run_writes_nothing(model: Path, tracks: Tracks) -> None:
    with library_of(tracks) as music:
        place = music.parent / "catalog.db"
        tagged(music, model, place)
        after = contents(music)
        again = tagged(music, model, place)
        assert contents(music) == after
        assert not {one.status for one in again} & {Status.WRITTEN, Status.PREDICTED}


@whole_runs
def test_neither_order_nor_portions_change_what_is_written(model: Path, tracks: Tracks) -> None:
    with library_of(tracks) as music:
        copy = music.parent / "copy"
        shutil.copytree(music, copy)
        tagged(music, model, music.parent / "catalog.db")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tagger.tagging.run._CHUNK_FILES", 1)
            patch.setattr("tagger.tagging.run._ROUNDS", 0)
            patch.setattr("tagger.tagging.run._FLUSH_FILES", 1)
            patch.setattr("tagger.tagging.gathering._AT_ONCE", 1)
            for module in ("run", "gathering"):
                patch.setattr(f"tagger.tagging.{module}.scan", backward)
            tagged(copy, model, music.parent / "other.db")
        ours, theirs = (
            {path.relative_to(root): path.read_bytes() for path in root.rglob("*.flac")}
            for root in (music, copy)
        )
        assert ours == theirs


def test_the_ear_says_what_a_name_says(model: Path) -> None:
    """Else the properties above would hold for want of anything written."""
    alone = [("a", "Rock9", "Björk", "One", ""), ("b", "Folk9", "The Cure", "One", "")]
    album = [("c", "Rock9", "A", "Two", genre) for genre in ("Dub", "Dub", "")]
    with library_of([*alone, *album]) as music:
        results = tagged(music, model, music.parent / "catalog.db")
        said = {one.path.name[:2]: (one.genres, one.evidence) for one in results}
        assert (said["00"], said["01"]) == ((("Rock",), "sound"), (("Folk",), "sound"))
        assert said["04"] == (("Dub",), "album")
        assert read_card(model).labels == LABELS
