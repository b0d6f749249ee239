"""`tagger service`: what it writes, what it leaves alone, and what it asks of systemctl."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from tagger.errors import ServiceError
from tagger.services import Job, systemd, unit_files
from tests.library import Outcome, run_tagger

SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$2" in
  is-enabled) echo enabled ;;
  is-active) echo active ;;
esac
[ -z "$REFUSES" ] || { echo "$REFUSES" >&2; exit 1; }
"""


class Machine:
    """A machine on which systemd runs, but for its systemctl, which only notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.units = folder / "config" / "systemd" / "user"
        self._calls = folder / "calls"
        bin_ = folder / "bin"
        bin_.mkdir()
        (bin_ / "systemctl").write_text(SYSTEMCTL)
        (bin_ / "systemctl").chmod(0o755)
        self.variables = {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "CALLS": str(self._calls),
            "REFUSES": "",
        }

    def service(self, *arguments: str | Path, **variables: str) -> Outcome:
        return run_tagger("service", *arguments, **(self.variables | variables))

    @property
    def asked(self) -> list[str]:
        """What systemctl was asked since the last look."""
        if not self._calls.exists():
            return []
        lines = self._calls.read_text().splitlines()
        self._calls.unlink()
        return lines


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(systemd, "_BOOTED", tmp_path)
    return Machine(tmp_path)


def exec_line(file: Path) -> str:
    (line,) = [x for x in file.read_text().splitlines() if x.startswith("ExecStart=")]
    return line.removeprefix("ExecStart=")


def test_watching_is_installed_and_started(machine: Machine, music: Path) -> None:
    told = machine.service("install", music)
    assert told.code == 0 and "tagger-watch.service runs" in told.err
    file = machine.units / "tagger-watch.service"
    assert exec_line(file) == f"{sys.executable} -m tagger watch --quiet {music}"
    assert machine.asked == [
        "--user daemon-reload",
        "--user enable tagger-watch.service",
        "--user restart tagger-watch.service",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_tagging_every_night_is_a_timer(machine: Machine, music: Path) -> None:
    assert machine.service("install", "--nightly", "--at", "4:05", music).code == 0
    assert exec_line(machine.units / "tagger-nightly.service").endswith(f"tag --quiet {music}")
    assert "OnCalendar=*-*-* 04:05:00\n" in (machine.units / "tagger-nightly.timer").read_text()
    assert machine.asked[1:] == [
        "--user enable tagger-nightly.timer",
        "--user restart tagger-nightly.timer",
    ]


def test_options_go_into_the_command(machine: Machine, music: Path) -> None:
    machine.service("install", "--model", "both", "--catalog", "/c/my music.db", music)
    line = exec_line(machine.units / "tagger-watch.service")
    assert line.endswith(f'--quiet --model both --catalog "/c/my music.db" {music}')


def test_a_dry_run_shows_the_files_and_touches_nothing(machine: Machine, music: Path) -> None:
    told = machine.service("install", "--nightly", "--dry-run", music)
    assert told.code == 0 and told.out.count("# Made by tagger service install") == 2
    assert f"# {machine.units}/tagger-nightly.timer" in told.out
    assert not machine.units.exists() and machine.asked == []


def test_what_the_tagger_made_is_made_anew(machine: Machine, music: Path) -> None:
    machine.service("install", "--nightly", "--at", "01:00", music)
    assert machine.service("install", "--nightly", "--at", "02:00", music).code == 0
    assert "02:00:00" in (machine.units / "tagger-nightly.timer").read_text()


@pytest.mark.parametrize("kind", ["own", "empty", "mask"])
def test_what_the_tagger_did_not_make_stays_unless_told(
    machine: Machine, music: Path, kind: str
) -> None:
    machine.units.mkdir(parents=True)
    file = machine.units / "tagger-watch.service"
    if kind == "mask":
        file.symlink_to("/dev/null")
    else:
        file.write_text("[Service]\nExecStart=/bin/mine\n" if kind == "own" else "")
    before = file.read_bytes()
    for arguments in (("install", music), ("remove",)):
        told = machine.service(*arguments)
        assert told.code == 2 and "it was not made by the tagger; --force" in told.err
    assert file.read_bytes() == before and machine.asked == []
    assert machine.service("install", "--force", music).code == 0
    assert exec_line(file).endswith(str(music)) and not file.is_symlink()


def test_of_two_files_none_is_written_where_one_is_not_ours(machine: Machine, music: Path) -> None:
    machine.units.mkdir(parents=True)
    (machine.units / "tagger-nightly.timer").write_text("[Timer]\n")
    assert machine.service("install", "--nightly", music).code == 2
    assert not (machine.units / "tagger-nightly.service").exists()


def test_remove_ends_and_takes_away_what_was_installed(machine: Machine, music: Path) -> None:
    machine.service("install", music)
    machine.service("install", "--nightly", music)
    machine.asked  # noqa: B018
    told = machine.service("remove", "--dry-run")
    assert told.err.count("would go: ") == 3 and machine.asked == []
    assert machine.service("remove", "nightly").code == 0
    assert machine.asked == [
        "--user disable --now tagger-nightly.timer tagger-nightly.service",
        "--user daemon-reload",
    ]
    assert [path.name for path in machine.units.iterdir()] == ["tagger-watch.service"]
    assert machine.service("remove").err.count("gone: ") == 1
    assert "there is no service of the tagger's here" in machine.service("remove").err


def test_status_tells_how_each_stands(machine: Machine, music: Path) -> None:
    machine.service("install", music)
    (machine.units / "tagger-nightly.service").write_text("[Service]\nExecStart=/bin/mine\n")
    told = {one["job"]: one for one in machine.service("status", "--format", "jsonl").records}
    watch, nightly = told["watch"], told["nightly"]
    assert (watch["installed"], watch["ours"], watch["enabled"], watch["active"]) == (
        *(True, True),
        *("enabled", "active"),
    )
    assert watch["command"].endswith(str(music))
    assert (nightly["installed"], nightly["ours"], nightly["command"]) == (True, False, "/bin/mine")
    text = machine.service("status").out
    assert "watch    enabled, active" in text and "(not made by the tagger)" in text


def test_where_systemctl_refuses_it_is_told_what_is_left(machine: Machine, music: Path) -> None:
    told = machine.service("install", music, REFUSES="Failed to connect to bus")
    assert told.code == 2 and "Failed to connect to bus" in told.err
    assert "what is left is systemctl --user enable --now tagger-watch.service" in told.err


def test_without_systemd_that_is_told_and_nothing_is_touched(
    machine: Machine, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "_BOOTED", music / "none")
    told = machine.service("install", music)
    assert told.code == 2 and "systemd does not run here; docs/services.md" in told.err
    assert not machine.units.exists()
    told = machine.service("status")
    assert told.code == 0 and "not installed" in told.out and "does not run here" in told.err
    told = machine.service("install", "--dry-run", music)
    assert told.code == 0 and "so nothing can be installed" in told.err


def test_a_folder_that_is_not_there_is_told(machine: Machine, music: Path) -> None:
    assert machine.service("install", music / "none").code == 2
    assert not machine.units.exists()


def test_settings_of_this_shell_are_told_to_be_of_it_alone(machine: Machine, music: Path) -> None:
    told = machine.service("install", "--dry-run", music, TAGGER_MODEL="both")
    assert "TAGGER_MODEL: set in this shell alone" in told.err


@pytest.mark.parametrize("at", ["24:00", "3", "03:60", "noon", ""])
def test_a_time_that_is_none_is_refused(machine: Machine, music: Path, at: str) -> None:
    told = machine.service("install", "--nightly", "--at", at, music)
    assert told.code == 2 and "is no time of day" in told.err


def test_what_no_unit_file_can_hold_is_refused() -> None:
    with pytest.raises(ServiceError, match="not UTF-8"):
        unit_files(Job.WATCH, ["/bin/tagger", "/music/caf\udce9"])
    with pytest.raises(ServiceError, match="no program with quotes"):
        unit_files(Job.WATCH, ['/a "b"/tagger', "/music"])
