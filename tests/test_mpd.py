"""``tagger similar --mpd``, against an MPD of our own that says what a real one would.

tests/players does the same with the real one.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tagger.catalog import Reader
from tagger.players.mpd import address_of, music_folder
from tests.catalogs import filled
from tests.library import Outcome, run_tagger
from tests.test_cli_playlist import at

Tagger = Callable[..., Outcome]
NOTHING = {"currentsong": "OK"}


class FakeMpd(socketserver.ThreadingTCPServer):
    """Answers as it is told; a command that it was not told of is obeyed in silence.

    Args:
        answers: {command: answer}, by the first word.
        hello: What it greets with.
    """

    daemon_threads = True

    def __init__(self, answers: dict[str, str], hello: str = "OK MPD 0.23.5") -> None:
        self.answers, self.hello, self.heard = answers, hello, list[str]()
        super().__init__(("127.0.0.1", 0), _Talk)

    @property
    def variables(self) -> dict[str, str]:
        """What leads a client here."""
        return {"MPD_HOST": "127.0.0.1", "MPD_PORT": str(self.server_address[1])}


class _Talk(socketserver.StreamRequestHandler):
    server: FakeMpd

    def handle(self) -> None:
        self.wfile.write(f"{self.server.hello}\n".encode())
        for line in self.rfile:
            command = line.decode().rstrip("\n")
            self.server.heard.append(command)
            answer = self.server.answers.get(command.split(maxsplit=1)[0], "OK")
            if answer == "hang up":
                return
            self.wfile.write(answer.encode("utf-8", "surrogateescape") + b"\n")


@contextmanager
def fake(answers: dict[str, str], hello: str = "OK MPD 0.23.5") -> Iterator[FakeMpd]:
    with FakeMpd(answers, hello) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mpd")
    tracks = [at(i * 6, place / "music" / "all", f"Artist {i}") for i in range(6)]
    odd = at(40, place / "music" / "all", "two\nlines")
    outside = at(3, place / "elsewhere", "Outside")
    filled(place / "catalog.db", *tracks, odd, outside).close()
    return place


@pytest.fixture
def similar(place: Path) -> Tagger:
    def call(server: FakeMpd, *arguments: str) -> Outcome:
        asked = ("similar", "--mpd", "--catalog", place / "catalog.db")
        return run_tagger(*asked, *arguments, **server.variables)

    return call


def song(i: int) -> str:
    return f"all/Artist {i}/{i * 6:02d}.mp3"


def playing(i: int = 0, *queued: int) -> dict[str, str]:
    """An MPD that plays a song and has others in its queue, and keeps its folder for itself."""
    queue = "".join(f"file: {song(j)}\n" for j in (i, *queued))
    return {
        "currentsong": f"file: {song(i)}\nTitle: x\nOK",
        "playlistinfo": f"{queue}OK",
        "config": "ACK [4@0] {config} Command only permitted to local clients",
    }


def added(server: FakeMpd) -> list[str]:
    return [line for line in server.heard if line.startswith("add ")]


def test_what_goes_with_the_song_that_plays_is_queued(place: Path, similar: Tagger) -> None:
    with fake(playing()) as server:
        outcome = similar(server, "-n", "2")
    assert outcome.code == 0
    assert added(server) == [f'add "{song(1)}"', f'add "{song(2)}"']
    assert outcome.out.count("\n") == 2
    where = place / "music" / song(0)
    assert outcome.err == f"queued 2 tracks to go with {where}\n"


def test_what_is_queued_already_is_not_queued_again(similar: Tagger) -> None:
    with fake(playing(0, 1, 3)) as server:
        similar(server, "-n", "2")
    assert added(server) == [f'add "{song(2)}"', f'add "{song(4)}"']


def test_a_dry_run_queues_nothing(similar: Tagger) -> None:
    with fake(playing()) as server:
        outcome = similar(server, "-n", "1", "--dry-run")
    assert added(server) == []
    assert outcome.err.startswith("would queue 1 track to go with")
    assert run_tagger("similar", "a.mp3", "--dry-run").code == 2


def test_names_that_would_be_commands_are_not_sent(similar: Tagger) -> None:
    with fake(playing()) as server:
        outcome = similar(server, "-n", "20")
    assert len(added(server)) == 5
    assert outcome.err.startswith("queued 5 tracks")


def test_what_mpd_does_not_know_is_named_and_ends_with_1(similar: Tagger) -> None:
    unknown = {**playing(), "add": "ACK [50@0] {add} No such directory"}
    with fake(unknown) as server:
        outcome = similar(server, "-n", "1")
    assert outcome.code == 1
    assert f"MPD does not know {song(1)}; have it look: mpc update" in outcome.err


def test_a_full_queue_is_an_error(similar: Tagger) -> None:
    with fake({**playing(), "add": "ACK [51@0] {add} playlist is at its max size"}) as server:
        outcome = similar(server)
    assert outcome.code == 2
    assert "playlist is at its max size" in outcome.err


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (NOTHING, "plays nothing; start a song there first"),
        ({"currentsong": "file: http://radio/\nOK"}, "is no file of its music folder"),
        ({"currentsong": "file: /tmp/a.mp3\nOK"}, "is no file of its music folder"),
        ({**playing(), "currentsong": "file: a/b.mp3\nOK"}, "is not in the catalogue: a/b.mp3"),
        ({"currentsong": "hang up"}, "cannot be understood: Connection lost"),
        ({"currentsong": "noise"}, "cannot be understood"),
        ({"currentsong": "file: caf\udce9\nOK"}, "cannot be understood"),
        ({"currentsong": "ACK [4@0] {currentsong} you don't have permission"}, "permission"),
    ],
)
def test_what_cannot_be_answered_ends_with_2_and_says_why(
    similar: Tagger, answers: dict[str, str], told: str
) -> None:
    with fake(answers) as server:
        outcome = similar(server)
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err


def test_a_server_that_is_no_mpd_or_away_is_told(similar: Tagger) -> None:
    with fake({}, hello="220 smtp ready") as server:
        outcome = similar(server)
    assert outcome.code == 2
    assert "cannot be understood" in outcome.err
    outcome = similar(server)  # it has gone by now
    assert outcome.code == 2
    assert "does not answer: Connection refused" in outcome.err


def test_a_password_is_sent_and_never_told(place: Path) -> None:
    wrong = {"password": "ACK [3@0] {password} incorrect password"}
    with fake(wrong) as server:
        variables = {**server.variables, "MPD_HOST": "secret@127.0.0.1"}
        asked = ("similar", "--mpd", "--catalog", place / "catalog.db", "--verbose")
        outcome = run_tagger(*asked, **variables)
    assert server.heard[0] == 'password "secret"'
    assert outcome.code == 2
    assert "incorrect password" in outcome.err
    assert "secret" not in outcome.err


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "localhost:6600"),
        ({"MPD_HOST": "nas"}, "nas:6600"),
        ({"MPD_HOST": "nas", "MPD_PORT": "1"}, "nas:1"),
        ({"MPD_HOST": "p@ss@nas"}, "ss@nas:6600"),  # as libmpdclient: the first @ counts
        ({"MPD_HOST": "p@/run/s"}, "/run/s"),
        ({"MPD_HOST": "p@@s"}, "@s"),
        ({"MPD_HOST": "@s"}, "@s"),
    ],
)
def test_mpd_is_where_mpc_looks_for_it(
    variables: dict[str, str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.players.mpd._SOCKET", tmp_path / "none")
    assert str(address_of(variables)) == address


def test_a_socket_that_is_there_comes_before_localhost(tmp_path: Path) -> None:
    socket = tmp_path / "mpd" / "socket"
    socket.parent.mkdir()
    socket.touch()
    variables = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert address_of(variables).host == str(socket)
    assert address_of({**variables, "MPD_PORT": "6601"}).host == "localhost"


def test_a_port_that_is_no_number_is_refused(place: Path) -> None:
    asked = ("similar", "--mpd", "--catalog", place / "catalog.db")
    assert run_tagger(*asked, MPD_PORT="first").code == 2


def test_of_several_folders_the_one_that_is_set_counts(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    filled(tmp_path / "c.db", at(0, one, "A"), at(10, one, "B"), at(0, other, "A")).close()
    answers = {
        "currentsong": "file: A/00.mp3\nOK",
        "config": "ACK [4@0] {config} Command only permitted to local clients",
    }
    with fake(answers) as server:
        asked = ("similar", "--mpd", "--catalog", tmp_path / "c.db")
        outcome = run_tagger(*asked, **server.variables)
        assert outcome.code == 2
        assert "several folders have it" in outcome.err
        assert run_tagger(*asked, **server.variables, TAGGER_MPD_MUSIC=str(one)).code == 0
    assert added(server) == ['add "B/10.mp3"']


def test_the_folder_is_what_mpd_says_where_the_catalogue_knows_it_so(place: Path) -> None:
    with Reader.open(place / "catalog.db") as reader:
        music = place / "music"
        assert music_folder(reader, song(0), music) == music
        assert music_folder(reader, song(0), Path("/srv/music")) == music
        assert music_folder(reader, song(0).removeprefix("all/"), None) == music / "all"


def test_a_newer_mpd_that_tells_its_folder_by_name_is_understood(
    place: Path, similar: Tagger
) -> None:
    told = {**playing(), "config": f"music_directory: {place}/music\nOK"}
    with fake(told) as server:
        assert similar(server, "-n", "1").code == 0
    assert len(added(server)) == 1
