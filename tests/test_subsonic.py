"""Playlists on a Subsonic server: supysonic, a real one, and what other servers may answer."""

from __future__ import annotations

import hashlib
import http.server
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import waitress
from supysonic import db
from supysonic.config import DefaultConfig
from supysonic.managers.folder import FolderManager
from supysonic.managers.user import UserManager
from supysonic.scanner import Scanner
from supysonic.web import create_application

from tagger.catalog import Catalog
from tagger.config import load_settings
from tagger.errors import ConfigError, PlayerError
from tagger.players.server_playlists import send_playlist
from tagger.players.subsonic import Account, Server, account_of
from tagger.recommending.keeping import Standing
from tagger.recommending.playlist import Song
from tests.catalogs import begin, filled
from tests.library import Outcome, make_track, run_tagger
from tests.test_cli_playlist import at

PASSWORD = "pass wörd&="
Tagger = Callable[..., Outcome]


def config_of(place: Path) -> Any:
    """What supysonic is told in place of its own settings."""
    config = DefaultConfig()
    config.BASE = {**config.BASE, "database_uri": f"sqlite:///{place}/supysonic.db"}
    config.WEBAPP = {**config.WEBAPP, "cache_dir": str(place / "cache"), "mount_webui": False}
    return config


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of music that supysonic has scanned, with a catalogue and settings beside it."""
    place = tmp_path_factory.mktemp("subsonic")
    music = place / "music"
    for i in range(5):
        # An artist and a title of each, but of one that is called by its file alone.
        tags: dict[str, Any] = (
            {"title": f"At {i * 6}", "artist": f"Artist {i}", "album": "A"} if i != 3 else {}
        )
        make_track(music / f"Artist {i}" / f"{i * 6:02d}.mp3", 2.0, **tags)
    application = create_application(config_of(place))
    db.open_connection()
    UserManager.add("me", PASSWORD)
    UserManager.add("other", PASSWORD)
    FolderManager.add("music", str(music))
    scanner = Scanner()
    scanner.queue_folder("music")
    scanner.run()
    db.close_connection()
    server = waitress.create_server(application, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    config = place / "tagger" / "config.toml"
    config.parent.mkdir()
    url = f"http://127.0.0.1:{server.effective_port}"
    config.write_text(f'[subsonic]\nurl = "{url}/"\nuser = "me"\npassword_file = "{place}/pw"\n')
    (place / "pw").write_text(f"{PASSWORD}\n", encoding="utf-8")
    (place / "pw").chmod(0o600)
    filled(place / "catalog.db", *(at(i * 6, music, f"Artist {i}") for i in range(5))).close()
    yield place
    server.close()
    db.release_database()


@pytest.fixture
def server(place: Path) -> Iterator[Server]:
    """The server; playlists are gone at the end."""
    settings, _ = load_settings({}, environment={}, file=place / "tagger" / "config.toml")
    server = Server(account_of(settings.subsonic, {}))
    yield server
    for one in playlists(server):
        server.ask("deletePlaylist", id=one["id"])


@pytest.fixture
def playlist(place: Path) -> Tagger:
    def call(*arguments: str | Path, **variables: str) -> Outcome:
        known = {"XDG_CONFIG_HOME": str(place), "TAGGER_CATALOG": str(place / "catalog.db")}
        return run_tagger("playlist", *arguments, **known, **variables)

    return call


def playlists(server: Server) -> list[Any]:
    return list(server.ask("getPlaylists")["playlists"].get("playlist", []))


def titles(server: Server, name: str) -> list[str]:
    (found,) = [one for one in playlists(server) if one["name"] == name]
    whole = server.ask("getPlaylist", id=found["id"])["playlist"]
    return [one["title"] for one in whole.get("entry", [])]


def seed(place: Path) -> Path:
    return place / "music" / "Artist 0" / "00.mp3"


def songs(place: Path, *numbers: int) -> list[Song]:
    named = {i: f"At {i * 6}" if i != 3 else "" for i in numbers}
    return [
        Song(place / "music" / f"Artist {i}" / f"{i * 6:02d}.mp3", title=title)
        for i, title in named.items()
    ]


def one_song(server: Server) -> str:
    (hit,) = server.ask("search3", query="At 24")["searchResult3"]["song"]
    return str(hit["id"])


# A real server


def test_a_playlist_is_made_on_the_server_and_made_anew(
    place: Path, playlist: Tagger, server: Server
) -> None:
    asked = ("--like", seed(place), "-n", "2", "--subsonic", "Morgens – früh")
    outcome = playlist(*asked, "--save", "morning")
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    assert outcome.err == "2 tracks in Morgens – früh on the server\n"
    assert titles(server, "Morgens – früh") == ["At 6", "At 12"]
    assert playlist("--refresh").out.startswith("unchanged  morning  2 tracks in Morgens")
    saved = place / "tagger" / "playlists.toml"
    saved.write_text(saved.read_text().replace("n = 2", "n = 3"))
    assert playlist("--refresh", "--dry-run").out.startswith("planned")
    assert titles(server, "Morgens – früh") == ["At 6", "At 12"]
    assert playlist("--refresh").out.startswith("written")
    assert titles(server, "Morgens – früh") == ["At 6", "At 12", "18.mp3"]
    assert len(playlists(server)) == 1
    saved.unlink()


def test_a_playlist_that_somebody_changed_or_made_there_is_kept(
    place: Path, server: Server, playlist: Tagger
) -> None:
    assert send_playlist(server, "mine", songs(place, 1, 2)).standing is Standing.FREE
    (mine,) = playlists(server)
    server.ask("updatePlaylist", playlistId=mine["id"], songIndexToRemove=0)
    assert send_playlist(server, "mine", songs(place, 2)).standing is Standing.CHANGED
    assert send_playlist(server, "mine", songs(place, 3)).standing is Standing.CHANGED
    assert titles(server, "mine") == ["At 12"]
    server.ask("createPlaylist", name="theirs", songId=one_song(server))
    assert send_playlist(server, "theirs", songs(place, 3)).standing is Standing.THEIRS
    assert titles(server, "theirs") == ["At 24"]
    asked = ("--like", seed(place), "-n", "2", "--subsonic", "theirs")
    outcome = playlist(*asked)
    assert outcome.code == 2
    assert "theirs is left as it is: the tagger did not write it; --force" in outcome.err
    assert playlist(*asked, "--force").code == 0
    assert titles(server, "theirs") == ["At 6", "At 12"]


def test_another_persons_playlist_of_that_name_is_not_touched(place: Path, server: Server) -> None:
    other = Server(replace(server._account, user="other"))
    made = other.ask("createPlaylist", name="ours", songId=one_song(server))
    assert made["status"] == "ok"
    (theirs,) = playlists(other)
    other.ask("updatePlaylist", playlistId=theirs["id"], public="true")
    assert send_playlist(server, "ours", songs(place, 1)).standing is Standing.FREE
    assert playlists(other)[0]["songCount"] == 1
    other.ask("deletePlaylist", id=theirs["id"])


def test_another_persons_playlist_is_not_touched_where_the_server_shows_it_by_our_name(
    place: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = server.ask, list[str]()

    def ask(method: str, **parameters: Any) -> Any:
        asked.append(method)
        if method == "getPlaylists":
            theirs = {"id": "7", "name": "ours", "owner": "other"}
            return {"playlists": {"playlist": [theirs]}}
        return real(method, **parameters)

    monkeypatch.setattr(server, "ask", ask)
    sent = send_playlist(server, "ours", songs(place, 1), dry_run=True)
    assert sent.standing is Standing.FREE
    assert "getPlaylist" not in asked


def test_songs_are_found_by_path_or_else_by_tags(place: Path, server: Server) -> None:
    by_tags = Song(Path("/elsewhere/x.flac"), "artist 2", "at 12", "a", 3.0)
    too_long = replace(by_tags, duration_s=300.0)
    by_name = Song(place / "music" / "Artist 3" / "18.mp3")
    sent = send_playlist(server, "found", [by_tags, by_name, too_long, Song("http://radio/")])
    assert (sent.n_songs, sent.unknown) == (2, (too_long, Song("http://radio/")))
    assert titles(server, "found") == ["At 12", "18.mp3"]


def test_where_the_server_knows_no_song_nothing_is_made(server: Server) -> None:
    with pytest.raises(PlayerError, match="knows none of its songs"):
        send_playlist(server, "empty", [Song(Path("/no/such song.mp3"), "Nobody", "Nothing")])
    assert playlists(server) == []


def test_songs_that_the_server_does_not_know_are_said(
    place: Path, playlist: Tagger, server: Server
) -> None:
    with Catalog.open(place / "catalog.db") as catalog:
        catalog.record(begin(catalog), [at(-9, place / "music", "New one")])
    outcome = playlist("--like", seed(place), "-n", "3", "--subsonic", "x")
    assert outcome.code == 0
    assert "2 tracks in x on the server; 1 it does not know (New one - At -9)" in outcome.err
    assert len(titles(server, "x")) == 2


def test_several_playlists_of_one_name_are_left_alone(place: Path, server: Server) -> None:
    for _ in range(2):
        server.ask("createPlaylist", name="twice", songId=one_song(server))
    with pytest.raises(PlayerError, match="several playlists called twice"):
        send_playlist(server, "twice", songs(place, 1))


def test_a_wrong_password_is_told_and_never_shown(
    place: Path, playlist: Tagger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = ("--like", seed(place), "--subsonic", "x", "--verbose")
    outcome = playlist(*asked, TAGGER_SUBSONIC_PASSWORD="very secret")
    assert outcome.code == 2
    assert "Wrong username or password" in outcome.err
    for text in (outcome.err, caplog.text):
        assert "very secret" not in text
        assert b"very secret".hex() not in text


# What servers may answer


class _Fake(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.heard.append({name: values[0] for name, values in asked.items()})  # type: ignore[attr-defined]
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def fake(body: bytes | dict[str, Any], status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Fake) as server:
        data = body if isinstance(body, bytes) else json.dumps({"subsonic-response": body}).encode()
        server.heard, server.answer = [], (status, data)  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", server.heard  # type: ignore[attr-defined]
        server.shutdown()


def test_a_token_proves_who_we_are_and_another_one_each_time() -> None:
    with fake({"status": "ok"}) as (url, heard):
        server = Server(Account(url, "me", PASSWORD))
        server.ask("ping")
        server.ask("ping")
    for one in heard:
        token = hashlib.md5((PASSWORD + one["s"]).encode(), usedforsecurity=False).hexdigest()
        assert (one["u"], one["t"]) == ("me", token)
        assert "p" not in one
    assert heard[0]["s"] != heard[1]["s"]


@pytest.mark.parametrize("code", [10, 41])
def test_the_password_itself_is_sent_only_where_tokens_are_unknown_and_nobody_listens(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = {"status": "failed", "error": {"code": code, "message": "no"}}
    with fake(refusal) as (url, heard), pytest.raises(PlayerError, match="says: no"):
        Server(Account(url, "me", PASSWORD)).ask("ping")
    assert [one.get("p") for one in heard] == [None, "enc:" + PASSWORD.encode().hex()]
    monkeypatch.setattr(Server, "_asked", lambda *_: refusal)
    with pytest.raises(PlayerError, match="use https"):
        Server(Account("http://nas.example", "me", PASSWORD)).ask("ping")
    with pytest.raises(PlayerError, match="says: no"):
        Server(Account("https://nas.example", "me", PASSWORD)).ask("ping")


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"<html>Log in\x1b[2J", 200, "is no Subsonic server: it answers '<html>Log in"),
        (b"", 200, "is no Subsonic server"),
        (b"", 502, "it answers with 502"),
        (b"not here", 404, "is no Subsonic server: it answers 'not here'"),
        (b"[" * 100_000, 200, "is no Subsonic server"),
        (b'{"subsonic-response": 3}', 200, "its answer has another form"),
        (b'{"subsonic-response": {"error": 3}}', 200, "its answer has another form"),
        (b'{"subsonic-response": {}}', 200, "says: error ?"),
    ],
)
def test_what_is_no_answer_of_such_a_server_is_told(body: bytes, status: int, told: str) -> None:
    with fake(body, status) as (url, _), pytest.raises(PlayerError) as caught:
        Server(Account(url, "me", PASSWORD)).ask("ping")
    assert told in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_server_that_is_away_is_told_and_keeps_no_other_playlist(
    place: Path, tmp_path: Path
) -> None:
    with fake({}) as (url, _):
        pass  # it has gone again
    config = tmp_path / "tagger" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        f'[subsonic]\nurl = "{url}"\nuser = "me"\n'
        f'[playlist.a]\ngenre = "Rock"\nsubsonic = "A"\noutput = "{tmp_path}/a.m3u8"\n'
        f'[playlist.b]\ngenre = "Rock"\noutput = "{tmp_path}/b.m3u8"\n'
    )
    asked = ("playlist", "--refresh", "--catalog", place / "catalog.db")
    known = {"XDG_CONFIG_HOME": str(tmp_path), "TAGGER_SUBSONIC_PASSWORD": "x"}
    outcome = run_tagger(*asked, **known)
    assert outcome.code == 1
    assert [line.split()[0] for line in outcome.out.splitlines()] == [
        "written",
        "failed",
        "written",
    ]
    assert "does not answer: Connection refused" in outcome.out


# Where the account stands


@pytest.mark.parametrize(
    "text",
    [
        "subsonic = 'http://nas'",
        "[subsonic]\nurl = 'http://nas'",
        "[subsonic]\nurl = 'ftp://nas'\nuser = 'me'",
        "[subsonic]\nurl = 'http://me:pw@nas'\nuser = 'me'",
        "[subsonic]\nurl = 'http://nas'\nuser = 'me'\npassword = 'pw'",
        "[subsonic]\nurl = 'http://nas'\nuser = 'me'\nport = 1",
        "[subsonic]\nurl = 'http://nas'\nuser = 'me'\nusers = 'pw'",
    ],
)
def test_an_account_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings({}, environment={}, file=file)
    assert str(file) in str(caught.value)


def test_a_password_is_in_the_environment_or_in_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account = {"url": "http://nas/", "user": "me"}
    assert account_of(account, {"TAGGER_SUBSONIC_PASSWORD": "a"}).password == "a"
    with pytest.raises(PlayerError, match="there is no password"):
        account_of(account, {})
    with pytest.raises(PlayerError, match="name the server"):
        account_of({}, {})
    file = tmp_path / "password"
    in_file = {**account, "password_file": str(file)}
    with pytest.raises(PlayerError, match="cannot be read"):
        account_of(in_file, {})
    file.write_bytes(b"p w\r\nsecond line")
    file.chmod(0o644)
    found = account_of(in_file, {})
    assert (found.url, found.password) == ("http://nas", "p w")
    assert "p w" not in repr(found)
    assert "others can read this password" in caplog.text
    file.write_bytes(b"\xff")
    with pytest.raises(PlayerError, match="no text"):
        account_of(in_file, {})


def test_the_password_is_no_unknown_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_settings({}, environment={"TAGGER_SUBSONIC_PASSWORD": "x"}, file=tmp_path / "none")
    assert caplog.text == ""
