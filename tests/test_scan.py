"""Which files a scan gives, in which order, and what it says of the others."""

from __future__ import annotations

import os
import socket
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.errors import ScanError
from tagger.files.names import AUDIO_EXTENSIONS
from tagger.files.scan import ScanOptions, ScanTally, scan
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(
    *paths: Path,
    tally: ScanTally | None = None,
    exclude: tuple[str, ...] = (),
    follow: bool = False,
    folders: frozenset[str] | None = None,
    settle_s: float = 0.0,
) -> list[str]:
    """What a scan gives, as paths under the first path."""
    options = ScanOptions(exclude, follow, folders, settle_s)
    found = scan(paths, options, tally or ScanTally())
    return [os.path.relpath(file.path, paths[0]) for file in found]


# ----------------------------------------------------------------------------- what is given


def test_a_scan_gives_what_stat_says_of_each_file(tmp_path: Path) -> None:
    path = touch(tmp_path / "album" / "song.mp3", b"12345")
    os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    assert list(scan([tmp_path], ScanOptions(), ScanTally())) == [
        AudioFile(path, tmp_path, 5, path.stat().st_mtime_ns)
    ]


def test_the_kinds_of_file_are_told_by_their_ending_in_any_case(tmp_path: Path) -> None:
    ours = {touch(tmp_path / f"a{extension.upper()}").name for extension in AUDIO_EXTENSIONS}
    for other in ("cover.jpg", "list.m3u8", "notes.txt", "mp3", "a.mp3.txt"):
        touch(tmp_path / other)
    tally = ScanTally()
    assert set(names(tmp_path, tally=tally)) == ours
    assert not tally.skipped
    assert not tally.failures


def test_a_folders_files_come_sorted_and_before_its_subfolders(tmp_path: Path) -> None:
    for name in ("b/2.mp3", "b/1.mp3", "z.mp3", "a/x/1.mp3", "a/9.mp3", "c.mp3"):
        touch(tmp_path / name)
    expected = ["c.mp3", "z.mp3", "a/9.mp3", "a/x/1.mp3", "b/1.mp3", "b/2.mp3"]
    assert names(tmp_path) == expected


@pytest.mark.parametrize("name", [b"caf\xe9.mp3", b"two\nlines.mp3", b"\x01 \\ $'\"*.mp3"])
def test_any_name_a_file_can_have_is_given_exactly(tmp_path: Path, name: bytes) -> None:
    touch(tmp_path / os.fsdecode(name))
    (file,) = scan([tmp_path], ScanOptions(), ScanTally())
    assert os.fsencode(file.path) == os.fsencode(tmp_path) + b"/" + name


def test_relative_paths_are_given_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a" / "song.mp3")
    monkeypatch.chdir(tmp_path / "a")
    for given in (Path(), Path("song.mp3"), Path("../a"), Path("../a/song.mp3")):
        (file,) = scan([given], ScanOptions(), ScanTally())
        assert file.path == tmp_path / "a" / "song.mp3"
        assert file.root == tmp_path / "a"


def test_a_deep_tree_is_walked_to_its_bottom(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 900)
    touch(deep / "song.mp3")
    assert len(names(tmp_path)) == 1


# --------------------------------------------------------------------------- what is passed over


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".song.mp3", "hidden"),
        ("._song.mp3", "hidden"),
        (".hidden/song.mp3", "hidden"),
        ("@eaDir/song.mp3", "trash or system folder"),
        ("#recycle/song.mp3", "trash or system folder"),
        ("@Recycle/song.mp3", "trash or system folder"),
        ("@Recently-Snapshot/song.mp3", "trash or system folder"),
        ("~snapshot/song.mp3", "trash or system folder"),
        ("RECYCLER/song.mp3", "trash or system folder"),
        ("lost+found/song.mp3", "trash or system folder"),
        ("$RECYCLE.BIN/song.mp3", "trash or system folder"),
        (".Trash-1000/song.mp3", "trash or system folder"),
        ("song.mp3.part", "unfinished download"),
        ("song.mp3.crdownload", "unfinished download"),
        ("song.flac.TMP", "unfinished download"),
        ("quiet/.nomedia", "folder with .nomedia"),
    ],
)
def test_what_is_not_meant_to_be_seen_is_passed_over_and_counted(
    tmp_path: Path, name: str, reason: str
) -> None:
    touch(tmp_path / name)
    touch(tmp_path / "other.mp3")
    tally = ScanTally()
    assert names(tmp_path, tally=tally) == ["other.mp3"]
    assert tally.skipped == {reason: 1}


