"""Every command line in the README and in docs/ does what it says, or at least can be called so.

Lines of code blocks run in a folder of their own, on a small library that the tagger has heard;
each block begins with the same one. What is too big to run here stands in ``PARSED`` or
``NOT_RUN``, with the reason: of the former the options are tried, of the latter nothing.
"""

import configparser
import os
import plistlib
import re
import runpy
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest import mock

import click
import pytest

from tagger.cli import cli
from tagger.config import load_settings
from tagger.genre_list.reading import load_genre_list
from tests.library import Outcome, make_model, make_track, map_in_process, run_tagger
from tests.onnx_files import make_onnx
from tools.reference.pages import ROOT

PAGES = sorted(
    path
    for pattern in ("README.md", "CONTRIBUTING.md", "benchmarks/*.md", "docs/**/*.md")
    for path in ROOT.glob(pattern)
)
PARSED = {
    "tagger watch": "it goes on until it is ended; tests/test_watch.py runs it",
    "tagger review": "it serves a page until it is ended; tests/browser runs it",
    "tagger service": "it needs systemd; tests/test_services.py stands in for it",
    "tagger learn": "it wants 40 tagged tracks that sound different; tests/test_learn.py has them",
    "--catalog postgresql://": "it needs a server; tests/test_catalog_postgresql.py starts one",
    "--mpd": "it needs a player; tests/test_mpd.py has one",
    "catalog relocate": "it wants a library that was moved; tests/test_relocate.py moves one",
    "--scheduler": "it needs a cluster; tests/test_cluster.py starts one",
    "python -m": "it trains, measures or tests for minutes",
    "make": "it installs, trains or runs all tests; tests/test_makefile.py has its targets",
}
NOT_RUN = {
    "pip": "it installs from the network",
    "pipx": "it installs from the network",
    "datasette": "it serves until it is ended; tests/test_datasette.py starts it",
    "beet": "beets is not installed here; tests/test_beets.py has its plugin",
    "dask": "it is a program of another project, and goes on until it is ended",
}
SHELL, SHOWN = ("sh",), ("text", "")
LANGUAGES = {*SHELL, *SHOWN, "sql", "toml", "ini", "xml", "python", "yaml"}  # YAML is beets' own


