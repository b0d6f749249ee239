"""Playlists: what a simple reader gets out of one, and what is left if it cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from unittest import mock
from urllib.parse import unquote_to_bytes

import pytest

from tagger.catalog import TrackRow
from tagger.errors import PlaylistError
from tagger.recommending import playlist
from tagger.recommending.keeping import Standing, write_playlist
from tagger.recommending.playlist import Song
from tagger.records import Status, TagsFound

ROW = TrackRow(
    1,
    Path("/music/a.mp3"),
    TagsFound(title="Title", artist="Artist"),
    ("Rock",),
    None,
    243.4,
    Status.KEPT,
    None,
)
NAMES = [
    b"plain.mp3",
    "Björk/Jóga – ライブ.mp3".encode(),
    b"caf\xe9.mp3",  # Latin-1
    b"two\nlines.mp3",
    b"back\rto start.mp3",
    b"new\xe2\x80\xa8line.mp3",  # U+2028
    b"#hash.mp3",
    b"folder/#inner.mp3",
    b" blank first.mp3",
    b"blank last.mp3 ",
    b"100% sure?.mp3",
    b"http:song.mp3",
    b"file:..mp3",
]


def m3u8(rows: Iterable[TrackRow], folder: Path | None) -> str:
    return playlist.m3u8(map(Song.of, rows), folder)


def read_m3u8(path: Path) -> list[bytes]:
    """Return the files that a playlist names, as a player would find them."""
    found = []
    for line in path.read_bytes().decode("utf-8").splitlines():
        text = line.strip()
        if text.startswith("file://"):
            found.append(unquote_to_bytes(text.removeprefix("file://")))
        elif text and not text.startswith("#"):
            assert "://" not in text
            found.append(os.path.normpath(os.path.join(os.fsencode(path.parent), text.encode())))  # noqa: PTH118
    return found


def rows_of(folder: Path) -> list[TrackRow]:
    paths = [Path(os.fsdecode(os.fsencode(folder) + b"/" + name)) for name in NAMES]
    return [replace(ROW, path=path) for path in paths]


@pytest.mark.parametrize("absolute", [False, True])
def test_a_reader_finds_every_file_whatever_its_name(tmp_path: Path, absolute: bool) -> None:
    place = tmp_path / "lists" / "mine.m3u8"
    place.parent.mkdir()
    rows = rows_of(tmp_path / "music")
    write_playlist(place, m3u8(rows, None if absolute else place.parent))
    assert read_m3u8(place) == [os.fsencode(row.path) for row in rows]


def test_paths_are_relative_and_stay_true_when_all_is_moved(tmp_path: Path) -> None:
    place = tmp_path / "old" / "lists" / "mine.m3u8"
    place.parent.mkdir(parents=True)
    row = replace(ROW, path=tmp_path / "old" / "music" / "a.mp3")
    write_playlist(place, m3u8([row], place.parent))
    (tmp_path / "old").rename(tmp_path / "new")
    moved = tmp_path / "new" / "lists" / "mine.m3u8"
    assert read_m3u8(moved) == [os.fsencode(tmp_path / "new" / "music" / "a.mp3")]


def test_a_playlist_in_a_linked_folder_counts_from_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "deep" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "real")
    text = m3u8([replace(ROW, path=tmp_path / "music" / "a.mp3")], tmp_path / "link")
    assert "../../music/a.mp3" in text.splitlines()


def test_songs_behind_a_link_are_named_from_where_they_really_are(tmp_path: Path) -> None:
    (tmp_path / "disk" / "Music").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "Music").symlink_to(tmp_path / "disk" / "Music")
    rows = [replace(ROW, path=tmp_path / "home" / "Music" / "a.mp3")]
    assert m3u8(rows, tmp_path / "home" / "Music").splitlines()[-1] == "a.mp3"
    assert m3u8(rows, tmp_path / "home").splitlines()[-1] == "../disk/Music/a.mp3"


def test_each_track_is_told_with_its_length(tmp_path: Path) -> None:
    rows = [
        ROW,
        replace(ROW, tags=TagsFound(title="Two\nlines\x1b[2J"), duration_s=None),
        replace(ROW, tags=TagsFound()),
    ]
    lines = m3u8(rows, tmp_path).splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line for line in lines if line.startswith("#EXTINF")] == [
        "#EXTINF:243,Artist - Title",
        "#EXTINF:-1,Two lines [2J",
        "#EXTINF:243,a.mp3",
    ]


OLD = m3u8([ROW], None)
NEW = m3u8([replace(ROW, path=Path("/music/b.mp3"))], None)


def test_an_older_playlist_of_ours_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "a.m3u8"
    assert write_playlist(place, OLD) is Standing.FREE
    assert write_playlist(place, NEW) is Standing.OURS
    assert "/music/b.mp3" in place.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["a.m3u8"]


def test_a_playlist_as_it_would_be_written_is_not_touched(tmp_path: Path) -> None:
    place = tmp_path / "a.m3u8"
    write_playlist(place, OLD)
    os.utime(place, ns=(1, 1))
    assert write_playlist(place, OLD) is Standing.SAME
    assert place.stat().st_mtime_ns == 1


def change(old: str) -> list[str]:
    """What hands and programs make of a playlist of ours."""
    lines = old.splitlines()
    return [
        old + "mine.mp3\n",
        old.replace("/music/a.mp3", "/music/c.mp3"),
        "\n".join(lines[:-1]) + "\n",
        old.replace("\n", "\r\n"),
        "\ufeff" + old,
        "\n".join(line for line in lines if not line.startswith("# made")) + "\n",
    ]


@pytest.mark.parametrize("how", range(6))
def test_what_somebody_changed_is_left_alone(tmp_path: Path, how: int) -> None:
    place = tmp_path / "a.m3u8"
    write_playlist(place, OLD)
    changed = change(place.read_text())[how].encode()
    place.write_bytes(changed)
    with pytest.raises(PlaylistError, match="--force"):
        write_playlist(place, NEW)
    assert place.read_bytes() == changed
    write_playlist(place, NEW, force=True)
    assert "/music/b.mp3" in place.read_text()


@pytest.mark.parametrize("theirs", ["#EXTM3U\nmine.mp3\n", "\ufeff#EXTM3U\n", "", "my diary"])
def test_what_the_tagger_did_not_write_is_left_alone(tmp_path: Path, theirs: str) -> None:
    place = tmp_path / "a.m3u8"
    place.write_text(theirs, encoding="utf-8")
    with pytest.raises(PlaylistError, match="--force"):
        write_playlist(place, NEW)
    assert place.read_text(encoding="utf-8") == theirs
    write_playlist(place, NEW, force=True)
    assert "/music/b.mp3" in place.read_text()


def test_what_is_saved_while_we_write_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "a.m3u8"
    write_playlist(place, OLD)
    write = Path.write_bytes

    def write_and_be_overtaken(path: Path, data: bytes) -> int:
        write(place, b"#EXTM3U\nsaved just now.mp3\n")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_and_be_overtaken)
    with pytest.raises(PlaylistError, match="the tagger did not write it"):
        write_playlist(place, NEW)
    assert place.read_text() == "#EXTM3U\nsaved just now.mp3\n"


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "link.m3u8").symlink_to(tmp_path / "real.m3u8")
    write_playlist(tmp_path / "link.m3u8", "#EXTM3U\n")
    assert (tmp_path / "link.m3u8").is_symlink()
    assert (tmp_path / "real.m3u8").read_text() == "#EXTM3U\n"


@pytest.mark.parametrize("name", ["none/a.m3u8", "folder", "file/a.m3u8"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(PlaylistError) as caught:
        write_playlist(tmp_path / name, "#EXTM3U\n", force=True)
    assert caught.value.path == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("what", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_fills_leaves_the_old_playlist(tmp_path: Path, what: str) -> None:
    place = tmp_path / "a.m3u8"
    write_playlist(place, OLD)
    before = place.read_bytes()
    full = OSError(28, "No space left on device")
    with mock.patch(what, side_effect=full), pytest.raises(PlaylistError, match="make room"):
        write_playlist(place, "#EXTM3U\nnew.mp3\n")
    assert place.read_bytes() == before
    assert list(tmp_path.iterdir()) == [place]
