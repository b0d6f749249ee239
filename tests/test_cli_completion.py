"""What a shell completes, and help that is asked for in words."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from tagger.cli import cli
from tagger.records import TagsFound
from tests.catalogs import entry, filled
from tests.library import run_tagger


def offered(*line: str | Path) -> list[str]:
    """What is offered for the last word of a line; files are the shell's own business."""
    *words, begun = (str(word) for word in line)
    found = ShellComplete(cli, {}, "tagger", "_TAGGER_COMPLETE").get_completions(words, begun)
    return [item.value for item in found if item.type == "plain"]


@pytest.fixture
def shelf(place: Path) -> Path:
    """A catalogue with two genres, one of which no line should hold."""
    rock, jazz, odd = ("Rock",), ("Jazz",), ("Ro\x1b[2J",)
    genres = (rock, jazz, jazz, odd)
    tracks = (entry(f"{n}.mp3", n, tags=TagsFound(g)) for n, g in enumerate(genres))
    with filled(place, *tracks):
        return place


def test_commands_and_options_are_completed() -> None:
    assert "doubtful" in offered("do")
    assert offered("catalog", "pr") == ["prune"]
    assert "--min-confidence" in offered("tag", "--min")


def test_genres_of_the_catalogue_are_completed_the_most_frequent_first(shelf: Path) -> None:
    for command in ("list", "similar", "playlist", "undo"):
        assert offered(command, "--catalog", shelf, "--genre", "") == ["Jazz", "Rock"]
        assert offered(command, "--catalog", shelf, "--genre", "rO") == ["Rock"]


def test_runs_are_completed(shelf: Path) -> None:
    assert offered("undo", "--catalog", shelf, "") == ["1"]
    assert offered("undo", "--catalog", shelf, "2") == []


def test_models_are_completed(shelf: Path) -> None:
    assert {"default", "fast", "both"} <= set(offered("tag", "--catalog", shelf, "--model", ""))
    assert offered("tag", "--model", "fa") == ["fast"]


@pytest.mark.parametrize("what", ["absent", "no catalogue"])
def test_nothing_is_offered_where_no_catalogue_can_be_read(tmp_path: Path, what: str) -> None:
    place = tmp_path / "c.db"
    if what == "no catalogue":
        place.write_bytes(b"a song")
    assert offered("list", "--catalog", place, "--genre", "") == []
    assert offered("undo", "--catalog", place, "") == []
    assert place.exists() == (what == "no catalogue")


def test_bash_takes_the_script() -> None:
    bash = shutil.which("bash")
    assert bash, "the suite itself is started by one"
    script = run_tagger("completion", "bash").out
    checked = subprocess.run([bash, "-n"], input=script, text=True, capture_output=True, check=True)
    assert checked.stderr == ""
    for shell in ("zsh", "fish"):
        assert "_TAGGER_COMPLETE" in run_tagger("completion", shell).out
    assert run_tagger("completion", "cmd.exe").code == 2


@pytest.mark.parametrize("words", [(), ("tag",), ("catalog",), ("catalog", "prune")])
def test_help_in_words_is_the_same_as_the_option(words: tuple[str, ...]) -> None:
    asked = run_tagger("help", *words)
    assert (asked.code, asked.err) == (0, "")
    assert asked.out.splitlines()[1:] == run_tagger(*words, "--help").out.splitlines()[1:]


@pytest.mark.parametrize("words", [("tga",), ("tag", "x"), ("catalog", "prun")])
def test_help_about_what_there_is_not_is_a_wrong_use(words: tuple[str, ...]) -> None:
    asked = run_tagger("help", *words)
    assert (asked.code, asked.out) == (2, "")
