"""What stands in unit files; no file is touched here.

Source: systemd.service(5), systemd.syntax(7), systemd.timer(5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tagger.errors import ServiceError

MARK = "# Made by tagger service install; tagger service remove takes it away.\n"
"""How each file begins that was made here; no other is touched."""

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_UNSAFE = re.compile(r"[\"'\\\x00-\x1f\x7f]")  # in a program's own path (string_is_safe)
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+~-]+")
_ESCAPED = {"\\": r"\\", '"': r"\"", "%": "%%", "$": "$$"}

_WATCH = """
[Unit]
Description=Tag new music as it arrives

[Service]
ExecStart={command}
KillMode=mixed
SuccessExitStatus=130
Restart=on-failure
RestartSec=60
Nice=10

[Install]
WantedBy=default.target
"""
_NIGHTLY = """
[Unit]
Description=Tag new music

[Service]
Type=oneshot
ExecStart={command}
KillMode=mixed
Nice=10
"""
_TIMER = """
[Unit]
Description=Tag new music every night

[Timer]
OnCalendar=*-*-* {at}:00
Persistent=true

[Install]
WantedBy=timers.target
"""


class Job(StrEnum):
    """What a service does."""

    WATCH = "watch"
    NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A unit file: its name and what stands in it."""

    name: str
    text: str


def unit_names(job: Job) -> tuple[str, ...]:
    """Return the names of a job's unit files; the last one is what is started.

    >>> unit_names(Job.NIGHTLY)
    ('tagger-nightly.service', 'tagger-nightly.timer')
    """
    service = f"tagger-{job}.service"
    return (service,) if job is Job.WATCH else (service, f"tagger-{job}.timer")


def unit_files(job: Job, command: Sequence[str], *, at: str = "03:00") -> tuple[UnitFile, ...]:
    """Return the unit files of a job.

    Args:
        job: What it does.
        command: The program, by its whole path, and its arguments.
        at: When, HH:MM, if it is done every night.

    Raises:
        ServiceError: systemd can hold no such command or time.
    """
    line = exec_line(command)
    if job is Job.WATCH:
        texts = [_WATCH.format(command=line)]
    else:
        texts = [_NIGHTLY.format(command=line), _TIMER.format(at=_checked_time(at))]
    names = unit_names(job)
    return tuple(UnitFile(n, MARK + text) for n, text in zip(names, texts, strict=True))


def exec_line(command: Sequence[str]) -> str:
    r"""Return a command as ExecStart takes it.

    >>> exec_line(["/bin/tagger", "watch", "/music/100 % $a \"b\""])
    '/bin/tagger watch "/music/100 %% $$a \\"b\\""'

    Raises:
        ServiceError: systemd can hold no such command.
    """
    program, *arguments = command
    for text in command:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise ServiceError(f"{text!r} is not UTF-8, and systemd reads nothing else") from exc
    if _UNSAFE.search(program):
        raise ServiceError(f"systemd runs no program with quotes or a backslash in {program!r}")
    # In the program's path systemd looks for no variables: there a dollar stands for itself.
    words = [_quoted(program).replace("$$", "$"), *map(_quoted, arguments)]
    return " ".join(words)


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    if ord(letter) < 0x20 or ord(letter) == 0x7F:
        return f"\\x{ord(letter):02x}"
    return _ESCAPED.get(letter, letter)


def _checked_time(text: str) -> str:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ServiceError(f"{text!r} is no time of day; say 03:00")
    return f"{int(found[1]):02d}:{found[2]}"
