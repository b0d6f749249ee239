"""Where hardly any file may be open at once, each command says that, and blames nothing else."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.library import environment, make_track


def run_with(n_files: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command where so many files may be open at once, standard streams included."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n_files, n_files))

    return subprocess.run(
        [sys.executable, "-m", "tagger", *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )


@pytest.mark.parametrize("n_files", [5, 7, 10, 12, 18])
def test_a_run_says_in_a_line_that_too_few_files_may_be_open(
    tmp_path: Path, model: Path, n_files: int
) -> None:
    make_track(tmp_path / "music" / "a.flac")
    given = ("--model", model, "--catalog", tmp_path / "catalog.db", "--jobs", "2")
    done = run_with(n_files, "tag", *given, tmp_path / "music")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Too many open files: allow more at once (ulimit -n 1024)" in line
    assert "/dev/shm" not in line
    assert "catalog.db" not in line


def test_commands_that_hear_nothing_do_with_few_files_or_say_so(tmp_path: Path) -> None:
    for n_files in (8, 13):
        done = run_with(n_files, "list", "--catalog", tmp_path / "catalog.db")
        told = "Too many open files" if n_files == 8 else "catalog.db"
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
