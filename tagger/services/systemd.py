"""The user's systemd: unit files put there, seen and taken away, and systemctl asked to follow.

No file is replaced or removed that was not made here, unless somebody says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.errors import ServiceError, os_reason
from tagger.files.atomic import replaced
from tagger.services.units import MARK, Job, UnitFile, unit_names

_BOOTED = Path("/run/systemd/system")  # Source: sd_booted(3)
_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Installed:
    """How a job stands.

    Args:
        job: What it does.
        file: Its first unit file.
        is_there: Whether that is there.
        is_ours: Whether it was made here.
        command: What it runs, as it stands in the file.
        enabled: What systemctl says: "enabled", "disabled" …; "" where it says nothing.
        active: Likewise: "active", "inactive", "failed" …
    """

    job: Job
    file: Path
    is_there: bool = False
    is_ours: bool = False
    command: str = ""
    enabled: str = ""
    active: str = ""


def _folder() -> Path:
    """Return where this user's own unit files are (systemd.unit(5))."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


@dataclass(frozen=True, slots=True)
class Systemd:
    """The systemd of one user.

    Args:
        folder: Where its unit files are.
        booted: A folder that is there while systemd runs the machine.
    """

    folder: Path
    booted: Path = _BOOTED

    @classmethod
    def of_user(cls) -> Systemd:
        """Return that of who runs this."""
        return cls(_folder(), _BOOTED)

    @property
    def runs(self) -> bool:
        """Whether there is one: systemd runs this machine, and can be asked."""
        return shutil.which("systemctl") is not None and self.booted.is_dir()

    def require(self) -> None:
        """Make sure that there is one.

        Raises:
            ServiceError: there is none.
        """
        if not self.runs:
            raise ServiceError(
                "systemd does not run here; docs/services.md says what else there is: cron, "
                "launchd, Windows' task scheduler"
            )

    def install(self, files: Sequence[UnitFile], *, force: bool = False) -> None:
        """Write unit files, and have the last of them started, now and at every login.

        Raises:
            ServiceError: a file is there that was not made here, or systemctl refuses.
        """
        self.require()
        for one in files:
            self._check_ours(self.folder / one.name, force=force)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ServiceError(os_reason(exc), self.folder) from exc
        for one in files:
            path = self.folder / one.name
            if path.is_symlink():  # what it leads to is another's
                path.unlink()
            with replaced(path) as draft:
                draft.chmod(0o600)  # an address of a catalogue may hold a password
                draft.write_text(one.text, encoding="utf-8")
        try:
            self._ask("daemon-reload")
            self._ask("enable", files[-1].name)
            # One that runs already goes on with what is written now.
            self._ask("restart", files[-1].name)
        except ServiceError as exc:
            wanted = f"systemctl --user enable --now {files[-1].name}"
            raise ServiceError(f"{exc}; its files are written, what is left is {wanted}") from exc

    def remove(self, job: Job, *, force: bool = False, dry_run: bool = False) -> list[Path]:
        """End a job and take its unit files away; return those that were there.

        Raises:
            ServiceError: a file was not made here, or systemctl refuses.
        """
        there = [self.folder / name for name in unit_names(job)]
        there = [path for path in there if os.path.lexists(path)]
        for path in there:
            self._check_ours(path, force=force)
        if dry_run or not there:
            return there
        self.require()
        self._ask("disable", "--now", *(path.name for path in reversed(there)))
        for path in there:
            path.unlink(missing_ok=True)  # disable takes a link away itself
        self._ask("daemon-reload")
        return there

    def status(self) -> list[Installed]:
        """Return how each job stands."""
        return [self._status(job) for job in Job]

    def _status(self, job: Job) -> Installed:
        names = unit_names(job)
        file = self.folder / names[0]
        if not os.path.lexists(file):
            return Installed(job, file)
        text = _text(file)
        lines = [line for line in text.splitlines() if line.startswith("ExecStart=")]
        return Installed(
            job,
            file,
            is_there=True,
            is_ours=text.startswith(MARK),
            command=lines[0].removeprefix("ExecStart=") if lines else "",
            enabled=self._told("is-enabled", names[-1]),
            active=self._told("is-active", names[-1]),
        )

    def _check_ours(self, path: Path, *, force: bool) -> None:
        if force or not os.path.lexists(path):
            return
        if path.is_symlink() or not _text(path).startswith(MARK):
            raise ServiceError("it was not made by the tagger; --force does it all the same", path)

    def _ask(self, *words: str) -> None:
        done = _systemctl(*words)
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
            raise ServiceError(f"systemctl --user {' '.join(words)}: {said}")

    def _told(self, *words: str) -> str:
        return _systemctl(*words).stdout.strip() if self.runs else ""


def _systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["systemctl", "--user", *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ServiceError(f"systemctl cannot be asked: {exc}") from exc


def _text(path: Path) -> str:
    """Return what stands in a unit file; "" of what is no readable file, such as /dev/null."""
    try:
        if not path.is_file():
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        raise ServiceError(os_reason(exc), path) from exc
