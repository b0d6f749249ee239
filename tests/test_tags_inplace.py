"""Writing in place: the same bytes as through a copy, the same file, and a way back."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.errors import TagWriteError
from tagger.records import FileChange, Patch, TagsFound
from tagger.tags import (
    Stands,
    prepare_restore,
    prepare_write,
    read_tags,
)
from tagger.tags.changes import IN_PLACE_BYTES
from tagger.tags.differences import narrowed
from tagger.tags.inplace import how_it_stands, put_back_bytes, write_in_place
from tagger.tags.splices import Splice, View, digest, is_untouched, size_of
from tests import tagged
from tests.writing import write_genres

OURS = "Folk; 0.50; cnn-1"
# What has room, or ends in what grows: the audio does not move.
IN_PLACE = ["mp3 v2.2", "mp3 v2.3", "mp3 v2.4", "flac", "m4a", "m4a_faststart", "wav", "aiff"]
IN_PLACE += ["wav with room", "bare opus", "bare m4a", "bare wav", "bare aiff", "aac", "tta", "ape"]
IN_PLACE += ["wv", "mpc", "dsf", "dff", "wma", "bare wv", "bare mpc", "bare mpc_sv7", "bare dsf"]
IN_PLACE += ["bare dff"]
ALL_KINDS = [*tagged.RICH, *tagged.BARE]


def make(folder: Path, kind: str) -> Path:
    """Write a file of a kind; a WAV file without INFO texts is one whose audio need not move."""
    folder.mkdir(exist_ok=True)
    if kind != "wav with room":
        return tagged.make(folder, kind)
    path = folder / "song.wav"
    path.write_bytes(
        tagged.with_chunks(tagged.sound("wav"), tagged.chunk(b"id3 ", tagged.rich_id3(3)))
    )
    return path


def write(path: Path, genre: str = "Folk", provenance: str = OURS) -> FileChange | None:
    """Write as a run does; return what the journal keeps."""
    with prepare_write(path, [genre], provenance=provenance) as prepared:
        prepared.carry_out()
        return prepared.kept


@pytest.mark.parametrize("kind", [*ALL_KINDS, "wav with room"])
def test_both_ways_to_write_give_the_same_bytes(tmp_path: Path, kind: str) -> None:
    path, other = make(tmp_path / "a", kind), make(tmp_path / "b", kind)
    write(path)
    write_genres(other, ["Folk"], provenance=OURS)
    assert path.read_bytes() == other.read_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", [*ALL_KINDS, "wav with room"])
def test_what_has_room_is_written_in_place(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind)
    number = path.stat().st_ino
    write(path)
    assert (path.stat().st_ino == number) == (kind in IN_PLACE)


@pytest.mark.parametrize("kind", [*ALL_KINDS, "wav with room"])
def test_the_second_write_is_in_place(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind)
    write(path)
    number = path.stat().st_ino
    write(path, "Drum and Bass", "Drum and Bass; 0.50; cnn-1")
    # Ogg FLAC has no padding in its comment packet; half of that small APE file is its tag.
    assert (path.stat().st_ino == number) == (kind not in ("oga", "bare oga", "bare ape"))
    assert read_tags(path).genres == ("Drum and Bass",)


@pytest.mark.parametrize("kind", [*ALL_KINDS, "wav with room"])
def test_a_write_is_taken_back_byte_for_byte(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind)
    data, before = path.read_bytes(), read_tags(path)
    kept = write(path)
    assert kept is not None
    assert tagged.PICTURE[100:200] not in b"".join(p.old + p.new for p in kept.patches)
    with prepare_restore(path, before, kept=kept) as prepared:
        assert prepared.is_exact
        prepared.carry_out()
    assert path.read_bytes() == data


def test_what_was_changed_elsewhere_since_is_put_back_tag_for_tag(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "mp3 v2.3")
    kept = write(path)
    with path.open("ab") as file:
        file.write(tagged.ape([("Title", b"Another")]))
    with prepare_restore(path, TagsFound(), kept=kept) as prepared:
        assert not prepared.is_exact
        prepared.carry_out()
    assert read_tags(path).genres == ()
    assert path.read_bytes().endswith(tagged.ape([("Title", b"Another")]))


def test_a_write_in_place_keeps_hard_links_and_needs_no_right_to_the_folder(
    tmp_path: Path,
) -> None:
    path = tagged.make(tmp_path, "flac")
    (tmp_path / "other.flac").hardlink_to(path)
    tmp_path.chmod(0o555)
    write(path)
    tmp_path.chmod(0o755)
    assert path.stat().st_nlink == 2
    assert read_tags(tmp_path / "other.flac").genres == ("Folk",)


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "flac")
    path.chmod(0o444)
    with pytest.raises(TagWriteError, match="the file is read-only"):
        write(path)


def test_hard_links_are_not_split_by_a_copy(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    (tmp_path / "other.mp3").hardlink_to(path)
    with pytest.raises(TagWriteError, match="2 hard links"):
        write(path)


def test_a_picture_that_would_have_to_move_far_makes_it_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    picture = tagged.frame(3, "APIC", b"\0image/png\0\x03\0" + os.urandom(IN_PLACE_BYTES))
    frames = [tagged.text_frame(3, "TCON", "Dub"), picture]
    path.write_bytes(tagged.id3(3, frames) + tagged.sound("mp3"))
    with prepare_write(path, ["Drum and Bass"], provenance=OURS) as prepared:
        assert prepared.overwritten is None
        assert prepared.kept is not None
        assert sum(len(p.old) + len(p.new) for p in prepared.kept.patches) < 400


def test_a_new_genre_moves_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    picture = tagged.frame(3, "APIC", b"\0image/png\0\x03\0" + os.urandom(IN_PLACE_BYTES))
    path.write_bytes(
        tagged.id3(3, [tagged.text_frame(3, "TIT2", "A"), picture]) + tagged.sound("mp3")
    )
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        assert prepared.overwritten is not None
        assert sum(len(p.new) for p in prepared.overwritten.patches) < 200


def test_the_time_of_change_can_stay(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "flac")
    os.utime(path, ns=(10**18, 10**18))
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        prepared.carry_out(preserve_mtime=True)
    assert path.stat().st_mtime_ns == 10**18
    write(path, "Rock", "Rock; 0.50; cnn-1")
    assert path.stat().st_mtime_ns > 10**18


@pytest.mark.parametrize("kind", ["flac", "bare mp3"])
def test_a_file_changed_between_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tagged.make(tmp_path, kind)
    with prepare_write(path, ["Folk"], provenance=OURS) as prepared:
        path.write_bytes(b"somebody's work")
        with pytest.raises(TagWriteError, match="changed by somebody else"):
            prepared.carry_out()
    assert path.read_bytes() == b"somebody's work"


# Putting back


CHANGES = [
    FileChange((Patch(2, b"cd", b"XY"), Patch(6, b"gh", b"ZZ")), 10, 10**18),
    FileChange((Patch(8, b"ij", b"IJKLMN"),), 10, 10**18),
    FileChange((Patch(1, b"b", b"B"), Patch(6, b"ghij", b"G")), 10, 10**18),
]


def mended(path: Path, change: FileChange) -> Stands:
    """Put a file back if it is torn, whatever kind of file it is; return what it is then."""
    with path.open("r+b") as file:
        stands = how_it_stands(file.fileno(), change)
        if stands is not Stands.TORN:
            return stands
        put_back_bytes(file.fileno(), change, path)
    return Stands.OLD


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_half_written_anywhere_is_put_back(tmp_path: Path, change: FileChange) -> None:
    path = tmp_path / "file"
    old = b"abcdefghij"
    new = bytearray(old)
    for patch in reversed(change.patches):
        new[patch.offset : patch.offset + len(patch.old)] = patch.new
    # A file that grows has zeros where nothing came to the disk; one that shrinks is cut last.
    low, high = old.ljust(len(new), b"\0"), bytes(new) + old[len(new) :]
    mixes = {low[:n] + high[n:] for n in range(len(low))}
    mixes |= {high[:n] + low[n:] for n in range(len(low))} | {old, bytes(new)}
    for mix in mixes:
        path.write_bytes(mix)
        stands = mended(path, change)
        if mix == bytes(new):
            assert stands is Stands.NEW
        else:
            assert (stands, path.read_bytes()) == (Stands.OLD, old), mix
            assert mix == old or path.stat().st_mtime_ns == 10**18


@pytest.mark.parametrize("data", [b"abXXefghij", b"ab", b"abcdefghijklmnopq", b"ab!Yefghij"])
def test_a_file_that_somebody_else_changed_is_not_put_back(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert mended(path, CHANGES[0]) is Stands.FOREIGN
    assert path.read_bytes() == data


def test_a_change_of_any_kind_is_written_in_place(tmp_path: Path) -> None:
    for change, new in zip(CHANGES, [b"abXYefZZij", b"abcdefghIJKLMN", b"aBcdefG"], strict=True):
        path = tmp_path / "file"
        path.write_bytes(b"abcdefghij")
        with path.open("r+b") as file:
            write_in_place(file.fileno(), change, path)
        assert path.read_bytes() == new
        assert mended(path, change) is Stands.NEW


def test_where_the_end_finds_no_room_nothing_else_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, old = tmp_path / "file", b"abcdefghij"
    path.write_bytes(old)
    grows = FileChange((Patch(2, b"c", b"C"), Patch(8, b"ij", b"IJKL")), 10, 10**18)
    found: list[bytes] = []

    def write_at(descriptor: int, offset: int, data: bytes) -> None:
        if offset + len(data) > len(old):
            found.append(path.read_bytes())
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.pwrite(descriptor, data, offset)

    monkeypatch.setattr("tagger.tags.inplace._write_at", write_at)
    with path.open("r+b") as file, pytest.raises(OSError, match="No space"):
        write_in_place(file.fileno(), grows, path)
    assert found == [old]
    assert path.read_bytes() == old


# Views and differences


TEXT = st.binary(max_size=60)


@given(old=TEXT, cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), TEXT), max_size=4))
def test_a_view_reads_as_the_file_would(
    tmp_path_factory: pytest.TempPathFactory, old: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("view") / "file"
    path.write_bytes(old)
    splices, at, new = [], 0, b""
    for start, length, text in sorted(cuts):
        if at <= start and start + length <= len(old):
            splices.append(Splice(start, length, text))
            new += old[at:start] + text
            at = start + length
    new += old[at:]
    with path.open("rb") as file, View(file, splices) as view:
        assert view.read() == new
        assert size_of(view) == len(new)
        for start in range(0, len(new), 7):
            view.seek(start)
            assert view.read(5) == new[start : start + 5]
        with View(file, splices) as again:
            assert digest(view, 0, len(new)) == digest(again, 0, len(new))
        if not splices:
            assert is_untouched(view, 0, len(new))


def test_digests_of_views_tell_apart_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        before, after = View(file, [Splice(3, 2, b"34")]), View(file, [Splice(3, 2, b"3x-")])
        assert digest(before, 0, 3) == digest(after, 0, 3)
        assert digest(before, 5, 10) == digest(after, 6, 11)
        assert digest(before, 3, 4) == digest(after, 3, 4)
        assert digest(before, 3, 5) != digest(after, 3, 5)
        assert digest(before, 0, 10) != digest(after, 0, 11)
        assert digest(before, 5, 9) != digest(after, 6, 11)
        assert is_untouched(after, 6, 11)
        assert not is_untouched(after, 5, 11)


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.tuples(st.integers(0, 3), st.binary(max_size=40), st.binary(max_size=40)), max_size=6
    ),
    seed=st.integers(0, 9),
)
def test_narrowed_splices_have_the_same_effect(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, bytes, bytes]], seed: int
) -> None:
    """Old and new are made of long stretches in common and short ones that differ."""
    common = [bytes((seed + i * 7 + n) % 251 for n in range(3000)) for i in range(4)]
    old = b"".join(common[i] + a for i, a, _ in parts)
    new = b"".join(common[i] + b for i, _, b in parts)
    path = tmp_path_factory.mktemp("narrowed") / "file"
    path.write_bytes(b"before" + old + b"after")
    with path.open("rb") as file:
        splices = narrowed(file, [Splice(6, len(old), new)])
        with View(file, splices) as view:
            assert view.read() == b"before" + new + b"after"
    assert sum(s.length + len(s.new) for s in splices) <= len(old) + len(new)


def test_what_only_moved_is_not_part_of_a_narrowed_splice(tmp_path: Path) -> None:
    picture = os.urandom(100_000)
    old, new = b"title" + picture + bytes(500), b"title and genre" + picture + bytes(490)
    path = tmp_path / "file"
    path.write_bytes(old)
    with path.open("rb") as file:
        splices = narrowed(file, [Splice(0, len(old), new)])
    assert splices == [Splice(5, 0, b" and genre"), Splice(5 + len(picture), 10, b"")]


def test_a_copy_of_a_file_can_be_put_back_as_well(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "m4a_faststart")
    data, before = path.read_bytes(), read_tags(path)
    kept = write(path)
    backup = Path(shutil.copy(path, tmp_path / "backup.m4a"))
    with prepare_restore(backup, before, kept=kept) as prepared:
        prepared.carry_out()
    assert backup.read_bytes() == data