class Block:
    """A block of code in a page."""

    def __init__(self, page: Path, language: str, text: str, line: int) -> None:
        self.language, self.text = language, text
        self.name = f"{page.relative_to(ROOT)}:{line}"

    @property
    def lines(self) -> list[str]:
        """Commands, each with the lines that belong to it."""
        found = re.findall(r"[^\n]*<<'EOF'\n.*?^EOF$|[^\n]+", self.text, re.M | re.S)
        return [line for line in found if not line.startswith("#")]


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.M | re.S):
        indent, language, code = found.groups()
        number = text[: found.start()].count("\n") + 1
        yield Block(page, language, re.sub(rf"(?m)^{indent}", "", code), number)


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks_in(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def sessions() -> list[Block]:
    """Blocks that show what a terminal showed: calls behind a dollar, and what came of them."""
    return [block for block in blocks_in(*SHOWN) if re.search(r"^\$ ", block.text, re.M)]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small library that was tagged, and what the pages take for granted."""
    folder = tmp_path_factory.mktemp("docs")
    home = folder / "home"
    music = home / "Music"
    for n, name in enumerate(
        ["a/song.mp3", "b/other.mp3", "song.mp3", "Live/1.flac", "Jazz/1.flac"]
    ):
        make_track(music / name, 4.0 + n / 4, title=f"Song {n}", artist=f"Artist {n}")
    make_track(music / "Rock" / "theirs.flac", 7.5, genre="Electronic", artist="Nobody")
    make_track(music / "Rock" / "mine.flac", 6.0, genre="Jazz", artist="Somebody", date="1955")
    data = home / ".local" / "share" / "tagger"
    (data / "models").mkdir(parents=True)
    for place in (".local/bin", ".config/fish/completions", "here"):
        (home / place).mkdir(parents=True)
    (home / ".config" / "tagger").mkdir()
    (home / ".config" / "tagger" / "genres.toml").write_text('[aliases]\nRap = "Hip-Hop"\n')
    make_model(data / "models" / "mine.pt")
    shutil.copy(data / "models" / "mine.pt", home / "here" / "my.pt")
    make_onnx(home / "here" / "ear.onnx")
    shutil.copy(home / "here" / "ear.onnx", home / "here" / "discogs-effnet-bsdynamic-1.onnx")
    (home / "here" / "discogs-effnet-bsdynamic-1.json").write_text('{"classes": ["Rock---Surf"]}')
    with mock.patch("tagger.hearing.pool.map_unordered", map_in_process):
        gone = make_track(music / "gone.flac", 6.5, genre="Jazz")
        assert run_at(home, "tag", str(music), TAGGER_MODEL="mine").code == 0
        last = make_track(music / "Live" / "2.flac", 7.0)
        assert run_at(home, "tag", str(last), TAGGER_MODEL="mine").code == 0
        assert run_at(home, "tag", str(music), "--refresh", "--no-write").code == 0
        gone.unlink()
        assert run_at(home, "tag", str(music), "--no-write").code == 0
    for name in ("here/copy.db", "catalog-copy.db", "theirs.db"):
        assert run_at(home, "catalog", "backup", "-o", str(home / name)).code == 0
    shutil.copytree(home, folder / "kept", symlinks=True)
    return home


def run_at(home: Path, *arguments: str, **variables: str) -> Outcome:
    places = {"XDG_DATA_HOME": home / ".local" / "share", "XDG_CONFIG_HOME": home / ".config"}
    variables |= {"HOME": str(home)} | {name: str(place) for name, place in places.items()}
    return run_tagger(*arguments, **variables)


@pytest.fixture
def home(shelf: Path, monkeypatch: pytest.MonkeyPatch, in_process: None) -> Path:
    """That home as it was at first, one of its folders the current one."""
    shutil.rmtree(shelf)
    shutil.copytree(shelf.parent / "kept", shelf, symlinks=True)
    monkeypatch.chdir(shelf / "here")
    monkeypatch.setenv("HOME", str(shelf))
    return shelf


# --- running a line -------------------------------------------------------------------------------


def run_line(line: str, home: Path) -> None:
    """Run a line as a shell would, as far as the pages need one."""
    command, _, document = line.partition("<<'EOF'\n")
    words = [expanded(word) for word in shlex.split(command, comments=True)]
    while "&&" in words:
        at = words.index("&&")
        run_words(words[:at], "", home)
        words = words[at + 1 :]
    run_words(words, document.removesuffix("EOF"), home)


def expanded(word: str) -> str:
    """A word as a shell has it, where HOME and PWD are named."""
    home = os.environ["HOME"]
    word = word.replace("$HOME", home).replace("$PWD", os.getcwd())  # noqa: PTH109
    return home + word[1:] if word.startswith("~/") else word


def run_words(words: list[str], document: str, home: Path) -> None:
    written = next((word for word in words if word in (">", ">>")), None)
    target = Path(words.pop()) if written else None
    words = [word for word in words if word != written]
    program = Path(words[0]).name
    if program in NOT_RUN or words[1:3] == ["-m", "pip"]:
        extras = re.findall(r"genre-tagger\[(\w+)\]", " ".join(words))
        assert set(extras) <= set(setup_of("options.extras_require"))
        return
    if program == "tagger":
        out = run_or_parse(words[1:], home)
    elif program == "make":
        run(["make", "-n", *words[1:]], cwd=ROOT)
        return
    elif program == "sqlite3":
        with closing(sqlite3.connect(Path(words[1]).as_uri() + "?mode=ro", uri=True)) as database:
            database.execute(words[2]).fetchall()
        return
    elif program == "python" and words[1] == "-m":
        parse_module(words[2], words[3:])
        return
    elif program == "python":
        out = run([sys.executable, *words[1:]], given=document)
    else:
        out = run(words)
    if target:
        target.write_text(out, encoding="utf-8")


def run(words: list[str], cwd: Path | None = None, given: str = "") -> str:
    done = subprocess.run(words, cwd=cwd, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def setup_of(section: str) -> configparser.SectionProxy:
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    return read[section]


def run_or_parse(words: list[str], home: Path) -> str:
    if any(what in " ".join(["tagger", *words]) for what in PARSED):
        parse(words)
        return ""
    outcome = run_at(home, *words)
    assert outcome.code == 0, outcome.err
    return outcome.out


def parse(words: list[str]) -> None:
    """Let click take a call of the tagger apart, which fails of an option that there is none."""
    command, rest = found_command(words)
    with mock.patch.object(click.Path, "convert", lambda _self, value, *_: Path(value)):
        command.make_context("tagger", rest)


def found_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that is called, and its arguments."""
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group) and rest and re.fullmatch("[a-z]+", rest[0]):
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None, words
        command = found
    return command, rest


class Parsed(Exception):  # noqa: N818
    """The arguments are understood."""


