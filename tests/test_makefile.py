"""The Makefile: what it runs, and that what a user types arrives as it was typed."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tools import setup_venv
from tools.tag_music import copy_examples

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TAGGER = """#!{python}
import os, pathlib, sys
words = b"\\0".join(map(os.fsencode, sys.argv[1:]))
pathlib.Path({seen!r}).write_bytes(words)
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""
AWKWARD = [
    b"Music",
    b"/My Music/The 'Best' of \"80s\"",
    b"$HOME $(shell touch trap) $(HOME) $$ ${HOME}",
    b"`touch trap`; touch trap & (touch trap) > trap",
    b"# 1 hits",
    b"back\\slash\\",
    b"* ? [a] {b,c} !x",
    b"-n",
    b"a = b : c % d, e",
    b"not UTF-8: \xff\xfe",
    b"line\nfeed",
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the project whose set-up is done and whose tagger notes what it is called with."""
    root = tmp_path / "clone"
    ignore = ignore_patterns(".*", "build", "dist", "*.egg-info", "tests", "__pycache__", "models")
    copytree(ROOT, root, ignore=ignore)
    commands = root / ".venv" / "bin"
    commands.mkdir(parents=True)
    (commands / "python").symlink_to(Path(sys.executable).resolve())
    stamp = setup_venv.wanted_stamp(root, "test", {}, None)
    setup_venv.write_stamp(root / ".venv", stamp)
    script = TAGGER.format(python=sys.executable, seen=str(tmp_path / "seen"))
    (commands / "tagger").write_text(script, encoding="utf-8")
    (commands / "tagger").chmod(0o755)
    return root


def make(
    clone: Path, *words: str | bytes, **environment: str | bytes
) -> subprocess.CompletedProcess[bytes]:
    """Call make there, without what a make around the tests has put into the environment."""
    return subprocess.run(
        ["make", *words],
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": "/home/someone", **environment},
        capture_output=True,
        check=False,
    )


def words_seen(clone: Path) -> list[bytes]:
    """What the tagger was called with."""
    return (clone.parent / "seen").read_bytes().split(b"\0")


@pytest.mark.parametrize("music", AWKWARD)
def test_music_on_the_command_line_arrives_as_it_was_typed(clone: Path, music: bytes) -> None:
    finished = make(clone, "tag", b"MUSIC=" + music)
    assert finished.returncode == 0, finished.stderr
    assert words_seen(clone) == [b"tag", b"--", music]
    assert not (clone / "trap").exists()


@pytest.mark.parametrize("music", [*AWKWARD, b" blanks around "])
def test_music_in_the_environment_arrives_as_it_is(clone: Path, music: bytes) -> None:
    finished = make(clone, "tag", MUSIC=music)
    assert finished.returncode == 0, finished.stderr
    assert words_seen(clone) == [b"tag", b"--", music]
    assert not (clone / "trap").exists()


@pytest.mark.parametrize(
    ("music", "folder"),
    [("~/Music", b"/home/someone/Music"), ("~", b"/home/someone"), ("a~b", b"a~b")],
)
def test_a_leading_tilde_in_music_is_the_home_folder(
    clone: Path, music: str, folder: bytes
) -> None:
    make(clone, "tag", f"MUSIC={music}")
    assert words_seen(clone)[-1] == folder


def test_args_are_shell_words_that_no_shell_runs(clone: Path) -> None:
    args = "--dry-run --exclude 'a b*' --catalog ~/c.db \"$(touch trap)\" ; \\$x"
    finished = make(clone, "tag", "MUSIC=m", f"ARGS={args}")
    assert finished.returncode == 0, finished.stderr
    words = [b"--dry-run", b"--exclude", b"a b*", b"--catalog", b"/home/someone/c.db"]
    assert words_seen(clone) == [b"tag", *words, b"$(touch trap)", b";", b"$x", b"--", b"m"]
    assert not (clone / "trap").exists()


def test_args_with_a_quote_too_many_are_refused_in_one_line(clone: Path) -> None:
    finished = make(clone, "-s", "tag", "MUSIC=m", "ARGS='")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[0].startswith(b"make tag: ARGS is not")
    assert not (clone.parent / "seen").exists()


def test_tag_fails_where_the_tagger_fails(clone: Path) -> None:
    assert make(clone, "tag", "MUSIC=m", EXIT_CODE="1").returncode != 0


def test_without_music_a_fresh_copy_of_the_examples_is_tagged(clone: Path) -> None:
    for _ in range(2):
        finished = make(clone, "tag", "ARGS=--dry-run")
        assert finished.returncode == 0, finished.stderr
        assert b"examples" in finished.stderr
        options = [b"--catalog", b"build/examples.db", b"--dry-run"]
        assert words_seen(clone) == [b"tag", *options, b"--", b"build/examples"]


def test_a_fresh_copy_keeps_nothing_of_an_earlier_run(clone: Path) -> None:
    copy_examples(clone)
    leftovers = [clone / "build" / name for name in ("examples.db", "examples.db-wal")]
    for path in leftovers:
        path.touch()
    track = next((clone / "build" / "examples").rglob("*.mp3"))
    track.write_bytes(b"tagged")
    copy_examples(clone)
    assert track.stat().st_size > 100_000
    assert not any(path.exists() for path in leftovers)
    assert not list((clone / "build" / "examples").rglob("*.md"))


def test_with_nothing_changed_setup_costs_less_than_a_second(clone: Path) -> None:
    before = os.times()
    assert make(clone, "setup").returncode == 0
    after = os.times()
    cpu_s = after.children_user + after.children_system
    assert cpu_s - before.children_user - before.children_system < 1.0


def test_help_is_the_default_and_names_every_target(clone: Path) -> None:
    finished = make(clone)
    assert finished.returncode == 0
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    named = re.findall(r"^  ([a-z-]+) +\S", finished.stdout.decode(), re.MULTILINE)
    assert sorted(named) == sorted(phony.split())


def test_the_checks_end_with_pytest(clone: Path) -> None:
    lines = make(clone, "-n", "test").stdout.decode().splitlines()
    tests = "pytest -n auto --dist worksteal --hypothesis-profile ci"
    tools = [line.split(" -m ")[1] for line in lines if line.startswith(".venv/bin/python")]
    assert tools == ["ruff check .", "ruff format --check .", tests]


def test_training_the_bundled_network_asks_for_features(clone: Path) -> None:
    finished = make(clone, "-s", "model")
    assert finished.returncode == 2
    assert b"FEATURES=" in finished.stderr.splitlines()[0]


def test_clean_keeps_the_environment_and_distclean_removes_it(clone: Path) -> None:
    (clone / "build" / "examples").mkdir(parents=True)
    (clone / ".venv" / "__pycache__").mkdir()
    (clone / "tools" / "__pycache__").mkdir(exist_ok=True)
    make(clone, "clean")
    assert not (clone / "build").exists()
    assert not (clone / "tools" / "__pycache__").exists()
    assert (clone / ".venv" / "__pycache__").exists()
    make(clone, "distclean")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("status", [0, 2])
def test_ci_runs_the_checks_from_anywhere_and_fails_with_them(tmp_path: Path, status: int) -> None:
    command = tmp_path / "make"
    command.write_text(f'#!/bin/sh\npwd\necho "$@"\nexit {status}\n', encoding="utf-8")
    command.chmod(0o755)
    finished = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == status
    targets = (
        *("docs", "test-manual", "test-browser", "test-players", "test-services"),
        "test",
    )
    called = [line for name in targets for line in (str(ROOT), f"--no-print-directory {name}")]
    assert finished.stdout.splitlines() == called
