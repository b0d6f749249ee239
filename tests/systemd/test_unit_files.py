"""What `tagger service install` writes is what systemd reads, whatever a folder is called."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tagger.services import Job, unit_files

ODD = [
    "music",
    "my music",
    "100 % of it, %h and %%",
    "$HOME ${HOME} $$",
    'say "hello"',
    "it's",
    "back\\slash and \\n and \\x41",
    "two\nlines\tand a tab",
    "Björk – ロック 🎸",
    " blank at both ends ",
    "; # ! @ + - : | ~ * ? [a] {b} < > &",
    "ends with a backslash\\",
]


def verified(folder: Path, *files: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd what it makes of unit files; it says on stderr what is wrong, and ends with 0."""
    runtime = folder / "runtime"
    (runtime / "systemd").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        ["systemd-analyze", "verify", "--user", *map(str, files)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime), "LC_ALL": "C.UTF-8"} | variables,
        capture_output=True,
        text=True,
    )


def written(folder: Path, job: Job, command: list[str]) -> list[Path]:
    files = []
    for one in unit_files(job, command):
        files.append(folder / one.name)
        files[-1].write_text(one.text, encoding="utf-8")
    return files


@pytest.mark.parametrize("job", Job)
def test_systemd_has_nothing_to_say_against_what_is_written(job: Job, tmp_path: Path) -> None:
    told = verified(tmp_path, *written(tmp_path, job, ["/bin/true", "tag", *ODD]))
    assert (told.returncode, told.stderr) == (0, "")


def test_what_is_wrong_would_be_said(tmp_path: Path) -> None:
    (file,) = written(tmp_path, Job.WATCH, ["/bin/true"])
    file.write_text(file.read_text().replace("Nice=", "Nicest="))
    assert "Unknown key" in verified(tmp_path, file).stderr


@pytest.mark.parametrize("name", ["my music", "100%h", "$HOME", "Björk", "a;b #c"])
def test_a_program_in_an_odd_folder_is_found(name: str, tmp_path: Path) -> None:
    program = tmp_path / name / "python"
    program.parent.mkdir()
    program.symlink_to("/bin/true")
    told = verified(tmp_path, *written(tmp_path, Job.WATCH, [str(program), "watch"]))
    assert told.stderr == ""


def test_each_argument_is_read_back_as_it_was(tmp_path: Path) -> None:
    """By systemd itself, whose log says how it has taken a command."""
    files = written(tmp_path, Job.WATCH, ["/bin/true", *ODD])
    log = verified(tmp_path, *files, SYSTEMD_LOG_LEVEL="debug").stdout
    (line,) = re.findall(r"Command Line: (.*)", log)
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    read = [_unescaped(quoted) if quoted else plain for quoted, plain in words]
    assert read == ["/bin/true", *ODD]


def _unescaped(text: str) -> str:
    letters = {"n": "\n", "t": "\t"}
    plain = re.sub(r"\\(.)", lambda found: letters.get(found[1], found[1]), text)
    return plain.replace("$$", "$")  # which stands for itself once the command is run