@pytest.mark.parametrize(
    "ending",
    [
        *(".aria2", ".st", ".lftp-pget-status", ".ytdl", ".chunks", ".part", ".partial"),
        *(".crdownload", ".opdownload", ".download", ".!qB", ".!ut", ".!bt", ".bc!", ".xltd"),
        *(".td", ".jc!", ".filepart", ".fdmdownload", ".dtapart", ".downloading", ".PART"),
    ],
)
def test_a_file_that_a_download_manager_has_not_finished_is_passed_over(
    tmp_path: Path, ending: str
) -> None:
    touch(tmp_path / "song.mp3")
    arriving = touch(tmp_path / "new.mp3")
    touch(tmp_path / f"new.mp3{ending}")
    tally = ScanTally()
    assert names(tmp_path, tally=tally) == ["song.mp3"]
    assert tally.skipped["unfinished download"] >= 1
    assert tally.unsettled == {str(tmp_path)}
    named = ScanTally()
    assert list(scan([arriving], ScanOptions(), named)) == []
    assert named.skipped == {"unfinished download": 1}
    (tmp_path / f"new.mp3{ending}").unlink()  # as the last thing that is done
    assert names(tmp_path) == ["new.mp3", "song.mp3"]


def test_firefoxs_empty_placeholder_of_a_download_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").touch()
    part = touch(tmp_path / "song.Xq81Zy-3.mp3.part")
    assert names(tmp_path) == []
    part.rename(tmp_path / "song.mp3")
    assert names(tmp_path) == ["song.mp3"]


def test_the_draft_of_another_program_says_nothing_of_the_file_it_is_to_replace(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "song.mp3")
    touch(tmp_path / "song.mp3.tmp")
    assert names(tmp_path) == ["song.mp3"]


def test_a_marked_folder_is_left_out_with_all_below_it(tmp_path: Path) -> None:
    touch(tmp_path / "quiet" / "song.mp3")
    touch(tmp_path / "quiet" / "below" / "song.mp3")
    touch(tmp_path / "quiet" / ".nomedia")
    assert names(tmp_path) == []
    assert names(tmp_path / "quiet") == ["song.mp3", "below/song.mp3"]
    assert names(tmp_path, tmp_path / "quiet") == ["quiet/song.mp3", "quiet/below/song.mp3"]


@pytest.mark.timeout(10)
def test_what_would_hang_or_is_no_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp3")
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory(dir="/tmp") as short:
        server.bind(f"{short}/socket.mp3")  # a socket's path may have some hundred bytes only
        tally = ScanTally()
        assert names(tmp_path, Path(short), tally=tally) == []
    assert tally.skipped == {"not a regular file": 2}


@pytest.mark.parametrize(
    ("glob", "left"),
    [
        ("*.mp3", ["b/2.flac", "b/live/3.flac"]),
        ("b", ["1.mp3"]),
        ("b/", ["1.mp3"]),
        ("b/*", ["1.mp3"]),
        ("live", ["1.mp3", "b/2.flac"]),
        ("*/live/*", ["1.mp3", "b/2.flac"]),
        ("[12].*", ["b/live/3.flac"]),
        ("nothing", ["1.mp3", "b/2.flac", "b/live/3.flac"]),
    ],
)
def test_a_glob_leaves_out_by_name_and_by_path(tmp_path: Path, glob: str, left: list[str]) -> None:
    for name in ("1.mp3", "b/2.flac", "b/live/3.flac", "b/cover.jpg"):
        touch(tmp_path / name)
    tally = ScanTally()
    assert names(tmp_path, exclude=(glob,), tally=tally) == left
    assert (tally.skipped["excluded"] > 0) == (len(left) < 3)


