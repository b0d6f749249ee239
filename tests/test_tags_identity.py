"""A recording's identity: the same whatever its tags, another for another sound."""

from __future__ import annotations

from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import ID3, TSRC, UFID
from mutagen.mp4 import MP4
from mutagen.oggvorbis import OggVorbis

from tagger.errors import TagReadError
from tagger.tags import audio_identity, read_tags
from tests import tagged


@pytest.mark.parametrize("kind", ["mp3 v2.3", "flac", "ogg", "opus", "m4a", "wav", "aiff"])
def test_another_program_may_write_tags_of_any_length(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    before = audio_identity(path)
    tags = mutagen.File(path, easy=kind[:3] in ("mp3", "m4a"))
    if tags.tags is None:
        tags.add_tags()
    key, value = (
        ("TIT2", mutagen.id3.TIT2(3, ["x" * 200_000]))
        if kind in ("wav", "aiff")
        else ("title", ["x" * 200_000])
    )
    tags[key] = value
    tags.save()
    assert path.stat().st_size > 200_000
    assert audio_identity(path) == before


def test_pages_renumbered_all_through_are_the_same_recording(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "ogg")
    before, size = audio_identity(path), path.stat().st_size
    tags = OggVorbis(path)
    tags["lyrics"] = ["la " * 50_000]
    tags.save()
    assert path.stat().st_size > size + 65_025  # a page holds no more
    assert audio_identity(path) == before


@pytest.mark.parametrize("place", [0, 8191, 100_000, 777_777, 999_999])
def test_sound_changed_at_a_block_is_another_recording(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a.wav"
    sound = bytearray(bytes(range(250)) * 4000)
    path.write_bytes(_wav(sound))
    before = audio_identity(path)
    sound[place // 125_000 * 141_686 + place % 8192 if 0 < place < 999_999 else place] ^= 1
    path.write_bytes(_wav(sound))
    assert audio_identity(path) != before


def test_a_copy_cut_short_is_another_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(_wav(bytes(500_000)))
    before = audio_identity(path)
    path.write_bytes(_wav(bytes(499_998)))
    assert audio_identity(path) != before


def test_few_bytes_of_a_long_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(
            _wav(bytes(40)).replace((40).to_bytes(4, "little"), (1 << 30).to_bytes(4, "little"))
        )
        file.seek(44 + (1 << 30) - 1)
        file.write(b"\0")
        file.seek(4)
        file.write((36 + (1 << 30)).to_bytes(4, "little"))
    assert audio_identity(path).startswith(f"{1 << 30}-")
    assert path.stat().st_blocks * 512 < 1 << 20  # it is a hole; reading it all would take a second


@pytest.mark.parametrize("content", [b"", b"Dear diary", b"RIFF\x04\0\0\0WAVE"])
def test_what_holds_no_sound_has_no_identity(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(TagReadError):
        audio_identity(path)


def test_numbers_of_the_recording_are_read(tmp_path: Path) -> None:
    number = "0E6C1E4A-0000-4000-8000-000000000000"
    mp3 = tagged.make(tmp_path, "mp3 v2.3")
    tag = ID3(mp3)
    tag.add(UFID("http://example.org", b"other"))
    tag.add(UFID("http://musicbrainz.org", number.encode()))
    tag.add(TSRC(3, ["us-rc1-76-07839"]))
    tag.save(mp3, v2_version=3)
    m4a = tagged.make(tmp_path, "m4a")
    atoms = MP4(m4a)
    atoms["----:com.apple.iTunes:MusicBrainz Track Id"] = [number.encode()]
    atoms["----:com.apple.iTunes:ISRC"] = [b"USRC17607839"]
    atoms.save()
    keys = {
        "flac": ("musicbrainz_trackid", "isrc"),
        "opus": ("musicbrainz_trackid", "isrc"),
        "wma": ("MusicBrainz/Track Id", "WM/ISRC"),
    }
    paths = [mp3, m4a]
    for kind, (id_key, isrc_key) in keys.items():
        paths.append(tagged.make(tmp_path, kind))
        other = mutagen.File(paths[-1])
        other[id_key], other[isrc_key] = number, "USRC17607839"
        other.save()
    found = {(read_tags(path).mb_recording, read_tags(path).isrc) for path in paths}
    assert found == {(number.lower(), "USRC17607839")}


def _wav(sound: bytes | bytearray) -> bytes:
    head = bytes.fromhex(
        "666d7420100000000100010044ac000088580100020010006461746 1".replace(" ", "")
    )
    size = len(sound)
    return (
        b"RIFF"
        + (36 + size).to_bytes(4, "little")
        + b"WAVE"
        + head
        + size.to_bytes(4, "little")
        + bytes(sound)
    )
