"""``[after]``: a command of the owner's, run when files have changed, and only then."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.catalog import Action, Catalog, GivenAnswer
from tagger.cli import review
from tagger.config import load_settings
from tagger.errors import ConfigError
from tagger.players.after import run_after
from tests.catalogs import filled
from tests.library import Outcome, genre_of, make_track, make_tracks, run_tagger, until
from tests.test_cli_playlist import at

Tagger = Callable[..., Outcome]


def script(place: Path, text: str) -> list[str]:
    """A program in Python, and the words that start it."""
    file = place / "after it.py"
    file.write_text(text, encoding="utf-8")
    return [sys.executable, str(file)]


def noting(place: Path) -> list[str]:
    """A program that notes each call, with its words."""
    return script(
        place,
        "import json, sys\n"
        f"with open({str(place / 'calls')!r}, 'a') as file:\n"
        "    print(json.dumps(sys.argv[1:]), file=file)\n"
        "print('what it prints')\n",
    )


def calls(place: Path) -> list[list[str]]:
    file = place / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def configure(place: Path, command: object, more: str = "") -> dict[str, str]:
    config = place / "config" / "tagger" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f"{more}\n[after]\ncommand = {json.dumps(command)}\n", encoding="utf-8")
    return {"XDG_CONFIG_HOME": str(place / "config")}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


# The command itself


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("mpc update", ("mpc", "update")),
        ("say 'a b' \"c\" d\\ e", ("say", "a b", "c", "d e")),
        ("say $HOME `id` *; rm -r / | x > y", None),
        (["say", "a b", "$HOME"], ("say", "a b", "$HOME")),
    ],
)
def test_the_words_are_parted_as_by_a_shell_and_mean_nothing_else(
    tmp_path: Path, command: object, words: tuple[str, ...] | None
) -> None:
    variables = configure(tmp_path, command)
    file = Path(variables["XDG_CONFIG_HOME"]) / "tagger" / "config.toml"
    settings, _ = load_settings({}, environment={}, file=file)
    if words is None:
        assert isinstance(command, str)
        words = tuple(command.split())
    assert settings.after == {"command": words, "timeout": 60.0}


@pytest.mark.parametrize(
    "text",
    [
        "after = 'mpc update'",
        "[after]\ncommand = 'it is not \"closed'",
        "[after]\ncommand = 3",
        "[after]\ncommand = ['a', 3]",
        "[after]\ncommand = 'a'\ntimeout = 0",
        "[after]\ncommand = 'a'\ntimeout = 'soon'",
        "[after]\ncomand = 'a'",
        '[after]\ncommand = "a\\u0000"',
    ],
)
def test_a_command_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings({}, environment={}, file=file)
    assert str(file) in str(caught.value)


def test_a_command_that_ends_well_says_nothing(place: Path) -> None:
    words = [*noting(place), "a b", "$HOME", "*"]
    assert run_after({"command": words}) == ""
    assert calls(place) == [["a b", "$HOME", "*"]]
    assert run_after({}) == ""
    assert run_after({"command": ()}) == ""


def test_how_a_command_failed_is_told_with_the_end_of_what_it_printed(place: Path) -> None:
    text = "print('x' * 9000); print('no\\x1b[2J daemon', flush=True); raise SystemExit(3)"
    told = run_after({"command": script(place, text)})
    assert f"after: {sys.executable} ended with 3\n" in told
    assert told.endswith("\n  no\\x1b[2J daemon")
    assert len(told) < 2500
    text = "import os; os.kill(os.getpid(), 9)"
    assert "was killed by signal 9" in run_after({"command": script(place, text)})


@pytest.mark.parametrize("program", ["/no/such/program", "/etc/passwd", "/"])
def test_a_program_that_cannot_be_started_is_named(program: str) -> None:
    assert run_after({"command": [program]}).startswith(f"after: {program}: ")


def test_a_command_that_hangs_is_ended_with_all_that_it_started(place: Path) -> None:
    text = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(place / 'child')!r}, 'w').write(str(child.pid))\n"
        "child.wait()\n"
    )
    # The time must be enough for two interpreters to start, on a machine that has much to do.
    told = run_after({"command": script(place, text), "timeout": 10.0})
    assert "took more than 10 s and was ended" in told
    child = Path("/proc", (place / "child").read_text(), "stat")
    until(lambda: not child.exists() or child.read_text().split()[2] == "Z")


def test_a_server_that_it_leaves_behind_is_not_waited_for(place: Path) -> None:
    text = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(place / 'child')!r}, 'w').write(str(child.pid))\n"
    )
    assert run_after({"command": script(place, text), "timeout": 300.0}) == ""
    left = int((place / "child").read_text())
    assert Path("/proc", str(left), "stat").read_text().split()[2] != "Z"
    os.kill(left, signal.SIGKILL)


def test_it_reads_nothing_of_our_input(place: Path) -> None:
    text = "import sys; raise SystemExit(len(sys.stdin.read()))"
    assert run_after({"command": script(place, text)}) == ""


# When it is run


@pytest.mark.usefixtures("in_process")
def test_it_is_run_after_a_run_that_wrote_and_after_its_undo(
    place: Path, model: Path, music: Path
) -> None:
    make_tracks(music, 2)
    variables = configure(place, noting(place))
    common = ("--catalog", place / "catalog.db")
    tag = ("tag", music, *common, "--model", model, "--format", "jsonl")
    assert run_tagger(*tag, "--dry-run", **variables).code == 0
    assert run_tagger(*tag, "--no-write", **variables).code == 0
    assert calls(place) == []
    outcome = run_tagger(*tag, **variables)
    assert (outcome.code, len(outcome.records)) == (0, 2)  # nothing else on stdout
    assert len(calls(place)) == 1
    run_tagger(*tag, **variables)  # nothing is new
    run_tagger("undo", *common, "--dry-run", **variables)
    assert len(calls(place)) == 1
    assert run_tagger("undo", *common, **variables).code == 0
    assert len(calls(place)) == 2


@pytest.mark.usefixtures("in_process")
def test_it_is_run_after_genres_were_renamed(place: Path, model: Path) -> None:
    make_track(place / "music" / "0.flac", genre="Rap")
    (place / "genres.toml").write_text('[aliases]\nRap = "Hip-Hop"\n', encoding="utf-8")
    common = ("--catalog", place / "catalog.db")
    assert run_tagger("tag", place / "music", *common, "--model", model).code == 0
    variables = configure(place, noting(place))
    asked = ("genres", "--apply", "--genre-list", place / "genres.toml", *common)
    assert run_tagger(*asked, "--dry-run", **variables).code == 0
    assert calls(place) == []
    assert run_tagger(*asked, **variables).code == 0
    assert run_tagger(*asked, **variables).code == 0  # nothing is left to rename
    assert len(calls(place)) == 1


@pytest.mark.usefixtures("in_process")
def test_it_is_run_once_when_a_review_ends_that_wrote_or_took_back(
    place: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = make_track(place / "music" / "0.flac")
    common = ("--catalog", place / "catalog.db")
    tagged = run_tagger("tag", "--no-write", place / "music", *common, "--model", model)
    assert tagged.code == 0
    variables = configure(place, noting(place))
    monkeypatch.setattr(review, "serve", lambda *_: None)  # nobody comes to the page

    def reviewed() -> int:
        outcome = run_tagger("review", "--no-browser", *common, "--model", model, **variables)
        assert outcome.code == 0, outcome.err
        return len(calls(place))

    def answered(action: Action, *genres: str) -> int:
        with Catalog.open(place / "catalog.db") as catalog:
            files = tuple(one.named for one in catalog.unanswered())
            run_id = catalog.begin_run("review", None)
            return catalog.give_answer(run_id, GivenAnswer(action, "", genres, files)).answer_id

    assert reviewed() == 0  # nothing was answered
    said = answered(Action.NEVER)
    with Catalog.open(place / "catalog.db") as catalog:
        catalog.withdraw_answers(said)
    assert reviewed() == 0  # no file tells of that
    given = answered(Action.GENRES, "Dub")
    assert (reviewed(), genre_of(track)) == (1, ["Dub"])
    assert reviewed() == 1
    with Catalog.open(place / "catalog.db") as catalog:
        catalog.withdraw_answers(given)
    assert (reviewed(), genre_of(track)) == (2, [])


@pytest.mark.usefixtures("in_process")
def test_where_it_fails_that_is_told_and_the_run_ends_with_1(
    place: Path, model: Path, music: Path
) -> None:
    make_tracks(music, 1)
    variables = configure(place, script(place, "raise SystemExit(7)"))
    asked = ("tag", music, "--catalog", place / "catalog.db", "--model", model, "--quiet")
    outcome = run_tagger(*asked, **variables)
    assert outcome.code == 1
    assert "ended with 7" in outcome.err


def test_it_is_run_after_a_refresh_that_wrote(place: Path) -> None:
    filled(place / "catalog.db", *(at(i * 6, place, f"Artist {i}") for i in range(3))).close()
    table = f'[playlist.a]\ngenre = "Rock"\noutput = "{place}/a.m3u8"\n'
    variables = configure(place, noting(place), table)
    asked = ("playlist", "--refresh", "--catalog", place / "catalog.db")
    assert run_tagger(*asked, "--dry-run", **variables).code == 0
    assert calls(place) == []
    assert run_tagger(*asked, **variables).code == 0
    assert run_tagger(*asked, **variables).code == 0
    assert len(calls(place)) == 1
