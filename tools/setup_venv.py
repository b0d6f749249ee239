"""Make `.venv`, once, and keep it in step with setup.cfg and constraints.txt.

Owns the steps of the install and the stamp that says what `.venv` holds. Left to others: finding
a Python that is new enough (with_python.sh), judging the machine (machine.py), choosing torch's
build (torch_builds.py), mending torchaudio (patch_torchaudio.py). Standard library only.

Two kinds of install share `.venv`: `tag` is what tagging needs, `test` is that and the training
and test tools. What is there stays: asking for less changes nothing, and PYTHON and TORCH need
to be given once only.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from tools.machine import GIB, inspect_machine, unmet_needs
from tools.torch_builds import CPU_INDEX, Torch, torch_requests, torchaudio_requests

ROOT = Path(__file__).resolve().parent.parent
# What says which packages are installed and how: a change to one of them renews `.venv`.
INPUTS = (
    "setup.cfg",
    "setup.py",
    "pyproject.toml",
    "constraints.txt",
    "tools/setup_venv.py",
    "tools/torch_builds.py",
    "tools/patch_torchaudio.py",
)
STAMP = "setup-done.json"
LOG = "setup.log"
# Settings of the caller's that would lead pip or Python out of `.venv`.
FOREIGN_SETTINGS = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
TRY_AGAIN = "see the lines above, check the network, and call make again"

Kind = Literal["tag", "test"]
Plan = Literal["nothing", "install", "remake"]
EXTRAS: dict[Kind, str] = {"tag": "", "test": "[docs,training,test]"}
# `.venv` and pip's downloads together, with room to spare.
DISK_NEEDED: dict[Torch, int] = {"cpu": 3 * GIB, "cuda": 12 * GIB}

# Runs one command, its output appended to a log file; gives its exit status.
Runner = Callable[[Sequence[str], Path], int]


class SetupError(Exception):
    """Set-up cannot go on; the message is one line that names the remedy."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Stamp:
    """What a finished set-up put into `.venv`, and from what.

    Args:
        kind: Which packages.
        torch: Which build of torch.
        python: Version of the Python, "3.11".
        root: The clone's folder; a virtual environment cannot be moved.
        inputs: Hash of the files in INPUTS.
        interpreter: Where `.venv/bin/python` led: an upgrade of the system may swap what is there.
    """

    kind: Kind
    torch: Torch
    python: str
    root: str
    inputs: str
    interpreter: str = field(default="", compare=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring `.venv` up to date; give 0, 1 (an install failed) or 2 (it could not begin)."""
    parser = argparse.ArgumentParser(prog="setup", description="Make .venv or renew it.")
    parser.add_argument("kind", choices=sorted(EXTRAS))
    kind = cast("Kind", parser.parse_args(arguments).kind)
    try:
        with only_one_setup(ROOT):
            bring_up_to_date(ROOT, kind, os.environ, run_logged)
    except SetupError as error:
        say(f"setup: {error}")
        return error.exit_code
    except OSError as error:
        say(f"setup: {error}: make that path writable, or remove .venv, and call make again")
        return 2
    except KeyboardInterrupt:
        say("setup: interrupted; the next call of make begins again")
        return 130
    return 0


def bring_up_to_date(root: Path, kind: Kind, environment: Mapping[str, str], run: Runner) -> None:
    """Do what `.venv` lacks for a kind of install, and stamp it when all is done.

    Raises:
        SetupError: the machine will not do, or a step failed.
    """
    venv = root / ".venv"
    found = read_stamp(venv)
    wanted = wanted_stamp(root, kind, environment, found)
    plan = plan_setup(found, wanted)
    if plan == "nothing":
        return
    remedy = next(unmet_needs(inspect_machine(root), DISK_NEEDED[wanted.torch]), None)
    if remedy:
        raise SetupError(remedy, exit_code=2)
    if plan == "remake":
        make_venv(venv, run)
    (venv / STAMP).unlink(missing_ok=True)
    install(root, wanted, run)
    write_stamp(venv, wanted)
    say("Set-up done.")


# --- what is there, what is wanted ----------------------------------------------------------------


def plan_setup(found: Stamp | None, wanted: Stamp) -> Plan:
    """What is to be done: nothing, a pip install over what is there, or all from the start.

    Without a stamp a set-up was cut short, perhaps in the middle of a package, which pip does not
    notice: only a new start is safe, and pip's cache makes it cheap. Nor does pip tell the builds
    of torch apart, and nothing moves a virtual environment to another folder or Python.

    Example:
        >>> plan_setup(None, Stamp("tag", "cpu", "3.11", "/clone", "f00"))
        'remake'
    """
    if found is None:
        return "remake"
    if (found.python, found.torch, found.root) != (wanted.python, wanted.torch, wanted.root):
        return "remake"
    return "nothing" if found == wanted else "install"


def wanted_stamp(
    root: Path, kind: Kind, environment: Mapping[str, str], found: Stamp | None
) -> Stamp:
    """The stamp that a set-up made now would leave; what nobody asks to change stays."""
    torch = environment.get("TORCH") or (found.torch if found else "cpu")
    if torch not in DISK_NEEDED:
        raise SetupError(f"TORCH={torch} is unknown: use cpu (the default) or cuda", exit_code=2)
    python = "{}.{}".format(*sys.version_info[:2])
    if found and not environment.get("PYTHON"):
        python = found.python
    if found and found.kind == "test":
        kind = "test"
    return Stamp(kind, torch, python, str(root), hash_inputs(root))


def hash_inputs(root: Path) -> str:
    """A hash of the files that say what is installed and how."""
    digest = hashlib.sha256()
    for name in INPUTS:
        content = (root / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def read_stamp(venv: Path) -> Stamp | None:
    """The stamp of a finished set-up whose Python is still the one it was made with, or None."""
    python = venv_python(venv)
    try:
        stamp = Stamp(**json.loads((venv / STAMP).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return stamp if python.exists() and str(python.resolve()) == stamp.interpreter else None


def write_stamp(venv: Path, stamp: Stamp) -> None:
    """Leave the stamp, whole or not at all."""
    stamp = replace(stamp, interpreter=str(venv_python(venv).resolve()))
    draft = venv / f"{STAMP}.part"
    draft.write_text(json.dumps(asdict(stamp), indent=1) + "\n", encoding="utf-8")
    draft.replace(venv / STAMP)


@contextmanager
def only_one_setup(root: Path) -> Iterator[None]:
    """Hold a lock on the clone's folder, so that two calls of make do not meet in `.venv`."""
    folder = os.open(root, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems refuse; the lock is a courtesy
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


# --- the steps ------------------------------------------------------------------------------------


def make_venv(venv: Path, run: Runner) -> None:
    """Make an empty virtual environment in place of whatever is there."""
    say("Setting up .venv (once; a few minutes) …")
    venv.mkdir(exist_ok=True)
    (venv / STAMP).unlink(missing_ok=True)  # first: without it the rest counts as unfinished
    for child in venv.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    # The Python under the running one, which may be `.venv` itself, activated.
    python = getattr(sys, "_base_executable", None) or sys.executable
    if run([python, "-m", "venv", str(venv)], venv / LOG) != 0:
        raise failed_step(venv, f"{python} cannot make a virtual environment; see the lines above")


def install(root: Path, wanted: Stamp, run: Runner) -> None:
    """Install one kind of packages into `.venv`, torch first so that nothing else drags it in."""
    pip = Pip(root, run)
    pins = read_pins(root / "constraints.txt")
    pip.install("build tools", [["setuptools", "wheel"]], TRY_AGAIN)
    torch = torch_requests(pins["torch"], wanted.torch)
    pip.install(f"torch {pins['torch']}", torch, no_torch(wanted))
    if wanted.kind == "test":
        torchaudio = torchaudio_requests(pins["torchaudio"], wanted.torch)
        pip.install(f"torchaudio {pins['torchaudio']}", torchaudio, TRY_AGAIN)
    # Without build isolation: the build tools are there, pinned, and need no second download.
    project = ["--no-build-isolation", "--editable", f".{EXTRAS[wanted.kind]}"]
    pip.install(f"all other packages for `make {wanted.kind}`", [project], TRY_AGAIN)
    if wanted.kind == "test":
        mend_torchaudio(root, run)


def mend_torchaudio(root: Path, run: Runner) -> None:
    """Make sure that torchaudio works with the torch that is there."""
    venv = root / ".venv"
    if run([str(venv_python(venv)), str(root / "tools/patch_torchaudio.py")], venv / LOG) != 0:
        raise failed_step(venv, "torchaudio does not work with this torch; see the lines above")


@dataclass(frozen=True)
class Pip:
    """The pip of `.venv`, held to the constraints, its noise kept in a log."""

    root: Path
    run: Runner

    def install(self, what: str, requests: Sequence[Sequence[str]], remedy: str) -> None:
        """Install by the first of several requests that succeeds.

        Raises:
            SetupError: none did; the message ends with the remedy.
        """
        say(f"  {what} …")
        if not any(self._succeeds(request) for request in requests):
            raise failed_step(self.root / ".venv", f"{what} could not be installed: {remedy}")

    def _succeeds(self, request: Sequence[str]) -> bool:
        venv = self.root / ".venv"
        options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        constraints = ["--constraint", str(self.root / "constraints.txt")]
        if "--no-deps" in request:  # exact already; pip would blame the constraint for a lack
            constraints = []
        pip = [str(venv_python(venv)), "-m", "pip", "install", *options, *constraints]
        return self.run([*pip, *request], venv / LOG) == 0


def no_torch(wanted: Stamp) -> str:
    """The remedy where the wanted build of torch cannot be had."""
    if wanted.torch == "cuda":
        return TRY_AGAIN
    return (
        f"no CPU build for Python {wanted.python} at pip's index or {CPU_INDEX}; check the "
        "network, name another Python (make PYTHON=python3.x …) or take the plain build, "
        "with 2.7 GB of CUDA libraries (make TORCH=cuda …)"
    )


def read_pins(constraints: Path) -> dict[str, str]:
    """The exact version that constraints.txt gives each package."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#") and "==" in line)
    return {name.strip().lower(): version.strip() for name, version in pairs}


def venv_python(venv: Path) -> Path:
    """The Python of a virtual environment."""
    return venv / "bin" / "python"


def run_logged(command: Sequence[str], log: Path) -> int:
    """Run a command in the clone, its output appended to a log; give its exit status."""
    environment = {k: v for k, v in os.environ.items() if k not in FOREIGN_SETTINGS}
    with log.open("ab") as sink:
        sink.write(os.fsencode(f"$ {' '.join(command)}\n"))
        sink.flush()
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def failed_step(venv: Path, message: str) -> SetupError:
    """The error for a step that failed, after showing what the step said last."""
    log = venv / LOG
    said = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    say("\n".join(said[-20:]))
    return SetupError(f"{message} ({log} has all)", exit_code=1)


def say(line: str) -> None:
    """Tell how far set-up has come, on stderr: stdout belongs to the command it is for."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