def test_excluded_files_that_are_no_sound_anyway_are_not_counted(tmp_path: Path) -> None:
    touch(tmp_path / "cover.jpg")
    tally = ScanTally()
    names(tmp_path, exclude=("*.jpg",), tally=tally)
    assert not tally.skipped


# ------------------------------------------------------------------------------------- links


def test_a_link_to_a_file_elsewhere_is_followed_once(tmp_path: Path) -> None:
    target = touch(tmp_path / "elsewhere" / "song.mp3")
    library = tmp_path / "library"
    library.mkdir()
    (library / "a.mp3").symlink_to(target)
    (library / "b.mp3").symlink_to(target)
    tally = ScanTally()
    assert names(library, tally=tally) == ["a.mp3"]
    assert tally.skipped == {"link to what is scanned anyway": 1}


@pytest.mark.parametrize("order", [("a.mp3", "b.mp3"), ("b.mp3", "a.mp3")])
def test_a_link_within_the_tree_does_not_give_a_recording_twice(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    link, target = order
    touch(tmp_path / target)
    (tmp_path / link).symlink_to(tmp_path / target)
    tally = ScanTally()
    assert names(tmp_path, tally=tally) == [target]
    assert tally.skipped == {"link to what is scanned anyway": 1}


@pytest.mark.parametrize("store", [".annex", "store"])
def test_a_link_to_a_place_that_is_passed_over_is_followed(tmp_path: Path, store: str) -> None:
    target = touch(tmp_path / store / "3f" / "object.mp3")
    touch(tmp_path / store / ".nomedia")
    (tmp_path / "song.mp3").symlink_to(target)
    assert names(tmp_path) == ["song.mp3"]


def test_broken_links_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").symlink_to(tmp_path / "gone.mp3")
    (tmp_path / "itself.mp3").symlink_to(tmp_path / "itself.mp3")
    tally = ScanTally()
    assert names(tmp_path, tally=tally) == []
    assert tally.skipped == {"broken link": 2}
    assert not tally.failures


def test_links_to_folders_are_entered_only_when_asked(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "song.mp3")
    library = tmp_path / "library"
    library.mkdir()
    (library / "link").symlink_to(tmp_path / "elsewhere")
    (library / "second").symlink_to(tmp_path / "elsewhere")
    tally = ScanTally()
    assert names(library, tally=tally) == []
    assert tally.skipped == {"link to a folder": 2}
    tally = ScanTally()
    assert names(library, tally=tally, follow=True) == ["link/song.mp3"]
    assert tally.skipped == {"link to what is scanned anyway": 1}


def test_a_link_loop_ends(tmp_path: Path) -> None:
    library, elsewhere = tmp_path / "library", tmp_path / "elsewhere"
    touch(library / "album" / "song.mp3")
    touch(elsewhere / "other.mp3")
    (library / "album" / "up").symlink_to(library)
    (library / "out").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(library)
    (elsewhere / "self").symlink_to(elsewhere)
    assert names(library, follow=True) == ["album/song.mp3", "out/other.mp3"]


def test_a_root_that_is_a_link_is_entered_and_its_path_kept(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "song.mp3")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (file,) = scan([tmp_path / "link"], ScanOptions(), ScanTally())
    assert file.path == tmp_path / "link" / "song.mp3"


# ------------------------------------------------------------------------------------- arguments


def test_overlapping_paths_give_each_file_once(tmp_path: Path) -> None:
    song = touch(tmp_path / "album" / "song.mp3")
    touch(tmp_path / "other.mp3")
    (tmp_path / "album-link").symlink_to(tmp_path / "album")
    everything = ["album/song.mp3", "other.mp3"]
    for more in ([tmp_path], [tmp_path / "album"], [song, song], [tmp_path / "album-link"]):
        assert sorted(names(tmp_path, *more)) == everything
    assert len(names(tmp_path / "album", tmp_path)) == 2
    assert len(names(song, tmp_path / "album", tmp_path)) == 2


def test_what_is_named_itself_is_taken_even_if_hidden(tmp_path: Path) -> None:
    song = touch(tmp_path / ".hidden" / ".song.mp3")
    touch(tmp_path / ".hidden" / "song.mp3")
    (file,) = scan([song], ScanOptions(), ScanTally())
    assert (file.path, file.root) == (song, song.parent)
    assert names(tmp_path, tmp_path / ".hidden") == [".hidden/song.mp3"]


def test_a_named_file_of_an_unknown_kind_fails_and_says_which_are_known(tmp_path: Path) -> None:
    tally = ScanTally()
    assert names(touch(tmp_path / "cover.jpg"), tally=tally) == []
    (failure,) = tally.failures
    assert (failure.path, failure.stage) == (tmp_path / "cover.jpg", "scan")
    assert "flac" in str(failure.reason)
    assert "opus" in str(failure.reason)


def test_a_named_fifo_fails(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp3")
    tally = ScanTally()
    assert names(tmp_path / "fifo.mp3", tally=tally) == []
    assert tally.failures[0].reason == Reason(ReasonCode.NOT_A_FILE)


def test_a_named_file_that_a_glob_matches_is_left_out(tmp_path: Path) -> None:
    tally = ScanTally()
    assert names(touch(tmp_path / "live.mp3"), exclude=("live*",), tally=tally) == []
    assert tally.skipped == {"excluded": 1}


def test_a_missing_path_beside_others_is_a_failure(tmp_path: Path) -> None:
    touch(tmp_path / "song.mp3")
    tally = ScanTally()
    assert names(tmp_path, tmp_path / "missing", tally=tally) == ["song.mp3"]
    (failure,) = tally.failures
    assert (failure.path, failure.stage) == (tmp_path / "missing", "scan")
    assert "no such file or folder" in str(failure.reason)


def test_a_scan_of_missing_paths_alone_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"no such file or folder.* 1 more") as caught:
        scan([tmp_path / "a", tmp_path / "b"], ScanOptions(), ScanTally())
    assert caught.value.path == tmp_path / "a"
    with pytest.raises(ScanError, match="no file or folder given"):
        scan([], ScanOptions(), ScanTally())


# -------------------------------------------------------------------------------------- failures


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A folder with a subfolder that may not be read, even where the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        touch(folder / "a.mp3")
        touch(folder / "locked" / "b.mp3")
        touch(folder / "open" / "c.mp3")
        (folder / "locked").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)
        (folder / "locked").chmod(0o755)


