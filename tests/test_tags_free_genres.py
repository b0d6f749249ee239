"""A genre that stands in a field of its own name, as TagLib and FFmpeg read it, is a person's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.id3 import TXXX
from mutagen.mp4 import MP4FreeForm

from tagger.errors import TagWriteError
from tagger.tags import prepare_restore, prepare_write, read_tags
from tests import tagged
from tests.library import Run, make_track
from tests.writing import write_genres

OURS = "Folk; 0.50; cnn-1"


def in_txxx(path: Path, name: str) -> None:
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file.tags.add(TXXX(encoding=3, desc=name, text=["Ska"]))
    file.save()


def in_mp4(path: Path, name: str) -> None:
    file: Any = mutagen.File(path)
    file[f"----:com.apple.iTunes:{name}"] = MP4FreeForm(b"Ska")
    file.save()


def in_asf(path: Path, name: str) -> None:
    file: Any = mutagen.File(path)
    file[name] = "Ska"
    file.save()


PLACES: dict[str, tuple[Callable[[Path, str], None], str]] = {
    "mp3": (in_txxx, "GENRE"),
    "wav": (in_txxx, "Genre"),
    "aiff": (in_txxx, "genre"),
    "dsf": (in_txxx, "GENRE"),
    "tta": (in_txxx, "GENRE"),
    "m4a": (in_mp4, "GENRE"),
    "m4a_faststart": (in_mp4, "Genre"),
    "wma": (in_asf, "Genre"),
}


def made(folder: Path, kind: str) -> Path:
    path = folder / f"song{tagged.extension(kind)}"
    path.write_bytes(tagged.sound(kind))
    put, name = PLACES[kind]
    put(path, name)
    return path


@pytest.mark.parametrize("kind", PLACES)
def test_it_is_read_replaced_and_put_back(tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind)
    before = path.read_bytes()
    found = read_tags(path)
    assert found.genres == ("Ska",)
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        prepared.carry_out()
        kept = prepared.kept
    assert read_tags(path).genres == ("Folk",)
    if kind != "dsf":  # which TagLib's binding does not open
        assert tagged.taglib_tags(path)["GENRE"] == ["Folk"]
    with prepare_restore(path, found, kept=kept) as back:
        back.carry_out()
    assert path.read_bytes() == before


def test_one_beside_a_genre_of_ours_is_seen(tmp_path: Path) -> None:
    path = made(tmp_path, "mp3")
    write_genres(path, ["Folk"], provenance=OURS)
    in_txxx(path, "GENRE")
    assert read_tags(path).genres == ("Folk", "Ska")


def test_a_genre_outside_itunes_tags_is_read_and_left_alone(tmp_path: Path) -> None:
    data = bytearray(tagged.sound("m4a"))
    genre = b"\0\0\0\x0f\xa9gen\0\3\0\0Ska"
    for parent in (b"moov", b"udta"):  # the one ends with the other, and the file with both
        at = data.rindex(parent) - 4
        size = int.from_bytes(data[at : at + 4])
        assert at + size == len(data)
        data[at : at + 4] = (size + len(genre)).to_bytes(4)
    path = tmp_path / "a.m4a"
    path.write_bytes(data + genre)
    assert read_tags(path).genres == ("Ska",)
    with pytest.raises(TagWriteError, match="outside iTunes's tags"):
        write_genres(path, ["Folk"], provenance=None)


@pytest.mark.usefixtures("in_process")
def test_it_is_kept_by_a_run_and_replaced_where_that_is_asked_for(music: Path, run: Run) -> None:
    in_txxx(make_track(music / "a.mp3"), "GENRE")
    assert run("tag", music).statuses == {"a.mp3": "kept"}
    assert run("tag", "--overwrite", music).statuses == {"a.mp3": "written"}
    assert read_tags(music / "a.mp3").genres == ("Rock",)
    assert run("undo").records[0]["exact"]
    assert read_tags(music / "a.mp3").genres == ("Ska",)