def parse_module(module: str, arguments: list[str]) -> None:
    """Let a module of ours take its arguments apart, and no more."""
    if module == "pytest":
        assert (ROOT / arguments[0]).exists()
        return
    invoke = click.Command.invoke

    def only_parse(command: click.Command, context: click.Context) -> None:
        if not isinstance(command, click.Group):
            raise Parsed
        invoke(command, context)

    with (
        mock.patch.dict(sys.modules),
        mock.patch.object(sys, "argv", [module, *arguments]),
        mock.patch.object(click.Command, "invoke", only_parse),
        mock.patch.object(click.Path, "convert", lambda _self, value, *_: Path(value)),
        pytest.raises(Parsed),
    ):
        for name in [name for name in sys.modules if name.startswith(module)]:
            del sys.modules[name]  # a package may have brought its own __main__
        runpy.run_module(module, run_name="__main__")


@pytest.mark.parametrize("block", blocks_in(*SHELL), ids=lambda block: block.name)
def test_the_lines_of_a_block_run(block: Block, home: Path) -> None:
    assert block.lines
    for line in block.lines:
        run_line(line, home)


@pytest.mark.parametrize("block", sessions(), ids=lambda block: block.name)
def test_the_calls_of_a_session_run(block: Block, home: Path) -> None:
    for call in re.findall(r"^\$ (.+)$", block.text, re.M):
        run_line(call, home)


# --- other blocks, and what stands within sentences -----------------------------------------------


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in BLOCKS} <= LANGUAGES


def test_no_command_hides_in_a_block_that_is_not_run() -> None:
    shown = [line for block in blocks_in(*SHOWN) for line in block.text.splitlines()]
    calls = re.compile(r"(tagger [a-z]|make |pip |\S*python )")
    assert [x for x in shown if calls.match(x) and "[OPTIONS]" not in x] == []


@pytest.mark.parametrize("block", blocks_in("sql"), ids=lambda block: block.name)
def test_the_queries_of_a_block_run(block: Block, home: Path) -> None:
    with closing(sqlite3.connect(home / ".local/share/tagger/catalog.db")) as database:
        for query in block.text.strip().splitlines():
            database.execute(query.partition(" --")[0]).fetchall()


@pytest.mark.parametrize("block", blocks_in("toml"), ids=lambda block: block.name)
def test_what_a_block_sets_can_be_set(block: Block, tmp_path: Path) -> None:
    if "front_end =" in block.text:
        return  # a card of a network, which tests/test_onnx.py reads
    file = tmp_path / "config.toml"
    file.write_text(block.text, encoding="utf-8")
    if "allowed =" in block.text:
        load_genre_list(str(file))
        return
    load_settings({}, environment={}, file=file)


def test_what_systemd_and_launchd_start_can_be_called_so() -> None:
    for block in blocks_in("ini"):
        (call,) = re.findall(r"^ExecStart=\S+/tagger (.*)$", block.text, re.M)
        parse(shlex.split(call))
    for block in blocks_in("xml"):
        _, *words = plistlib.loads(block.text.encode())["ProgramArguments"]
        parse(words)


@pytest.mark.parametrize("block", blocks_in(*SHOWN), ids=lambda block: block.name)
def test_what_other_programs_start_can_be_called_so(block: Block) -> None:
    for call in re.findall(r"(?m)^[^$\n].*?/bin/tagger (.*?)\"?$", block.text):
        parse(shlex.split(call))


def calls_in_sentences() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        calls = re.findall(r"`((?:\S*/)?tagger [^`\n]+)`", text)
        found += [(str(page.relative_to(ROOT)), call) for call in calls]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "call"), calls_in_sentences())
def test_a_call_within_a_sentence_names_a_command_and_its_options(page: str, call: str) -> None:
    """Names in capitals stand for something, and a dot or dash of three for anything."""
    words = [word for word in re.split(r"[\s=]+", call)[1:] if word not in ("…", "[…]")]
    if not words or words[0].isupper():
        return
    command, rest = found_command(words)
    context = click.Context(command, help_option_names=["-h", "--help"])
    options = {name for one in command.get_params(context) for name in one.opts}
    assert {word.strip("[]") for word in rest if re.match(r"\[?-[-a-z]", word)} <= options


def sources() -> str:
    folders = ("tagger", "training", "tools", "benchmarks", "tests")
    files = (path for name in folders for path in (ROOT / name).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


FOREIGN = {
    "--now": "systemctl",
    "--setting": "datasette",
    "--user": "systemctl, journalctl",
    "--saved-model": "tf2onnx",
    "--version": "click gives it to every program",
}
"""Options in sentences that are other programs'."""


def test_an_option_within_a_sentence_is_one_of_ours() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = {
        x
        for code in re.findall(r"`([^`\n]+)`", text)
        for x in re.findall(r"(?<!\S)--[a-z][a-z-]+", code)
    }
    known = sources()
    assert {option for option in named - set(FOREIGN) if f'"{option}"' not in known} == set()
