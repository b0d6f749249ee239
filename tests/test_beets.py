"""The plugin for beets, in the real beets: its importer, its database, its tags, its commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import beets
import pylast
import pytest
from beets.exceptions import UserError
from beets.library import Album, Item
from beets.test.helper import PluginMixin, TestHelper

from beetsplug.tagger import FIELD
from tagger.genre_list import load_genre_list
from tagger.tags import is_ours, read_tags
from tests import tagged
from tests.library import (
    contents,
    environment,
    genre_of,
    make_model,
    make_track,
    run_tagger,
    set_tags,
)

pytestmark = pytest.mark.usefixtures("in_process")


class Beets(PluginMixin, TestHelper):
    """A beets with a library of its own and our plugin, as its own tests set one up."""

    plugin = "tagger"
    preload_plugin = False

    def configure(self, **settings: Any) -> None:
        """Start the plugin with more settings in beets' config."""
        self.settings: dict[str, Any] = getattr(self, "settings", {}) | settings
        self.unload_plugins()
        self.config["tagger"].set(self.settings)
        self.load_plugins()

    def run(self, *arguments: str | Path) -> None:
        self.run_command(*map(str, arguments))

    def item(self, title: str) -> Item:
        (found,) = self.lib.items(f"title:={title}")
        return found


@pytest.fixture
def beet(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beets]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with Beets() as beets_:
        beets_.configure(catalog=str(tmp_path / "catalog.db"), model=str(model))
        yield beets_


Add = Callable[..., Item]


@pytest.fixture
def add(beet: Beets, music: Path) -> Add:
    """Put a track into the library, by its tags."""

    def add_track(name: str, *duration_s: float, **tags: str) -> Item:
        path = make_track(music / name, *duration_s, title=Path(name).stem)
        set_tags(path, **tags)
        item = Item.from_path(str(path))
        beet.lib.add(item)
        return item

    return add_track


def genres(item: Item) -> list[str]:
    item.load()
    return list(item.get("genres", with_album=False))


# Filling


def test_a_blank_is_filled_in_beets_and_in_the_file(beet: Beets, add: Add) -> None:
    item = add("a.flac")
    beet.run("tagger")
    assert genres(item) == ["Rock"] and item[FIELD].startswith("Rock; 0.6")
    assert genre_of(item.filepath) == ["Rock"]
    assert is_ours(read_tags(item.filepath))


@pytest.mark.parametrize("kind", ["mp3", "m4a", "ogg", "opus", "wav", "aiff", "wma"])
def test_our_field_stands_where_the_tagger_reads_it(kind: str, beet: Beets, music: Path) -> None:
    path = music / f"a.{kind}"
    path.write_bytes(tagged.sound(kind))
    beet.lib.add(Item.from_path(str(path)))
    beet.configure(min_confidence=0.01)
    beet.run("tagger")
    found = read_tags(path)
    assert found.genres == ("Rock",) and is_ours(found)


def test_what_is_there_stays_unless_told(beet: Beets, add: Add) -> None:
    item = add("a.flac", genre="Polka")
    before = item.filepath.read_bytes()
    beet.run("tagger")
    assert genres(item) == ["Polka"] and item.filepath.read_bytes() == before
    beet.run("tagger", "-f")
    assert genres(item) == ["Rock"] and genre_of(item.filepath) == ["Rock"]


