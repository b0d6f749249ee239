"""What is gathered for a run says the same as all that the library knows, and costs less."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from tagger.catalog import Catalog, CatalogEntry
from tagger.cli.counting import show_looking
from tagger.evidence.trials import Kind
from tagger.evidence.weighing import Said
from tagger.files.stats import audio_file
from tagger.genre_text import are_among
from tagger.records import Status, TagsFound
from tagger.tag_fields import TABLE
from tagger.tagging import gathering, testimony
from tagger.tagging.decision import Intent
from tagger.tagging.gathering import gather
from tagger.tagging.request import TagRequest
from tagger.tagging.run import TagRun
from tagger.tags import is_ours
from tests.catalogs import begin
from tests.library import make_tracks, request_for

_FOLDERS = ("Various Artists/One", "The Cure/One/CD1", "The Cure/One/CD2", "Cure, The/Two", "loose")
_ARTISTS = ("The Cure", "cure, the", "Cure feat. X", "Björk", "", "Various Artists", "Unknown")
_ALBUMS = ("One", "One [CD 2]", "Two", "")
_GENRES: tuple[tuple[str, ...], ...] = ((), ("Rock",), ("rock",), ("Dub", "Jazz"), ("Other",))

Files = Sequence[tuple[str, TagsFound]]
_files = st.lists(
    st.tuples(
        st.sampled_from(_FOLDERS),
        st.builds(
            TagsFound,
            genres=st.sampled_from(_GENRES),
            provenance=st.sampled_from((None, None, "Rock; 0.80; m", "Rock; 0.90; album")),
            title=st.sampled_from(("a", "b", "c", "d", "")),
            artist=st.sampled_from(_ARTISTS),
            album=st.sampled_from(_ALBUMS),
            album_artist=st.sampled_from(("", "", "The Cure", "Various Artists")),
            read_by=st.just(TABLE),
        ),
    ),
    min_size=1,
    max_size=14,
)


@contextmanager
def library_of(files: Files) -> Iterator[tuple[Path, Catalog]]:
    """Files of one byte each, recorded with their tags."""
    with tempfile.TemporaryDirectory() as name:
        music = Path(name) / "music"
        entries = []
        for n, (folder, tags) in enumerate(files):
            path = music / folder / f"{n}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\0")
            entries.append(
                CatalogEntry(audio_file(path, music, path.stat()), tags, Status.KEPT, audio=f"{n}")
            )
        with Catalog.open(Path(name) / "catalog.db") as catalog:
            catalog.record(begin(catalog), entries)
            yield music, catalog


def said_of(heard: testimony.Testimony, request: TagRequest, files: Files) -> list[Said | None]:
    """What is said of all files of a run that are blank, or ours."""
    (asked,) = request.paths
    music = next(path for path in (asked, *asked.parents) if path.name == "music")
    blank = request.intent.treat_as_blank
    return [
        heard.said(path, tags)
        for n, (place, tags) in enumerate(files)
        if (path := music / place / f"{n}.flac").is_relative_to(asked)
        and (are_among(tags.genres, blank) or is_ours(tags))
    ]


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(files=_files, folder=st.sampled_from((*_FOLDERS, "The Cure", "")), blank=st.booleans())
def test_a_part_is_told_what_the_whole_library_says(
    model: Path, files: Files, folder: str, blank: bool
) -> None:
    with library_of(files) as (music, catalog):
        (music / folder).mkdir(parents=True, exist_ok=True)
        intent = Intent(treat_as_blank=("Other",) if blank else ())
        request = request_for(model, music / folder, intent=intent, evidence=tuple(Kind))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gathering, "_AT_ONCE", 1)  # what comes first waits for who asks
            told = said_of(gather(request, catalog), request, files)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gathering._Gathering, "may_be_told", lambda self: True)
            whole = said_of(gather(request, catalog), request, files)
        assert [_without_places(one) for one in told] == [_without_places(one) for one in whole]


def _without_places(said: Said | None) -> object:
    return said and (said.kind, said.genres, said.confidence, said.n_agreeing, said.rest)


@pytest.mark.parametrize(
    ("blank", "asks"),
    [
        ({}, False),
        ({"artist": "Nobody else", "album": "Alone"}, False),
        ({"artist": "The Cure", "album": "Alone"}, True),
        ({"artist": "cure, the", "album": "One"}, True),
    ],
)
def test_the_library_is_gone_through_only_where_it_may_say_something(
    model: Path,
    music: Path,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    blank: dict[str, str],
    asks: bool,
) -> None:
    old, new = music / "old", music / "new"
    old.mkdir()
    path = old / "1.flac"
    path.write_bytes(b"\0")
    tags = TagsFound(("Rock",), artist="The Cure", album="One", read_by=TABLE)
    entry = CatalogEntry(audio_file(path, music, path.stat()), tags, Status.KEPT, audio="1")
    catalog.record(begin(catalog), [entry])
    make_tracks(new, 1, **blank)
    asked: list[object] = []
    monkeypatch.setattr(gathering._Gathering, "ask_for_the_rest", lambda self: asked.append(self))
    ticks: list[int] = []
    gather(request_for(model, new, evidence=tuple(Kind)), catalog, ticks.append)
    assert (bool(asked), ticks) == (asks, [1])


def test_tracks_of_which_none_is_blank_ask_for_nothing(
    model: Path, music: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tracks(music, 2, genre="Rock", artist="A", album="One")
    monkeypatch.setattr(testimony, "measure", lambda library: 1 / 0)
    for _ in range(2):
        request = request_for(model, music, evidence=tuple(Kind), intent=Intent(write=False))
        gather(request, catalog)


_CURE = TagsFound(("Dub",), title="a", artist="The Cure", album="One", read_by=TABLE)


def test_where_every_file_has_its_owners_genre_none_is_gone_into(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering._Gathering, "_take", lambda *_: 1 / 0)
    with library_of([("The Cure/One", _CURE)] * 3) as (music, catalog):
        gather(request_for(model, music, evidence=tuple(Kind)), catalog)


@pytest.mark.parametrize("asked", [(), ("Other",)])
def test_files_that_came_before_the_first_blank_speak_for_it(
    model: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]
) -> None:
    monkeypatch.setattr(gathering, "_AT_ONCE", 1)  # a chunk for each folder
    titles = [("The Cure/One", replace(_CURE, title=title)) for title in "abc"]
    files = [*titles, ("The Cure/Two", replace(_CURE, genres=asked, album="Two"))]
    with library_of(files) as (music, catalog):
        request = request_for(
            model, music, evidence=tuple(Kind), intent=Intent(treat_as_blank=("Other",))
        )
        (said,) = said_of(gather(request, catalog), request, files)
        assert said is not None
        assert (said.genres, said.n_agreeing) == (("Dub",), 3)


def test_a_genre_that_only_the_library_knows_may_be_asked_for_where_nothing_is_blank(
    model: Path,
) -> None:
    with library_of([("The Cure/One", _CURE)]) as (music, catalog):
        request = request_for(model, music, evidence=tuple(Kind), unknown_genres=("Dub",))
        gather(request, catalog)


def test_a_bar_says_how_many_files_were_looked_at_before_the_first_is_heard(
    model: Path, music: Path, catalog: Catalog
) -> None:
    make_tracks(music, 2, artist="A", album="One")
    out = io.StringIO()
    run = TagRun(request_for(model, music, evidence=tuple(Kind)), catalog)
    with tqdm(file=out, mininterval=0) as bar:
        show_looking(run, bar)
        run.look(1000)
        run.look(500)
        assert "tags looked at: 1500" in out.getvalue()
        run.tick(1)
        assert bar.n == 1 and "tags looked at" not in str(bar)