def test_a_folder_without_permission_is_one_failure(guarded: Path) -> None:
    tally = ScanTally()
    assert names(guarded, tally=tally) == ["a.mp3", "open/c.mp3"]
    (failure,) = tally.failures
    assert (failure.path, failure.stage) == (guarded / "locked", "scan")
    assert "Permission denied" in str(failure.reason)


def test_a_root_without_permission_is_one_failure(guarded: Path) -> None:
    tally = ScanTally()
    assert names(guarded / "locked", tally=tally) == []
    assert [failure.path for failure in tally.failures] == [guarded / "locked"]


def test_a_scan_of_what_may_not_be_looked_at_cannot_start(guarded: Path) -> None:
    with pytest.raises(ScanError, match="Permission denied"):
        scan([guarded / "locked" / "b.mp3"], ScanOptions(), ScanTally())


def test_a_link_to_where_one_may_not_look_is_a_failure(guarded: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "song.mp3").symlink_to(guarded / "locked" / "b.mp3")
        tally = ScanTally()
        assert names(Path(folder), tally=tally) == []
        assert "Permission denied" in str(tally.failures[0].reason)


def test_a_folder_that_goes_while_it_is_scanned_ends_nothing(tmp_path: Path) -> None:
    touch(tmp_path / "0.mp3")
    gone = touch(tmp_path / "a" / "1.mp3")
    touch(tmp_path / "b" / "2.mp3")
    tally = ScanTally()
    found = scan([tmp_path], ScanOptions(), tally)
    first = next(found)
    gone.unlink()
    gone.parent.rmdir()
    assert [file.path.name for file in (first, *found)] == ["0.mp3", "2.mp3"]
    assert tally.skipped == {"gone meanwhile": 1}


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    def peak_bytes(folder: Path) -> int:
        tracemalloc.start()
        for _ in scan([folder], ScanOptions(), ScanTally()):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    for size in (10, 200):
        for album in range(size):
            folder = tmp_path / str(size) / str(album)
            folder.mkdir(parents=True)
            for track in range(10):
                (folder / f"{track}.mp3").touch()
    # Once before it counts: paths intern their names, and that table may have to grow by megabytes.
    peak_bytes(tmp_path / "200")
    # 190 folders more, each remembered by two numbers; the ten records of each would take 5 KB.
    assert peak_bytes(tmp_path / "200") - peak_bytes(tmp_path / "10") < 190 * 1500