def test_pretend_touches_nothing(
    beet: Beets, add: Add, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = add("a.flac")
    before = contents(item.filepath.parent)
    beet.run("tagger", "-p")
    assert "Rock" in capsys.readouterr().out
    assert genres(item) == [] and contents(item.filepath.parent) == before
    assert not (tmp_path / "catalog.db").exists()


def test_what_stays_blank_is_told(beet: Beets, add: Add, caplog: pytest.LogCaptureFixture) -> None:
    beet.configure(min_confidence=0.9)
    add("a.flac")
    add("b.flac", genre="Polka")
    beet.run("tagger")
    assert any("left blank: 1 of 1" in record.getMessage() for record in caplog.records)


def test_a_remembered_model_that_writes_nothing_is_told_of(
    beet: Beets, add: Add, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    item, mute = add("a.flac"), make_model(tmp_path / "mute.pt", writable=())
    place = beet.settings["catalog"]
    named = run_tagger("tag", item.filepath, "--catalog", place, "--model", mute)
    told = "by sound nothing is written: "
    assert f"{told}{mute} is not sure enough of any genre" in named.err
    del beet.settings["model"]
    beet.configure()
    beet.run("tagger")
    (said,) = [one.getMessage() for one in caplog.records if told in one.getMessage()]
    assert f"{mute}, which tag --model named last, is" in said
    caplog.clear()
    beet.configure(evidence="album,artist")
    beet.run("tagger")
    assert not [one for one in caplog.records if told in one.getMessage()]


def test_only_what_a_query_names_is_filled(beet: Beets, add: Add) -> None:
    one, other = add("one.flac"), add("other.flac")
    beet.run("tagger", "title:=one")
    assert (genres(one), genres(other)) == (["Rock"], [])


def test_beets_own_tags_speak_for_an_album(beet: Beets, add: Add) -> None:
    """Of the library, not of the files: there another genre stands in them, or none."""
    owners = [add(f"{n}.flac", artist="A", album="One") for n in range(3)]
    for item in owners:
        item["genres"] = ["Dub"]
        item.store()
    blank = add("3.flac")
    blank["album"], blank["artist"] = "One", "A"
    blank.store()
    beet.run("tagger")
    assert genres(blank) == ["Dub"] and blank[FIELD].endswith("; album")
    assert [genre_of(item.filepath) for item in owners] == [[]] * 3


def test_what_the_tagger_wrote_is_no_witness(beet: Beets, add: Add) -> None:
    for n in range(3):
        item = add(f"{n}.flac", artist="A", album="One")
        item["genres"], item[FIELD] = ["Dub"], "Dub; 0.90; some-model"
        item.store()
    blank = add("3.flac", artist="A", album="One")
    beet.run("tagger")
    assert genres(blank) == ["Rock"]


def test_settings_stand_in_beets_config(beet: Beets, add: Add, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[parents]\n"Rock Music" = "Popular"\n[aliases]\nRock = "Rock Music"\n'
    )
    beet.configure(genre_list=str(tmp_path / "mine.toml"), with_parents=True)
    item = add("a.flac")
    beet.run("tagger")
    assert genres(item) == genre_of(item.filepath) == ["Rock Music", "Popular"]


def test_a_setting_that_is_none_is_told(beet: Beets, add: Add) -> None:
    add("a.flac")
    beet.configure(min_confidense=0.5)
    with pytest.raises(UserError, match="did you mean min_confidence"):
        beet.run("tagger")


def test_where_beets_may_not_write_only_its_database_is_filled(beet: Beets, add: Add) -> None:
    beet.config["import"]["write"] = False
    item = add("a.flac")
    before = item.filepath.read_bytes()
    beet.run("tagger")
    assert genres(item) == ["Rock"] and item.filepath.read_bytes() == before


def test_what_beets_cannot_write_stays_blank_and_is_filled_later(
    beet: Beets, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = add("a.flac")
    with monkeypatch.context() as patch:
        patch.setattr(Item, "try_write", lambda *_, **__: False)
        beet.run("tagger")
    assert genres(item) == []
    beet.run("tagger")
    assert genres(item) == ["Rock"]


def test_what_a_kill_left_in_the_file_alone_is_taken_up(beet: Beets, add: Add) -> None:
    item = add("a.flac")
    beet.run("tagger")
    item.load()
    item["genres"], item[FIELD] = [], ""
    item.store()
    beet.run("tagger")
    assert genres(item) == ["Rock"] and item[FIELD].startswith("Rock; 0.6")


def test_a_file_that_fails_is_told_and_the_others_are_filled(
    beet: Beets, add: Add, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = add("broken.flac"), add("whole.flac")
    broken.filepath.write_bytes(b"no music")
    beet.run("tagger")
    assert (genres(broken), genres(whole)) == ([], ["Rock"])
    assert any("not audio" in record.getMessage() for record in caplog.records)


def test_an_album_gets_the_genre_that_all_its_tracks_have(beet: Beets, add: Add) -> None:
    items = [add(f"{n}.flac", artist="A", album="One") for n in range(2)]
    album = beet.lib.add_album(items)
    beet.run("tagger")
    album.load()
    assert album.genres == ["Rock"]


def test_names_that_are_not_utf_8_are_filled(beet: Beets, music: Path) -> None:
    track = make_track(music / "a.flac", title="odd")
    odd = track.rename(music / "caf\udce9.flac")
    item = Item.from_path(str(odd))
    beet.lib.add(item)
    beet.run("tagger")
    assert genres(item) == ["Rock"] and genre_of(odd) == ["Rock"]


def test_the_real_command_fills_in_a_process_of_its_own(
    music: Path, model: Path, tmp_path: Path
) -> None:
    home = tmp_path / "beets"
    home.mkdir()
    (home / "config.yaml").write_text(
        f"plugins: tagger\ndirectory: {tmp_path}/library\nlibrary: {home}/library.db\n"
        f"import: {{copy: yes, autotag: no}}\n"
        f"tagger: {{catalog: {tmp_path}/catalog.db, model: {model}, jobs: 1}}\n"
    )
    make_track(music / "a.flac", title="blank")

    def beet(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "beets", *map(str, arguments)]
        variables = environment(BEETSDIR=str(home), HOME=str(tmp_path))
        done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    beet("import", "-q", "-A", music)
    assert beet("ls", "-f", "$title $genres $tagger_genre").startswith("blank Rock Rock; 0.6")
    assert "no track" not in beet("tagger", "-f", "-p")
    (file,) = (tmp_path / "library").rglob("*.flac")
    assert genre_of(file) == ["Rock"] and is_ours(read_tags(file))


# At import


def import_into(beet: Beets, folder: Path) -> None:
    beet.config["import"].set({"copy": True, "write": True, "autotag": False, "quiet": True})
    beet.run("import", "-A", folder)


def test_blanks_are_filled_at_import_where_the_files_are_then(beet: Beets, music: Path) -> None:
    make_track(music / "a.flac", title="blank", artist="A", album="One")
    make_track(music / "b.flac", title="set", artist="A", album="One", genre="Polka")
    before = contents(music)
    import_into(beet, music)
    blank, kept = beet.item("blank"), beet.item("set")
    assert genres(kept) == genre_of(kept.filepath) == ["Polka"]
    assert genres(blank) == genre_of(blank.filepath) and len(genres(blank)) == 1
    assert blank.filepath.is_relative_to(beet.lib_path) and contents(music) == before


def test_nothing_is_filled_at_import_if_told(beet: Beets, music: Path) -> None:
    beet.configure(auto=False)
    make_track(music / "a.flac", title="blank")
    import_into(beet, music)
    assert genres(beet.item("blank")) == []


def test_a_tagger_that_cannot_begin_ends_no_import(beet: Beets, music: Path) -> None:
    beet.configure(model="no-such-model")
    make_track(music / "a.flac", title="blank")
    import_into(beet, music)
    assert genres(beet.item("blank")) == []


# beet's own commands beside


def test_beet_update_takes_up_what_the_tagger_wrote_and_beet_write_puts_beets_word(
    beet: Beets, add: Add
) -> None:
    item = add("a.flac")
    set_tags(item.filepath, genre="Dub")
    file_time = item.filepath.stat().st_mtime
    item["mtime"] = file_time - 10
    item.store()
    beet.run("update")
    assert genres(item) == ["Dub"]
    item["genres"] = ["Polka"]
    item.store()
    beet.run("write")
    assert genre_of(item.filepath) == ["Polka"]


def test_what_beets_wrote_is_no_write_that_undo_takes_back(beet: Beets, add: Add) -> None:
    item = add("a.flac")
    beet.run("tagger")
    place = beet.settings["catalog"]
    told = run_tagger("undo", "--catalog", place)
    assert "nothing to undo" in told.err and genre_of(item.filepath) == ["Rock"]


def test_the_tagger_knows_what_it_filled_by_way_of_beets(beet: Beets, add: Add) -> None:
    item = add("a.flac")
    beet.run("tagger")
    place, model = beet.settings["catalog"], beet.settings["model"]
    told = run_tagger(
        "tag", item.filepath, "--catalog", place, "--model", model, "--format", "jsonl"
    )
    assert told.statuses == {"a.flac": "unchanged"}
    assert [
        one["n_ours"]
        for one in run_tagger("genres", "--catalog", place, "--format", "jsonl").records
    ] == [1]


# Beside lastgenre: the real plugin, and only what last.fm would answer is made up


_TOP_TAGS = (
    '<lfm status="ok"><toptags><tag><name>jazz</name><count>100</count></tag></toptags></lfm>'
)


@pytest.fixture
def last_fm(beet: Beets, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have both plugins in beets; say what last.fm answers from then on, "" if it is away."""
    answer = [_TOP_TAGS]

    def download(asked: pylast._Request) -> str:
        if not answer[0]:
            raise pylast.NetworkError(asked.network, OSError("unreachable"))
        return answer[0]

    monkeypatch.setattr(pylast._Request, "_download_response", download)
    beet.unload_plugins()
    beet.config["plugins"] = ["lastgenre", "tagger"]
    beets.plugins.load_plugins()
    return partial(answer.__setitem__, 0)


def album_of(beet: Beets, *items: Item) -> Album:
    """Make an album without a genre, with all that lastgenre asks by."""
    album = beet.lib.add_album(list(items))
    album["albumartist"], album["album"], album["genres"] = "A", "One", []
    album.store(inherit=False)
    return album


def test_at_import_what_lastgenre_filled_stays(
    beet: Beets, music: Path, last_fm: Callable[[str], None]
) -> None:
    last_fm(_TOP_TAGS)
    make_track(music / "a.flac", title="blank", artist="A", album="One")
    import_into(beet, music)
    item = beet.item("blank")
    assert genres(item) == ["Jazz"] and not item.get(FIELD)


def test_at_import_what_lastgenre_leaves_blank_is_filled(
    beet: Beets, music: Path, last_fm: Callable[[str], None]
) -> None:
    last_fm("")
    make_track(music / "a.flac", title="blank", artist="A", album="One")
    import_into(beet, music)
    item = beet.item("blank")
    assert genres(item) == genre_of(item.filepath) == ["Rock"]


def test_lastgenre_leaves_what_the_tagger_filled_and_the_other_way_round(
    beet: Beets, add: Add, last_fm: Callable[[str], None]
) -> None:
    last_fm(_TOP_TAGS)
    first, second = (add(f"{n}.flac", artist=n, album=n) for n in ("first", "second"))
    for item in (first, second):
        album_of(beet, item)
    beet.run("tagger", "title:=first")
    beet.run("lastgenre")
    beet.run("tagger")
    assert (genres(first), genres(second)) == (["Rock"], ["Jazz"])
    assert first[FIELD].startswith("Rock; 0.6") and not second.get(FIELD)


def test_an_album_of_several_genres_is_lastgenres_unless_it_asks_by_track(
    beet: Beets, add: Add, last_fm: Callable[[str], None]
) -> None:
    """It gives an album without a genre one, and that to all its tracks (docs/beets.md)."""
    last_fm(_TOP_TAGS)
    tracks = [add("0.flac", artist="A", genre="Polka"), add("1.flac", artist="B")]
    album = album_of(beet, *tracks)
    beet.run("tagger")
    stood = [["Polka"], ["Rock"]]
    assert [genres(item) for item in tracks] == stood
    beet.run("lastgenre", "-s", "track")
    assert [genres(item) for item in tracks] == stood
    album.load()
    album["genres"] = []
    album.store(inherit=False)
    beet.run("lastgenre", "-s", "album")
    assert [genres(item) for item in tracks] == [["Jazz"], ["Jazz"]]
    beet.run("tagger")  # what our field names stands no more, and the genre is not ours
    assert [genres(item) for item in tracks] == [["Jazz"], ["Jazz"]]


# Similar


def test_similar_names_tracks_of_the_library(
    beet: Beets, add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, name in enumerate(("one", "two", "three")):  # of one length they would be copies
        add(f"{name}.flac", 2.0 + 5 * n, artist=name)
    beet.run("tagger")
    capsys.readouterr()
    beet.run("similar", "-f", "$title", "title:=one")
    assert sorted(capsys.readouterr().out.split()) == ["three", "two"]
    beet.run("similar", "-n", "1", "-f", "$title", "title:=one")
    assert len(capsys.readouterr().out.split()) == 1


def test_similar_says_what_is_missing(beet: Beets, add: Add) -> None:
    with pytest.raises(UserError, match="name tracks by a query"):
        beet.run("similar")
    with pytest.raises(UserError, match="no track in your library"):
        beet.run("similar", "title:nothing")
    add("a.flac")
    with pytest.raises(UserError, match="no catalogue here yet"):
        beet.run("similar", "title:=a")


# What beets brings


def test_the_tree_of_lastgenre_is_a_list() -> None:
    import beetsplug

    (folder,) = [Path(one) for one in beetsplug.__path__ if (Path(one) / "lastgenre").is_dir()]
    found = load_genre_list(str(folder / "lastgenre" / "genres-tree.yaml"))
    assert len(found.allowed) > 700 and found.above("Britpop") == ("Alternative Rock", "Rock")


def test_the_plugin_is_for_this_beets() -> None:
    assert tuple(map(int, beets.__version__.split(".")[:2])) >= (2, 14)
