"""Files that are written whole or not at all: what is left, and what is spared."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest

from tagger.errors import TaggerError
from tagger.files.atomic import FileKind, check_replaceable, replaced

LETTER = FileKind(b"Dear", "that is no letter")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with replaced(target) as draft:
        draft.write_text("Dear you")
        assert not target.exists()
    assert (target.read_text(), names(tmp_path)) == ("Dear you", ["a.txt"])


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replaced(target) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert (target.read_text(), names(tmp_path)) == ("old", ["a.txt"])


@pytest.mark.parametrize("old", [b"Dear me", b"\xef\xbb\xbfDear me", b""])
def test_a_file_of_the_same_kind_is_written_over(tmp_path: Path, old: bytes) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(old)
    with replaced(target, LETTER) as draft:
        draft.write_text("Dear you")
    assert target.read_text() == "Dear you"


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("A bill")
    with pytest.raises(TaggerError, match="that is no letter"), replaced(target, LETTER):
        raise AssertionError("nothing is to be written")
    assert (target.read_text(), names(tmp_path)) == ("A bill", ["a.txt"])


def test_what_would_be_refused_can_be_told_beforehand(tmp_path: Path) -> None:
    letter, bill = tmp_path / "letter", tmp_path / "bill"
    letter.write_text("Dear me")
    bill.write_text("Pay")
    for right in (letter, tmp_path / "new"):
        check_replaceable(right, LETTER)
    for wrong in (bill, tmp_path, tmp_path / "none" / "new"):
        with pytest.raises(TaggerError) as caught:
            check_replaceable(wrong, LETTER)
        assert caught.value.path == wrong
    assert (letter.read_text(), names(tmp_path)) == ("Dear me", ["bill", "letter"])


def test_a_draft_is_never_a_file_that_is_there_already(tmp_path: Path) -> None:
    planted, victim = tmp_path / ".a.txt.00.draft", tmp_path / "victim"
    victim.write_text("precious")
    planted.symlink_to(victim)
    with (
        mock.patch("secrets.token_hex", return_value="00"),
        pytest.raises(TaggerError, match="cannot be written"),
        replaced(tmp_path / "a.txt"),
    ):
        raise AssertionError("nothing is to be written")
    assert (victim.read_text(), names(tmp_path)) == ("precious", [".a.txt.00.draft", "victim"])


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 127)  # 254 bytes of 255
    with replaced(target) as draft:
        draft.write_text("Dear you")
    assert names(tmp_path) == [target.name]


def test_what_is_read_only_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.m3u8"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(TaggerError, match="it is read-only"), replaced(path) as draft:
        draft.write_text("new")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_link_that_leads_in_a_circle_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(TaggerError, match="cannot be written") as caught, replaced(loop):
        raise AssertionError("nothing is to be written")
    assert caught.value.path == loop
    assert names(tmp_path) == ["loop"]


def test_whoever_may_read_a_new_file_may_read_this_one(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with replaced(tmp_path / "a.txt") as draft:
        draft.write_text("Dear all")
    modes = {os.stat(tmp_path / name).st_mode for name in ("usual", "a.txt")}  # noqa: PTH116
    assert len(modes) == 1


def test_whoever_could_read_the_old_file_can_read_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("Dear you")
    for mode in (0o604, 0o600, 0o640):
        target.chmod(mode)
        with replaced(target) as draft:
            draft.write_text("Dear all")
        assert target.stat().st_mode & 0o777 == mode