# ----------------------------------------------------------------------------- a part of it


def test_of_the_folders_asked_for_only_their_own_files_are_given(tmp_path: Path) -> None:
    for name in ("0.mp3", "a/1.mp3", "a/x/2.mp3", "a/x/y/3.mp3", "b/4.mp3"):
        touch(tmp_path / name)
    asked = frozenset({str(tmp_path / "a" / "x"), str(tmp_path / "gone")})
    tally = ScanTally()
    assert names(tmp_path, folders=asked, tally=tally) == ["a/x/2.mp3"]
    assert not tally.failures
    assert names(tmp_path, folders=frozenset({str(tmp_path)})) == ["0.mp3"]
    assert names(tmp_path, folders=frozenset()) == []


def test_a_folder_asked_for_is_passed_over_where_a_whole_scan_would_not_come(
    tmp_path: Path,
) -> None:
    for name in (".hidden/1.mp3", "marked/x/2.mp3", "demos/3.mp3", "real/4.mp3"):
        touch(tmp_path / "music" / name)
    touch(tmp_path / "music" / "marked" / ".nomedia")
    (tmp_path / "music" / "link").symlink_to(tmp_path / "music" / "real")
    asked = (".hidden", "marked/x", "demos", "link")
    folders = frozenset(str(tmp_path / "music" / name) for name in asked)
    assert names(tmp_path / "music", folders=folders, exclude=("demos",)) == []


def test_files_that_changed_just_now_are_passed_over_and_their_folders_told(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "a" / "new.mp3")
    tally = ScanTally()
    assert names(tmp_path, settle_s=600, tally=tally) == []
    assert tally.skipped == {"still being written": 1}
    assert tally.unsettled == {str(tmp_path / "a")}


def test_a_copy_that_keeps_its_times_is_new_nevertheless(tmp_path: Path) -> None:
    os.utime(touch(tmp_path / "new.mp3"), (1, 1))
    assert names(tmp_path, settle_s=600) == []


def test_a_file_in_a_clocks_far_future_counts_as_settled(tmp_path: Path) -> None:
    os.utime(touch(tmp_path / "new.mp3"), (4e9, 4e9))
    assert names(tmp_path, settle_s=600) == ["new.mp3"]


def test_an_empty_file_waits_for_its_content(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp3", b"")
    time.sleep(0.02)
    tally = ScanTally()
    assert names(tmp_path, settle_s=0.01, tally=tally) == []
    assert not tally.unsettled
