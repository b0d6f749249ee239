"""The reader: it opens what the catalogue opens, says what it says, and touches nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from tagger.catalog import (
    Catalog,
    Embedder,
    FailedFile,
    Reader,
    SortKey,
    TrackQuery,
    Years,
    upgrade,
)
from tagger.errors import CatalogError
from tagger.reasons import Reason
from tagger.records import Stage, Status, TrackFailure
from tests.catalogs import MODEL, MUSIC, Location, audio_file, entry, filled

OURS = 0x54474752


def test_what_the_listing_says_of_a_track_the_reader_says(tmp_path: Path) -> None:
    place = tmp_path / "catalog.db"
    filled(place, entry("a.mp3", 1), entry("caf\udce9.mp3", 2), entry("b/c.mp3", 3)).close()
    with Catalog.open(place, read_only=True) as catalog, Reader.open(place) as reader:
        for row in catalog.tracks():
            track = reader.track_at(row.path)
            assert track is not None
            assert track.row == row
            assert reader.tracks([track.track_id]) == {track.track_id: track}
        assert reader.track_at(MUSIC / "none.mp3") is None
        assert reader.embedders() == {MODEL.model_id: Embedder(MODEL.architecture, 3)}


def test_a_catalogue_that_is_being_written_is_read_along(tmp_path: Path) -> None:
    place = tmp_path / "catalog.db"
    with filled(place, entry("a.mp3", 1)), Reader.open(place) as reader:
        assert reader.track_at(MUSIC / "a.mp3") is not None


def test_an_older_schema_is_asked_in_a_copy(tmp_path: Path) -> None:
    place = tmp_path / "catalog.db"
    engine = create_engine(f"sqlite:///{place}")
    with engine.begin() as connection:
        config = upgrade.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(f"PRAGMA application_id = {OURS}")
    engine.dispose()
    before = place.read_bytes()
    with Reader.open(place) as reader:
        assert reader.track_at(MUSIC / "a.mp3") is None
        assert reader.genres(3) == []
        assert reader.embedders() == {}
    assert place.read_bytes() == before
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer version"),
        ("PRAGMA application_id = 7", "belongs to another program"),
    ],
)
def test_what_is_not_for_this_version_is_refused(tmp_path: Path, statement: str, told: str) -> None:
    place = tmp_path / "catalog.db"
    filled(place, entry("a.mp3", 1)).close()
    with closing(sqlite3.connect(place)) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(CatalogError, match=told) as caught:
        Reader.open(place)
    assert caught.value.path == place


def test_damage_is_found_and_named(tmp_path: Path) -> None:
    place = tmp_path / "catalog.db"
    filled(place, *(entry(f"{i}.mp3", i) for i in range(200))).close()
    data = bytearray(place.read_bytes())
    data[8192 : len(data) - 4096] = b"\xff" * (len(data) - 4096 - 8192)
    place.write_bytes(data)
    with pytest.raises(CatalogError, match="damaged"), Reader.open(place) as reader:
        reader.genres(3)


@pytest.mark.parametrize("content", [b"", b"some other file"])
def test_what_is_no_catalogue_is_named(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "catalog.db"
    place.write_bytes(content)
    told = "some other file" if content else "no catalogue here yet"
    with pytest.raises(CatalogError, match=told):
        Reader.open(place)
    assert place.read_bytes() == content


@pytest.mark.parametrize("sort", SortKey)
def test_a_listing_by_the_reader_is_the_catalogues(location: Location, sort: SortKey) -> None:
    some = (entry("a.mp3", 1), entry("caf\udce9.mp3", 2), entry("b/100%_c.mp3", 3))
    with filled(location, *some) as catalog, Reader.open(location) as reader:
        failed = TrackFailure(MUSIC / "d.mp3", Stage.DECODE, Reason.told("silent"))
        catalog.record_failures(1, [FailedFile(audio_file("d.mp3"), failed)])
        listed = list(reader.listed(TrackQuery(sort=sort)))
        assert listed == list(catalog.tracks(TrackQuery(sort=sort)))
        assert {row.path for row in listed} == {MUSIC / "d.mp3", *(one.file.path for one in some)}
        for query in (
            TrackQuery(genre="ROCK", sort=sort),
            TrackQuery(min_confidence=0.5, artist="ARTIST", sort=sort),
            TrackQuery(under=MUSIC / "b", sort=sort, limit=1),
            TrackQuery(status=Status.FAILED, sort=sort),
            TrackQuery(years=Years(1990, None), sort=sort),
            TrackQuery(artist="%", sort=sort),
        ):
            assert list(reader.listed(query)) == list(catalog.tracks(query))


def test_a_list_is_told_without_sqlalchemy_and_numpy(tmp_path: Path) -> None:
    place = tmp_path / "catalog.db"
    filled(place, entry("a.mp3", 1)).close()
    script = (
        "import sys; from tagger.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*({'sqlalchemy', 'numpy', 'torch'} & set(sys.modules)))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, "list", "--catalog", str(place)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Title 1" in told.stdout
    assert told.stdout.splitlines()[-1] == ""
