"""Files that are left alone with a reason: protected, damaged, foreign; and what a copy keeps."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import Ways, prepare_write, read_tags
from tagger.tags.fields import TagFaultError
from tagger.tags.temporary import keep_attributes
from tests import tagged
from tests.writing import write_genres

ANY = Ways(lossy_copies=True)
# rw- for the owner, r-- for user 1 and the group, as far as the mask r-- allows, --- for others.
ACL = bytes.fromhex("02000000" "01000600ffffffff" "0200040001000000" "04000400ffffffff"
                    "10000400ffffffff" "20000000ffffffff")  # fmt: skip


def test_a_read_only_file_is_left_alone_even_by_root(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    path.chmod(0o444)
    with pytest.raises(TagWriteError, match="the file is read-only"):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == tagged.sound("mp3")


def test_a_read_only_disk_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(TagWriteError, match="that disk is mounted read-only"):
        write_genres(path, ["Folk"], provenance=None)


@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_that_somebody_is_writing_is_left_alone(tmp_path: Path, in_place: bool) -> None:
    path, ways = tagged.make(tmp_path, "flac"), Ways(in_place=in_place)
    before = path.read_bytes()
    with path.open("ab"), pytest.raises(TagWriteError, match="open for writing"):
        write_genres(path, ["Folk"], provenance=None, ways=ways)
    assert path.read_bytes() == before
    write_genres(path, ["Folk"], provenance=None, ways=ways)
    assert read_tags(path).genres == ("Folk",)


@pytest.mark.parametrize("kind", ["mp3", "aac"])
@pytest.mark.parametrize("junk", [bytes(10), bytes(417), b"junk" * 30])
def test_a_tag_behind_other_bytes_is_not_hidden_by_a_new_one(
    tmp_path: Path, kind: str, junk: bytes
) -> None:
    path = tmp_path / f"song.{kind}"
    data = junk + tagged.rich_id3(3) + tagged.sound(kind)
    path.write_bytes(data)
    assert tagged.taglib_tags(path)["TITLE"] == ["A title"]
    with pytest.raises(TagWriteError, match="ID3v2 tag behind other bytes"):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == data


def test_a_read_only_folder_is_left_alone_even_by_root(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    tmp_path.chmod(0o555)
    with pytest.raises(TagWriteError, match="folder is read-only"):
        write_genres(path, ["Folk"], provenance=None)
    tmp_path.chmod(0o755)
    assert path.read_bytes() == tagged.sound("mp3")


def test_hard_links_are_not_split(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    (tmp_path / "other.mp3").hardlink_to(path)
    with pytest.raises(TagWriteError, match=r"2 hard links.*--allow-copies"):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == tagged.sound("mp3")


def test_hard_links_are_split_where_that_is_allowed(tmp_path: Path) -> None:
    path, other = tagged.make(tmp_path, "bare mp3"), tmp_path / "other.mp3"
    other.hardlink_to(path)
    with (
        prepare_write(path, ["Folk"], provenance=None, ways=ANY) as first,
        prepare_write(other, ["Folk"], provenance=None, ways=ANY) as second,
    ):
        first.carry_out()
        assert other.read_bytes() == tagged.sound("mp3")
        second.carry_out()
    assert read_tags(path).genres == read_tags(other).genres == ("Folk",)
    assert path.stat().st_nlink == other.stat().st_nlink == 1


def test_a_file_changed_meanwhile_is_not_replaced_though_links_may_be_split(tmp_path: Path) -> None:
    path, other = tagged.make(tmp_path, "bare mp3"), tmp_path / "other.mp3"
    other.hardlink_to(path)
    with prepare_write(path, ["Folk"], provenance=None, ways=ANY) as prepared:
        other.write_bytes(b"somebody's work")
        other.unlink()
        with pytest.raises(TagWriteError, match="changed by somebody else"):
            prepared.carry_out()
    assert path.read_bytes() == b"somebody's work"


def test_mode_and_extended_attributes_survive(tmp_path: Path) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    path.chmod(0o640)
    os.setxattr(path, "user.mark", b"mine")
    os.setxattr(path, "system.posix_acl_access", ACL)
    before = path.stat()
    write_genres(path, ["Folk"], provenance=None)
    assert os.getxattr(path, "user.mark") == b"mine"
    assert os.getxattr(path, "system.posix_acl_access") == ACL
    after = path.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert after.st_ino != before.st_ino


def _refused(*_: Any) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_attributes_that_cannot_be_kept_stop_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    os.setxattr(path, "user.mark", b"mine")
    monkeypatch.setattr(os, "setxattr", _refused)
    with pytest.raises(TagWriteError, match=r"could not keep its attribute user\.mark; --allow-c"):
        write_genres(path, ["Folk"], provenance=None)
    assert list(tmp_path.iterdir()) == [path]
    write_genres(path, ["Folk"], provenance=None, ways=ANY)
    assert read_tags(path).genres == ("Folk",)
    assert os.listxattr(path) == []


def test_an_owner_that_cannot_be_kept_stops_the_write_unless_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_fstat = os.fstat
    with (tmp_path / "old").open("w+b") as old, (tmp_path / "new").open("w+b") as new:
        source, target = old.fileno(), new.fileno()
        anothers = SimpleNamespace(st_uid=os.getuid() + 1, st_gid=os.getgid(), st_mode=0o100664)

        def fstat(descriptor: int) -> Any:
            return anothers if descriptor == source else real_fstat(descriptor)

        monkeypatch.setattr(os, "fstat", fstat)
        monkeypatch.setattr(os, "fchown", _refused)
        with pytest.raises(TagFaultError, match="could not keep its owner; --allow-copies"):
            keep_attributes(source, target)
        keep_attributes(source, target, all_or_none=False)
        assert real_fstat(target).st_mode == 0o100664
        anothers.st_gid += 1
        keep_attributes(source, target, all_or_none=False)
        assert real_fstat(target).st_mode == 0o100644  # another group may do no more than anybody


def test_the_group_stays_where_the_owner_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def fchown(_descriptor: int, uid: int, gid: int) -> None:
        asked.append((uid, gid))
        if uid != -1:
            _refused()

    with (tmp_path / "old").open("w+b") as old, (tmp_path / "new").open("w+b") as new:
        real_fstat, source = os.fstat, old.fileno()
        anothers = SimpleNamespace(st_uid=os.getuid() + 1, st_gid=7, st_mode=0o100660)
        monkeypatch.setattr(os, "fstat", lambda d: anothers if d == source else real_fstat(d))
        monkeypatch.setattr(os, "fchown", fchown)
        keep_attributes(source, new.fileno(), all_or_none=False)
    assert asked == [(anothers.st_uid, 7), (-1, 7)]


def test_who_may_read_a_file_grows_by_no_loss_of_its_acl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    path.chmod(0o600)
    os.setxattr(path, "system.posix_acl_access", ACL)
    assert path.stat().st_mode & 0o777 == 0o640
    monkeypatch.setattr(os, "setxattr", _refused)
    write_genres(path, ["Folk"], provenance=None, ways=ANY)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("genres", "reason"),
    [
        ([], "no genre"),
        ([""], "must not be empty"),
        (["  "], "must not be empty"),
        (["Ro\0ck"], "no tag can hold"),
        (["Ro\nck"], "no tag can hold"),
        (["Ro\udcffck"], "no tag can hold"),
        (["Rock "], "white space"),
    ],
)
def test_a_genre_that_no_tag_can_hold_is_refused(
    tmp_path: Path, genres: list[str], reason: str
) -> None:
    path = tagged.make(tmp_path, "bare mp3")
    with pytest.raises(TagWriteError, match=reason):
        write_genres(path, genres, provenance=None)
    assert path.read_bytes() == tagged.sound("mp3")


def _wav(size: int = 0, head: bytes = b"RIFF") -> bytes:
    data = tagged.sound("wav")
    return head + (len(data) - 8 + size).to_bytes(4, "little") + data[8:]


def _damaged_ogg_page() -> bytes:
    return tagged.rich_ogg("ogg").replace(b"AAAA", b"AABA", 1)


def _two_ogg_streams() -> bytes:
    return tagged.sound("ogg") + tagged.sound("opus")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_wav(size=7), "differ"),
        (_wav(size=-8), "differ"),
        (_wav(head=b"RF64"), "64-bit"),
        (tagged.sound("wav") + b"more", "differ"),
        (tagged.with_chunks(tagged.sound("wav"), b"odd!\xff\xff\xff\x7f"), "does not fit"),
        (tagged.sound("aiff")[:-100], "differ"),
        (tagged.sound("ogg")[:-100], "cut short"),
        (_two_ogg_streams(), "several Ogg streams"),
        (_damaged_ogg_page(), "the Ogg page at byte .* is not sound"),
        (tagged.sound("m4a")[:-100], "cut short"),
        (b"", "empty"),
        (b"just some text\n" * 500, "no music file"),
        (bytes(5000), "no music file"),
        (tagged.id3(3, [], 500)[:300], "cut short|no music file"),
    ],
)
def test_a_damaged_or_foreign_file_is_left_alone_with_a_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(data)
    with pytest.raises(TagWriteError, match=reason):
        write_genres(path, ["Folk"], provenance=None)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "broken.mp3").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.mp3").symlink_to(tmp_path / "loop.mp3")
    for name in ("pipe.mp3", "broken.mp3", "loop.mp3", "missing.mp3", "."):
        with pytest.raises(TagReadError):
            read_tags(tmp_path / name)
        with pytest.raises(TagWriteError):
            write_genres(tmp_path / name, ["Folk"], provenance=None)
