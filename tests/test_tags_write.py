"""The promise, format by format: the genre changes and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import av
import pytest
import taglib

from tagger.errors import TagWriteError
from tagger.records import TagsFound
from tagger.tags import is_ours, prepare_restore, provenance_text, read_tags
from tagger.tags.fields import TagFaultError
from tagger.tags.formats import family_of
from tests import tagged
from tests.writing import write_genres

TWO = ["Hip-Hop", "Café del Mar"]
OURS = provenance_text(TWO, 0.875, "cnn-gru-1a2b")
ALL_KINDS = [*tagged.RICH, *tagged.BARE]


def _write(path: Path, *genres: str) -> None:
    write_genres(path, genres, provenance=provenance_text(genres, 0.5, "cnn-1"))


def _restore(path: Path, before: TagsFound) -> None:
    with prepare_restore(path, before) as prepared:
        prepared.carry_out()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_written_genre_is_what_other_readers_find(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    write_genres(path, TWO, provenance=OURS)
    said = ["; ".join(TWO)] if kind in tagged.JOINS else TWO
    assert tagged.taglib_tags(path)["GENRE"] == said
    found = read_tags(path)
    assert (found.genres, found.provenance) == (tuple(TWO), OURS)
    assert is_ours(found)


# FFmpeg reads no tag of a DSDIFF file but one among its sound's properties.
@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if "dff" not in kind])
def test_ffmpeg_finds_the_written_genre(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    _write(path, "Folk")
    with av.open(str(path), metadata_errors="replace") as container:
        found = container.metadata | container.streams.audio[0].metadata
    assert {key.lower(): value for key, value in found.items()}["genre"] == "Folk"


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_sound_is_the_same_after_a_write(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    before = tagged.decoded(path)
    write_genres(path, TWO, provenance=OURS)
    assert tagged.decoded(path) == before
    assert len(before) > 100_000


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_all_other_tags_read_the_same_after_a_write(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    before = tagged.taglib_tags(path)
    write_genres(path, TWO, provenance=OURS)
    after = tagged.taglib_tags(path)
    for key in ("GENRE", "TAGGER_GENRE"):
        before.pop(key, None)
        after.pop(key, None)
    assert after == before
    assert after or kind in tagged.BARE


@pytest.mark.parametrize("kind", tagged.RICH)
def test_cover_art_is_the_same_bytes_after_a_write(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    _write(path, "Folk")
    # Ogg holds pictures as text of its own, which the makers fill with a mark.
    mark = b"A" * 1000 if kind in ("ogg", "opus", "oga", "spx") else tagged.PICTURE
    assert mark in path.read_bytes()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_second_write_moves_no_audio(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    _write(path, "Folk")
    size = path.stat().st_size
    _write(path, "Drum and Bass")
    if kind in tagged.BEHIND:
        assert path.read_bytes().startswith(tagged.sound(kind.removeprefix("bare ")))
        return
    moved = path.stat().st_size != size
    # Ogg FLAC has no padding in its comment packet; an INFO list has none either.
    assert moved == (kind in ("oga", "bare oga", "wav"))
    assert read_tags(path).genres == ("Drum and Bass",)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_file_that_has_the_genre_already_is_not_touched(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    write_genres(path, TWO, provenance=OURS)
    before = path.stat()
    result = write_genres(path, TWO, provenance=OURS)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (result.before, result.provenance_before) == (tuple(TWO), OURS)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_without_provenance_ours_is_removed_and_none_is_written(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    _write(path, "Folk")
    write_genres(path, ["Rock"], provenance=None)
    assert read_tags(path).provenance is None
    assert b"cnn-1" not in path.read_bytes()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_correction_by_another_tagger_is_not_ours(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    _write(path, "Folk")
    assert is_ours(read_tags(path))
    with taglib.File(str(path), save_on_exit=True) as file:
        file.tags["GENRE"] = ["Fado"]
    found = read_tags(path)
    assert found.genres == ("Fado",)
    assert not is_ours(found)


def test_a_correction_since_reading_stops_the_write(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "mp3 v2.3")
    expected = read_tags(path)
    write_genres(path, ["Fado"], provenance=None)
    before = path.read_bytes()
    with pytest.raises(TagWriteError, match="changed by somebody else"):
        write_genres(path, ["Rock"], provenance=None, expected=expected)
    assert path.read_bytes() == before


def test_what_was_expected_may_be_overwritten(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "mp3 v2.4 without padding")
    result = write_genres(path, ["Rock"], provenance=OURS, expected=TagsFound(genres=("Blues",)))
    assert (result.path, result.before, result.after) == (path, ("Blues",), ("Rock",))


def test_flac_blocks_other_than_comments_and_padding_stay(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "flac")
    before = _flac_blocks(path.read_bytes())
    write_genres(path, TWO, provenance=OURS)
    after = _flac_blocks(path.read_bytes())
    assert [kind for kind, _ in after] == [kind for kind, _ in before]
    kept = [block for block in before if block[0] not in (1, 4)]
    assert [block for block in after if block[0] not in (1, 4)] == kept
    assert len(kept) == 2


def test_flac_comments_without_an_equals_sign_or_with_odd_bytes_stay(tmp_path: Path) -> None:
    odd = [b"no equals sign", b"=no key", b"TITLE=\xff\xfe", b"genre=Blues", b"title=x", b""]
    body = b"\x03\0\0\0me!" + len(odd).to_bytes(4, "little")
    body += b"".join(len(c).to_bytes(4, "little") + c for c in odd)
    (
        (_, info),
        *_,
    ) = _flac_blocks(tagged.sound("flac"))
    audio = tagged.sound("flac")[_flac_end(tagged.sound("flac")) :]
    path = tmp_path / "odd.flac"
    stream = b"fLaC" + b"\0" + len(info).to_bytes(3, "big") + info
    path.write_bytes(stream + b"\x84" + len(body).to_bytes(3, "big") + body + audio)
    write_genres(path, ["Rock"], provenance=None)
    data = path.read_bytes()
    for comment in (odd[0], odd[1], odd[2], odd[4], b"GENRE=Rock"):
        assert len(comment).to_bytes(4, "little") + comment in data
    assert b"genre=Blues" not in data
    assert data.endswith(audio)


def test_an_id3_tag_in_front_of_a_flac_stream_follows(tmp_path: Path) -> None:
    path = tmp_path / "headed.flac"
    path.write_bytes(tagged.rich_id3(3, "Blues") + tagged.rich_flac())
    assert read_tags(path).genres == ("Blues",)
    _write(path, "Folk")
    assert read_tags(path).genres == ("Folk",)
    assert b"Blues" not in path.read_bytes()


@pytest.mark.parametrize("kind", ["ogg", "opus", "oga"])
def test_ogg_headers_may_end_anywhere_in_a_page(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, f"bare {kind}")
    before = tagged.decoded(path)
    for length in (1500, 3000, 3300, 4000, 4080, 4500, 9000, 70_000, 5):
        write_genres(path, ["A" * length], provenance=None)
        assert tagged.decoded(path) == before
        assert tagged.taglib_tags(path)["GENRE"] == ["A" * length]


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_chunks_other_than_id3_and_info_stay(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    before = tagged.chunks_of(path.read_bytes())
    _write(path, "Folk")
    after = tagged.chunks_of(path.read_bytes())
    ours = (b"id3 ", b"ID3 ", b"LIST")
    assert [c for c in after if c[0] not in ours] == [c for c in before if c[0] not in ours]
    assert [c[0] for c in after] == [c[0] for c in before]
    old, new = (tagged.frames_of(dict(c)[ours[kind == "aiff"]]) for c in (before, after))
    assert [f for f in new if f[1][10:] and f not in old] == [
        f for f in new if f[0] == "TCON" or b"TAGGER_GENRE" in f[1]
    ]


def test_a_wav_info_genre_counts_and_follows(tmp_path: Path) -> None:
    path = tmp_path / "info.wav"
    texts = tagged.info((b"IART", "Somebody"), (b"IGNR", "Blues"), (b"ISFT", "odd"))
    path.write_bytes(tagged.with_chunks(tagged.sound("wav"), texts))
    assert read_tags(path).genres == ("Blues",)
    assert read_tags(path).artist == "Somebody"
    _write(path, "Folk")
    assert b"IGNR\5\0\0\0Folk\0\0ISFT\4\0\0\0odd\0" in path.read_bytes()
    assert b"Blues" not in path.read_bytes()
    assert read_tags(path).artist == "Somebody"


def test_the_time_of_change_is_honest_unless_it_shall_stay(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    os.utime(path, ns=(10**18, 10**18))
    _write(path, "Folk")
    assert path.stat().st_mtime_ns > 10**18
    os.utime(path, ns=(10**18, 10**18))
    write_genres(path, ["Rock"], provenance=None, preserve_mtime=True)
    assert path.stat().st_mtime_ns == 10**18


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "links").mkdir()
    target = tagged.make(tmp_path / "music", "bare flac")
    link = tmp_path / "links" / "song"
    link.symlink_to(target)
    result = write_genres(link, ["Folk"], provenance=None)
    assert result.path == link
    assert link.is_symlink()
    assert read_tags(target).genres == ("Folk",)


def test_a_name_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare ogg").rename(tmp_path / os.fsdecode(b"caf\xe9\n.ogg"))
    write_genres(path, ["Folk"], provenance=None)
    assert read_tags(path).genres == ("Folk",)


def _flac_blocks(data: bytes) -> list[tuple[int, bytes]]:
    at, blocks, last = 4, [], False
    while not last:
        last, size = data[at] > 127, int.from_bytes(data[at + 1 : at + 4], "big")
        blocks.append((data[at] & 127, data[at + 4 : at + 4 + size]))
        at += 4 + size
    return blocks


def _flac_end(data: bytes) -> int:
    return 4 + sum(4 + len(body) for _, body in _flac_blocks(data))


def _flac_without_comments() -> bytes:
    bare = tagged.sound("flac")
    (_, info), *_ = _flac_blocks(bare)
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info + bare[_flac_end(bare) :]


def test_a_flac_file_of_streaminfo_and_audio_alone_gets_comments(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(_flac_without_comments())
    before = tagged.decoded(path)
    _write(path, "Folk")
    assert [kind for kind, _ in _flac_blocks(path.read_bytes())] == [0, 4, 1]
    assert tagged.taglib_tags(path)["GENRE"] == ["Folk"]
    assert tagged.decoded(path) == before


@pytest.mark.parametrize("length", range(1, 12))
def test_flac_comments_that_shrink_leave_their_room_as_padding(tmp_path: Path, length: int) -> None:
    path = tagged.make(tmp_path, "bare flac")
    write_genres(path, ["A" * 12], provenance=None)
    data = path.read_bytes()
    end = _flac_end(data)
    (_, info), (_, comments), *_ = _flac_blocks(data)
    head = b"fLaC\0" + len(info).to_bytes(3, "big") + info
    head += b"\x84" + len(comments).to_bytes(3, "big") + comments
    path.write_bytes(head + data[end:])
    write_genres(path, ["B" * length], provenance=None)
    assert read_tags(path).genres == ("B" * length,)
    assert (path.stat().st_size == len(head + data[end:])) == (length <= 8)
    assert path.read_bytes().endswith(data[end:])


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_what_stood_before_can_be_restored(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    before, others = read_tags(path), tagged.taglib_tags(path)
    write_genres(path, TWO, provenance=OURS)
    _restore(path, before)
    assert read_tags(path) == before
    assert tagged.taglib_tags(path) == others
    stat = path.stat()
    _restore(path, before)
    assert path.stat() == stat


@pytest.mark.parametrize("kind", tagged.BARE)
def test_restoring_nothing_to_a_file_without_tags_does_nothing(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    before = path.read_bytes()
    _restore(path, TagsFound())
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["mp3", "aac", "tta", "ape", "wv", "mpc", "flac"])
def test_no_tag_is_added_to_take_a_genre_out_of_id3v1(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "song"
    sound = _flac_without_comments() if kind == "flac" else tagged.sound(kind)
    path.write_bytes(sound + tagged.id3v1(17))
    _restore(path, TagsFound())
    assert path.read_bytes() == sound + tagged.id3v1(255)


def test_no_tag_is_added_to_take_a_genre_out_of_info(tmp_path: Path) -> None:
    path = tmp_path / "info.wav"
    bare = tagged.sound("wav")
    path.write_bytes(tagged.with_chunks(bare, tagged.info((b"IART", "Somebody"), (b"IGNR", "Dub"))))
    _restore(path, TagsFound())
    assert path.read_bytes() == tagged.with_chunks(bare, tagged.info((b"IART", "Somebody")))


def test_restoring_reaches_every_container(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    tail = tagged.ape([("Title", b"A title")]) + tagged.id3v1(255)
    path.write_bytes(tagged.rich_id3(3) + tagged.sound("mp3") + tail)
    _write(path, "Rock")
    assert path.read_bytes()[-1] == 17
    _restore(path, TagsFound())
    assert read_tags(path).genres == ()
    assert path.read_bytes().endswith(tail)


def test_restoring_takes_an_info_genre_out_again(tmp_path: Path) -> None:
    path = tmp_path / "info.wav"
    texts = tagged.info((b"IART", "Somebody"))
    path.write_bytes(tagged.with_chunks(tagged.sound("wav"), texts))
    _write(path, "Folk")
    assert b"IGNR" in path.read_bytes()
    _restore(path, TagsFound())
    assert texts in path.read_bytes()


# What another reader sees


def let_another_reader_see(monkeypatch: pytest.MonkeyPatch, *opinions: list[str] | None) -> None:
    """Let mutagen say this of the file as it would be, and this of the file as it is; None: no."""
    said = iter(opinions)

    def opinion(_file: BinaryIO) -> list[str]:
        genres = next(said)
        if genres is None:
            raise TagFaultError("it is damaged")
        return genres

    monkeypatch.setattr(
        "tagger.tags.preparing.family_of",
        lambda file: replace(family_of(file), second_opinion=opinion),
    )


@pytest.mark.parametrize(
    ("opinions", "said"),
    [
        ((["Polka"],), "another reader would see the genre as 'Polka'"),
        (([],), "another reader would see the genre as ''"),
        ((None, ["Rock"]), "it is damaged"),
    ],
)
def test_a_tag_that_another_reader_would_see_otherwise_is_not_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opinions: tuple[list[str] | None, ...],
    said: str,
) -> None:
    path = tagged.make(tmp_path, "flac")
    before = path.read_bytes()
    let_another_reader_see(monkeypatch, *opinions)
    with pytest.raises(TagWriteError, match=said):
        write_genres(path, ["Folk"], provenance=OURS)
    assert path.read_bytes() == before


def test_a_reader_that_could_not_read_the_file_before_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "flac")
    let_another_reader_see(monkeypatch, None, None)
    write_genres(path, ["Folk"], provenance=OURS)
    assert read_tags(path).genres == ("Folk",)
