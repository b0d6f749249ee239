"""The page: well formed, self-contained, and nothing that a name holds does anything in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tagger.catalog import RunRow
from tagger.records import RunSummary, Stage, Status
from tagger.report import words
from tagger.report.facts import (
    Blank,
    BlankCount,
    FailureCount,
    Figures,
    Filling,
    FolderCount,
    GenreCount,
    ListedTrack,
    MixedCount,
    Models,
    OwnersWord,
    Report,
    SoundMap,
    Subject,
    Sureness,
    Suspect,
    Suspects,
    Whose,
)
from tagger.report.listing import for_script
from tagger.report.page import START, page
from tests.reports import Page, parsed

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</title></svg></style></script>",
    "&lt;b&gt; &amp; &#x3c;",
    "\u202egnp.exe\u2066",
    "a\0b\x1b[2J\r\n\x85",
    "caf\udce9",
    "שלום مرحبا",
    "x" * 300,
    "javascript:alert(1)",
    "]]>--><!--",
]


def report(name: str = "Jazz", **changes: object) -> Report:
    """A report in which one name stands wherever a name can stand."""
    told = words.name(name)  # as the list has it from the catalogue
    path = Path("/music") / name.replace("/", "∕").replace("\0", "")
    run = RunRow(
        7, name, None, NOW, NOW, RunSummary({Status.WRITTEN: 2}), paths=(name,), n_standing=2
    )
    whole = Report(
        subject=Subject((path,), None, str(path), NOW, "1.0"),
        figures=Figures(9, 1, 3600.0, 2, 3, 4, 2, 1, 1, 1, 1, 1, 1),
        genres=(GenreCount(name, 4, 2, 1), GenreCount("Pop", 1)),
        n_more_genres=5,
        blanks=(BlankCount(Blank.WAITING, 1, ((name, 1),)), BlankCount(Blank.UNSURE, 20)),
        sureness=Sureness((0,) * 9 + (3,), (0,) * 5 + (4,) + (0,) * 4),
        folders=(FolderCount(path, 9, 2, name, 4),),
        n_more_folders=0,
        suspects=Suspects(
            (Suspect(path, (name,), 0.96, (name,), "album", 3, 4, name, 0.98),), 40, 50
        ),
        failures=(FailureCount(Stage.DECODE, name, 3, (path,)),),
        n_more_failures=2,
        tracks=(
            ListedTrack(told, told, told, (told,), 1999, Whose.OURS, None, told, told, 1),
            ListedTrack(told, "", "", (), None, Whose.NOBODYS, Blank.UNSURE, told, told, 2),
        ),
        sound_map=SoundMap(name, ((0.1, 0.5), (1.0, 0.0)), 0.4),
        runs=(run,),
        models=Models(frozenset({name}), name, has_learned=False),
        owners_word=OwnersWord(
            7,
            (Filling(name, name, (name,), "album", 6), Filling("", "", (name,), "artist", 1)),
            (MixedCount(name, name, 9, ((name, 5), ("Pop", 3))),),
            (MixedCount(name, "", 4, ((name, 3), ("Pop", 1))),),
            n_more_fillings=2,
        ),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


EMPTY = report(
    figures=Figures(*[0] * 13),
    genres=(),
    blanks=(),
    folders=(),
    failures=(),
    n_more_failures=0,
    tracks=(),
    suspects=Suspects(why_none="nothing"),
    sound_map=None,
    sureness=Sureness((0,) * 10, (0,) * 10),
    runs=(),
    owners_word=OwnersWord(),
)


@pytest.fixture(scope="module")
def usual() -> Page:
    return parsed(page(report()))


def test_what_the_facts_say_stands_on_the_page(usual: Page) -> None:
    assert "9 tracks" in f"{usual.all('dd')[0].text} {usual.all('dt')[0].text}"
    assert usual.rows("Tracks by genre") == ["Jazz 7 4 2 1", "Pop 1 1 0 0"]
    assert usual.rows("Tracks by folder") == ["/music/Jazz 9 2 Jazz 44 %"]
    assert usual.rows("Tracks whose genre looks wrong") == [
        "/music/Jazz Jazz Jazz (3 of 4, its album) Jazz 98 % 96 %"
    ]
    assert usual.rows("Files that failed") == ["Jazz decode 3 /music/Jazz"]
    assert usual.rows("Tracks without")[1] == f"Not sure enough{Blank.UNSURE.meaning} 20 –"
    assert usual.rows("Blanks that your own tags would fill") == [
        "Jazz – Jazz 6 Jazz its album",
        "– 1 Jazz its artist",
    ]
    assert usual.rows("Albums with several genres") == ["Jazz – Jazz 9 Jazz 5, Pop 3, others 1"]
    assert usual.rows("Artists with several genres") == ["Jazz 4 Jazz 3, Pop 1"]
    assert "7 blank tracks would be filled" in usual.text
    (run,) = usual.rows("The latest runs")
    assert run == "7 2026-01-31 12:30 Jazz 2 written tagger undo 7 --catalog /music/Jazz"
    assert "And 5 genres more" in usual.text
    assert "2 tracks that the model Jazz has heard" in usual.text


def test_the_script_gets_every_track_as_it_is_shown(usual: Page) -> None:
    (data,) = usual.all("script", type="application/json")
    assert json.loads(data.text) == json.loads(json.dumps(for_script(report())))


def test_the_page_can_be_walked_without_seeing_it(usual: Page) -> None:
    (html,) = usual.all("html")
    assert html.attributes["lang"] == "en"
    headings = [node.tag for node in usual.nodes if re.fullmatch("h[1-6]", node.tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    ids = {node.attributes.get("id") for node in usual.nodes}
    for node in usual.nodes:
        for reference in ("aria-labelledby", "aria-describedby"):
            assert node.attributes.get(reference) in ids
        if node.tag == "a":
            assert (node.attributes["href"] or "").removeprefix("#") in ids
        if node.tag == "svg" and "bar" in str(node.attributes.get("class")):
            assert node.attributes["aria-hidden"] == "true"
    assert all(node.attributes["scope"] in ("col", "row") for node in usual.all("th"))
    assert all(node.text.strip() for node in usual.all("th"))
    assert len(usual.all("caption")) == len(usual.all("table")) == 11
    assert len(usual.all("th", role="columnheader")) == len(usual.all("th", scope="col"))
    (plot,) = usual.all("div", role="application")
    assert plot.attributes["aria-label"] == "Map of 2 tracks by sound"
    for field in (*usual.all("input"), *usual.all("select")):
        assert field in [node for label in usual.all("label") for node in label.inside]


def test_without_a_script_what_needs_one_is_not_shown(usual: Page) -> None:
    (tracks,) = usual.all("div", id="tracks")
    assert "hidden" in tracks.attributes
    (instead,) = usual.all("noscript")
    assert "tagger list" in instead.text
    for id_ in ("map", "query", "rows"):
        assert any(node.attributes.get("id") == id_ for node in tracks.inside)


def test_the_page_asks_nothing_of_anybody_else(usual: Page) -> None:
    loading = {"link", "img", "iframe", "object", "embed", "video", "audio", "base", "form", "use"}
    assert not loading & {node.tag for node in usual.nodes}
    for node in usual.nodes:
        assert not {"src", "style", "srcset", "action", "data"} & set(node.attributes)
        assert not [name for name in node.attributes if name.startswith(("on", "xlink"))]
    styles = "".join(node.text for node in usual.all("style"))
    assert not re.search(r"url\(|@import|//", styles)
    script = usual.all("script")[-1]
    assert not re.search(r"https?:|fetch|XMLHttp|import\(|innerHTML|eval", script.text)


def test_only_this_style_and_this_script_are_let_through(usual: Page) -> None:
    (policy,) = [node for node in usual.all("meta") if "http-equiv" in node.attributes]
    assert policy.attributes["http-equiv"] == "Content-Security-Policy"
    allowed = dict(
        part.strip().split(" ", 1) for part in str(policy.attributes["content"]).split(";")
    )
    assert allowed.pop("default-src") == "'none'"
    for directive, tag in (("style-src", "style"), ("script-src", "script")):
        (node,) = [node for node in usual.all(tag) if "type" not in node.attributes]
        digest = base64.b64encode(hashlib.sha256(node.text.encode()).digest()).decode()
        assert allowed.pop(directive) == f"'sha256-{digest}'"
    assert set(allowed.values()) == {"'none'"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_does_nothing(name: str, usual: Page) -> None:
    text = page(report(name))
    text.encode("utf-8")
    found = parsed(text)
    assert [node.tag for node in found.nodes] == [node.tag for node in usual.nodes]
    assert [sorted(node.attributes) for node in found.nodes] == [
        sorted(node.attributes) for node in usual.nodes
    ]
    shown = [node.text for node in found.all("bdi")]
    if name.isprintable() and len(name) < 100:
        assert name in shown
    assert max(map(len, shown)) <= 600
    assert all(c.isprintable() or c == "\n" for c in text)
    (data,) = found.all("script", type="application/json")
    assert not re.search("[<>&\u2028\u2029]", data.text)
    assert json.loads(data.text)["titles"] == for_script(report(name))["titles"]


def test_an_empty_library_says_how_to_begin() -> None:
    found = parsed(page(EMPTY))
    assert "The catalogue knows no track here yet." in found.text
    assert "tagger tag --dry-run ~/Music" in found.text
    assert "Genres" not in found.text
    assert not found.all("table")


def test_where_nothing_could_be_judged_or_drawn_the_page_says_why() -> None:
    bare = report(suspects=Suspects(why_none="there is too little"), sound_map=None)
    text = parsed(page(bare)).text
    assert "Nothing could be judged: there is too little" in text
    assert "There is no map yet" in text


def test_a_page_begins_with_what_lets_a_later_one_take_its_place() -> None:
    assert page(report()).startswith(START)


def test_tracks_that_are_unsure_are_listed_by_a_command_where_there_are_some() -> None:
    waiting, unsure = BlankCount(Blank.WAITING, 1), BlankCount(Blank.SILENT, 2)
    for blanks, is_told in (((waiting,), False), ((waiting, unsure), True)):
        text = parsed(page(report(blanks=blanks))).text
        assert ("tagger list --status unsure" in text) == is_told
