"""docs/datasette.yaml makes a site of a catalogue in the real Datasette; it names what is there."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasette.app import Datasette

from tests.library import make_track, run_tagger

ROOT = Path(__file__).parent.parent
METADATA: Mapping[str, Any] = yaml.safe_load((ROOT / "docs" / "datasette.yaml").read_text("utf-8"))
DATABASE: Mapping[str, Any] = METADATA["databases"]["catalog"]
QUERIES: Mapping[str, Any] = DATABASE["queries"]


class Site:
    """The site of a catalogue."""

    def __init__(self, place: Path) -> None:
        self._datasette = Datasette([str(place)], metadata=dict(METADATA))

    def get(self, address: str) -> Any:
        """Return a page's text, or what is in its JSON."""
        answer = asyncio.run(self._datasette.client.get(address))
        assert answer.status_code == 200, answer.text
        return answer.json() if ".json" in address else answer.text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Path]:
    """A catalogue with genres of a person's and the tagger's, blanks, copies and a failure."""
    folder = tmp_path_factory.mktemp("site")
    music, place = folder / "music", folder / "catalog.db"
    make_track(music / "a.flac", artist="Björk", title="heard", date="1993")
    make_track(music / "b.flac", genre="Dub", artist="Björk", title="set", date="1995")
    copied = make_track(music / "c.flac", genre="Dub", artist="C")
    (music / "copy of c.flac").write_bytes(copied.read_bytes())
    (music / "broken.flac").write_bytes(b"no music")
    options = ("--catalog", place, "--model", model, "--jobs", "1", "--evidence", "sound")
    run_tagger("tag", music, *options)
    make_track(music / "d.flac", artist="D", title="blank")
    run_tagger("tag", music, *options, "--min-confidence", "0.9")
    yield place


@pytest.fixture(scope="module")
def site(place: Path) -> Site:
    return Site(place)


def columns_of(place: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(place)) as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def test_the_library_shows_each_column_with_what_it_means(place: Path, site: Site) -> None:
    library = DATABASE["tables"]["library"]
    assert list(library["columns"]) == columns_of(place, "library")
    assert set(library["facets"]) | set(library["sortable_columns"]) <= set(library["columns"])
    page = site.get("/catalog/library")
    assert "One row for each track that is there." in page and "Björk" in page
    assert all(f'data-column="{name}"' in page for name in library["columns"])


def test_the_library_can_be_narrowed_by_what_its_facets_count(site: Site) -> None:
    found = site.get("/catalog/library.json?_shape=objects&status=kept")
    assert {row["genre"] for row in found["rows"]} == {"Dub"} and len(found["rows"]) == 3
    facets = site.get("/catalog/library.json")["facet_results"]
    assert {"genre", "status"} <= set(facets)


def test_each_table_and_view_is_shown_or_hidden_on_purpose(place: Path, site: Site) -> None:
    told = site.get("/catalog.json")
    named = {one["name"] for one in (*told["tables"], *told["views"])}
    assert named == set(DATABASE["tables"])
    shown = {one["name"] for one in (*told["tables"], *told["views"]) if not one.get("hidden")}
    assert shown == {"library", "duplicates", "vanished", "runs", "failures", "models"}


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_answers_from_a_real_catalogue(name: str, site: Site) -> None:
    values = "&label=Rock" if "label" in QUERIES[name].get("params", ()) else ""
    rows = site.get(f"/catalog/{name}.json?_shape=array{values}")
    assert rows, f"{name} has nothing to say"
    assert QUERIES[name]["title"] in site.get(f"/catalog/{name}?{values}")


def test_queries_say_what_is_so(site: Site) -> None:
    def rows(name: str, values: str = "") -> Any:
        return site.get(f"/catalog/{name}.json?_shape=array{values}")

    assert [(r["genre"], r["tracks"], r["by_the_tagger"]) for r in rows("genres")] == [
        ("Dub", 3, 0),
        ("Rock", 1, 1),
    ]
    assert rows("decades") == [{"decade": 1990, "tracks": 2, "commonest_genre": "Dub"}]
    assert rows("blanks") == [
        {"reason_code": "not_audio", "most_like": None, "tracks": 1},
        {"reason_code": "unsure", "most_like": "Rock", "tracks": 1},
    ]
    assert [Path(row["path"]).name for row in rows("nearly")] == ["d.flac"]
    assert {row["genre"] for row in rows("heard_as", "&label=Rock")} == {
        "Dub",
        "Rock",
        None,
        "",
    } - ({None} if any(r["genre"] == "" for r in rows("heard_as", "&label=Rock")) else {""})
    assert rows("heard_as", "&label=No such") == []
    assert rows("copies")[0]["copies"] == 2
    assert rows("what_was_written")[0]["genres_after"] == '["Rock"]'


def test_nothing_is_written(place: Path, site: Site) -> None:
    before = place.read_bytes()
    site.get("/catalog/library")
    site.get("/catalog/genres")
    assert place.read_bytes() == before


def test_the_page_names_each_query(site: Site) -> None:
    page = (ROOT / "docs" / "datasette.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert told == list(QUERIES)
