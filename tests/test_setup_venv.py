"""The set-up of .venv: what is installed, when, and what happens when it goes wrong."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from tools import setup_venv
from tools.machine import GIB, Machine, inspect_machine, unmet_needs
from tools.setup_venv import SetupError, Stamp, bring_up_to_date, read_stamp
from tools.torch_builds import CPU_INDEX, Torch, torch_requests, torchaudio_requests

ROOT = Path(__file__).resolve().parent.parent
GOOD_MACHINE = Machine(
    python=(3, 12),
    system="linux",
    architecture="x86_64",
    is_64_bit=True,
    is_musl=False,
    has_venv=True,
    free_bytes=100 * GIB,
)


@dataclass
class FakeRun:
    """Stands in for venv and pip: notes each command, and fails those that it is told to."""

    fails: Callable[[str], bool] = lambda command: False
    commands: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str], log: Path) -> int:
        line = " ".join(command)
        self.commands.append(line)
        log.write_text(f"noise of {line}\n", encoding="utf-8")
        if "-m venv" in line:
            python = Path(command[-1], "bin", "python")
            python.parent.mkdir()
            python.symlink_to(sys.executable)
        return 1 if self.fails(line) else 0

    def count(self, words: str) -> int:
        return sum(words in command for command in self.commands)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what set-up reads, on a machine that will do."""
    root = tmp_path / "clone"
    for name in setup_venv.INPUTS:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    monkeypatch.setattr(setup_venv, "inspect_machine", lambda folder: GOOD_MACHINE)
    for requests in (torch_requests, torchaudio_requests):
        on_linux = partial(requests, system="linux")
        monkeypatch.setattr(setup_venv, requests.__name__, on_linux)
    return root


@pytest.fixture
def finished(clone: Path) -> Path:
    """A clone whose .venv has been set up for tagging."""
    bring_up_to_date(clone, "tag", {}, FakeRun())
    return clone


def test_tagging_installs_neither_extras_nor_torchaudio(clone: Path) -> None:
    run = FakeRun()
    bring_up_to_date(clone, "tag", {}, run)
    assert run.count("torch==2.13.0+cpu") == 1
    assert run.commands[-1].endswith("--editable .")
    assert run.count("torchaudio") == 0
    assert (
        run.count("--constraint " + str(clone / "constraints.txt")) == run.count("pip install") - 1
    )


def test_testing_installs_the_extras_and_mends_torchaudio(clone: Path) -> None:
    run = FakeRun()
    bring_up_to_date(clone, "test", {}, run)
    assert run.commands[-2].endswith("--editable .[docs,training,test]")
    assert run.commands[-1].endswith("tools/patch_torchaudio.py")


def test_with_nothing_changed_nothing_runs(finished: Path) -> None:
    run = FakeRun()
    bring_up_to_date(finished, "tag", {}, run)
    assert run.commands == []


def test_the_test_tools_come_on_top_of_what_is_there_and_stay(finished: Path) -> None:
    run = FakeRun()
    bring_up_to_date(finished, "test", {}, run)
    assert run.count("-m venv") == 0
    assert run.count("[docs,training,test]") == 1
    again = FakeRun()
    bring_up_to_date(finished, "tag", {}, again)
    assert again.commands == []


@pytest.mark.parametrize("name", setup_venv.INPUTS)
def test_a_changed_input_is_installed_over_what_is_there(finished: Path, name: str) -> None:
    with (finished / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    run = FakeRun()
    bring_up_to_date(finished, "tag", {}, run)
    assert run.count("-m venv") == 0
    assert run.count("--editable") == 1


def test_a_killed_setup_leaves_no_stamp_and_the_next_one_begins_anew(finished: Path) -> None:
    def kill(command: str) -> bool:
        if "--editable" in command:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(finished, "test", {}, FakeRun(kill))
    assert read_stamp(finished / ".venv") is None
    half_installed = finished / ".venv" / "lib"
    half_installed.mkdir()
    run = FakeRun()
    bring_up_to_date(finished, "tag", {}, run)
    assert run.count("-m venv") == 1
    assert not half_installed.exists()
    assert read_stamp(finished / ".venv") is not None


def test_a_damaged_stamp_counts_as_none(finished: Path) -> None:
    (finished / ".venv" / setup_venv.STAMP).write_text('{"kind": "tag"', encoding="utf-8")
    assert read_stamp(finished / ".venv") is None


def test_a_moved_clone_gets_a_new_environment(finished: Path) -> None:
    moved = finished.rename(finished.with_name("moved"))
    run = FakeRun()
    bring_up_to_date(moved, "tag", {}, run)
    assert run.count("-m venv") == 1


def test_a_python_that_was_removed_or_replaced_gets_a_new_environment(
    finished: Path, tmp_path: Path
) -> None:
    python = finished / ".venv" / "bin" / "python"
    for other in (tmp_path / "gone", Path(shutil.which("sh") or "")):
        python.unlink()
        python.symlink_to(other)
        assert read_stamp(finished / ".venv") is None


def test_what_stands_in_the_way_of_the_environment_is_removed(clone: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (clone / ".venv").mkdir()
    (clone / ".venv" / "link").symlink_to(elsewhere)
    bring_up_to_date(clone, "tag", {}, FakeRun())
    assert not (clone / ".venv" / "link").exists()
    assert (elsewhere / "kept").exists()


def test_another_build_of_torch_gets_a_new_environment_and_stays(finished: Path) -> None:
    run = FakeRun()
    bring_up_to_date(finished, "tag", {"TORCH": "cuda"}, run)
    assert run.count("-m venv") == 1
    assert run.count("torch==2.13.0") == 1
    assert run.count("+cpu") == 0
    again = FakeRun()
    bring_up_to_date(finished, "tag", {}, again)
    assert again.commands == []


def test_another_python_gets_a_new_environment_only_where_it_is_named(finished: Path) -> None:
    stamp = read_stamp(finished / ".venv")
    assert stamp is not None
    setup_venv.write_stamp(finished / ".venv", replace(stamp, python="3.99"))
    unasked, asked = FakeRun(), FakeRun()
    bring_up_to_date(finished, "tag", {}, unasked)
    assert unasked.commands == []
    bring_up_to_date(finished, "tag", {"PYTHON": sys.executable}, asked)
    assert asked.count("-m venv") == 1


def test_an_unknown_build_of_torch_is_refused(clone: Path) -> None:
    with pytest.raises(SetupError, match="TORCH=rocm is unknown") as refusal:
        bring_up_to_date(clone, "tag", {"TORCH": "rocm"}, FakeRun())
    assert refusal.value.exit_code == 2


def test_torch_comes_from_pytorch_s_index_where_ours_has_no_cpu_build(clone: Path) -> None:
    run = FakeRun(lambda command: "torch==" in command and CPU_INDEX not in command)
    bring_up_to_date(clone, "tag", {}, run)
    (request,) = (command for command in run.commands if CPU_INDEX in command)
    assert request.endswith("--timeout 15 --retries 1 torch==2.13.0+cpu")


def test_without_a_cpu_build_the_way_out_is_named_in_one_line(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SetupError, match="make TORCH=cuda") as error:
        bring_up_to_date(clone, "tag", {}, FakeRun(lambda command: "torch==" in command))
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1
    assert "noise of" in capsys.readouterr().err
    assert read_stamp(clone / ".venv") is None


@pytest.mark.parametrize("words", ["-m venv", "setuptools wheel", "--editable", "patch_torchaudio"])
def test_a_step_that_fails_ends_setup_and_leaves_no_stamp(clone: Path, words: str) -> None:
    with pytest.raises(SetupError):
        bring_up_to_date(clone, "test", {}, FakeRun(lambda command: words in command))
    assert read_stamp(clone / ".venv") is None


def test_a_quiet_setup_says_a_line_per_step(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_up_to_date(clone, "tag", {}, FakeRun())
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 5
    assert "noise" not in err


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_2(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup_venv, "ROOT", clone)
    (clone / ".venv").touch()
    assert setup_venv.main(["tag"]) == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line.startswith("setup: ")
    assert ".venv" in last_line


def test_a_machine_that_will_not_do_is_refused_before_anything_is_made(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = replace(GOOD_MACHINE, has_venv=False)
    monkeypatch.setattr(setup_venv, "inspect_machine", lambda folder: machine)
    with pytest.raises(SetupError, match="apt install python3-venv") as refusal:
        bring_up_to_date(clone, "tag", {}, FakeRun())
    assert refusal.value.exit_code == 2
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    ("machine", "remedy"),
    [
        (replace(GOOD_MACHINE, python=(3, 10)), "PYTHON="),
        (replace(GOOD_MACHINE, is_64_bit=False), "64-bit Python"),
        (replace(GOOD_MACHINE, architecture="armv7l"), "64-bit Python"),
        (replace(GOOD_MACHINE, system="darwin"), "macOS (arm64)"),
        (replace(GOOD_MACHINE, is_musl=True), "glibc"),
        (replace(GOOD_MACHINE, has_venv=False), "python3-venv"),
        (replace(GOOD_MACHINE, free_bytes=GIB), "free some"),
    ],
)
def test_each_unmet_need_names_its_remedy_in_one_line(machine: Machine, remedy: str) -> None:
    (line,) = unmet_needs(machine, 3 * GIB)
    assert remedy in line
    assert "\n" not in line


def test_this_machine_and_a_mac_meet_the_needs(tmp_path: Path) -> None:
    mac = replace(GOOD_MACHINE, system="darwin", architecture="arm64")
    assert list(unmet_needs(mac, 3 * GIB)) == []
    assert list(unmet_needs(inspect_machine(tmp_path), 0)) == []


@pytest.mark.parametrize("torch", ["cpu", "cuda"])
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_torchaudio_never_brings_its_own_torch(torch: Torch, system: str) -> None:
    requests = torchaudio_requests("2.11.0", torch, system)
    assert all(request[0] == "--no-deps" for request in requests)
    assert requests[-1] == ["--no-deps", "torchaudio==2.11.0"]


def test_only_linux_has_a_cpu_build_apart() -> None:
    assert all(
        "torch==2.13.0+cpu" in request for request in torch_requests("2.13.0", "cpu", "linux")
    )
    assert torch_requests("2.13.0", "cpu", "darwin") == [["torch==2.13.0"]]


def test_a_stamp_survives_being_written_and_read(finished: Path) -> None:
    stamp = Stamp("test", "cuda", "3.13", "/with ünïcode", "f00")
    setup_venv.write_stamp(finished / ".venv", stamp)
    assert read_stamp(finished / ".venv") == stamp


def test_commands_are_kept_from_settings_that_lead_out_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_FIND_LINKS", "/kept")
    code = "import os; print(sorted({'PIP_USER', 'PYTHONPATH', 'PIP_FIND_LINKS'} & {*os.environ}))"
    assert setup_venv.run_logged([sys.executable, "-c", code], tmp_path / "log") == 0
    assert (tmp_path / "log").read_text(encoding="utf-8").endswith("['PIP_FIND_LINKS']\n")
    assert setup_venv.run_logged([sys.executable, "-c", "exit(3)"], tmp_path / "log") == 3


# --- finding a Python -----------------------------------------------------------------------------


def find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run with_python.sh where only the commands in a folder are found."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools/with_python.sh"), "-c", "print('ran')"],
        cwd=folder,
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def put_command(folder: Path, name: str, script: str) -> Path:
    """A shell command of that name in a folder."""
    command = folder / name
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    return command


NEW_ENOUGH = f'exec "{sys.executable}" "$@"'
TOO_OLD = "echo /usr/bin/python3; exit 1"


def test_a_newer_python_is_found_behind_one_that_is_too_old(tmp_path: Path) -> None:
    put_command(tmp_path, "python3", TOO_OLD)
    put_command(tmp_path, "python3.13", "exit 127")
    put_command(tmp_path, "python3.12", NEW_ENOUGH)
    assert find_python(tmp_path).stdout == "ran\n"


def test_the_python_of_the_environment_comes_first(tmp_path: Path) -> None:
    put_command(tmp_path, "python3", "echo wrong")
    put_command(tmp_path, ".venv/bin/python", NEW_ENOUGH)
    assert find_python(tmp_path).stdout == "ran\n"


@pytest.mark.parametrize("wanted", ["", "missing", "python3"])
def test_without_a_python_that_will_do_one_line_names_the_remedy(
    tmp_path: Path, wanted: str
) -> None:
    put_command(tmp_path, "python3", TOO_OLD)
    finished = find_python(tmp_path, PYTHON=wanted)
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert "3.11 or newer" in line


def test_a_python_that_is_named_is_used_also_with_blanks_in_its_path(tmp_path: Path) -> None:
    put_command(tmp_path, "python3", "echo wrong")
    named = put_command(tmp_path / "my pythons", "python", NEW_ENOUGH)
    assert find_python(tmp_path, PYTHON=str(named)).stdout == "ran\n"


# --- mending torchaudio ---------------------------------------------------------------------------

NEEDS_CUDA = "libc10_cuda.so: cannot open shared object file: No such file or directory"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Stand-ins for torch's CPU build and a torchaudio that loads its extension if it is there."""
    library = tmp_path / "torchaudio" / "lib"
    library.mkdir(parents=True)
    for name in ("_torchaudio.abi3.so", "libtorchaudio.abi3.so"):
        (library / name).touch()
    (tmp_path / "torch.py").write_text("class version:\n    cuda = None\n", encoding="utf-8")
    write_torchaudio(tmp_path, NEEDS_CUDA)
    return tmp_path


def write_torchaudio(packages: Path, complaint: str) -> None:
    """Let `import torchaudio` fail with a complaint while its extension is there."""
    (packages / "torchaudio" / "__init__.py").write_text(
        "from pathlib import Path\n"
        "if list(Path(__file__).parent.glob('lib/_torchaudio*.so')):\n"
        f"    raise OSError({complaint!r})\n",
        encoding="utf-8",
    )


def patch(packages: Path) -> subprocess.CompletedProcess[str]:
    """Run the patch where the stand-ins come before the real packages."""
    return subprocess.run(
        [sys.executable, str(ROOT / "tools/patch_torchaudio.py")],
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )


def extensions(packages: Path) -> list[str]:
    return sorted(path.name for path in (packages / "torchaudio" / "lib").iterdir())


def test_the_extension_that_needs_cuda_is_removed_once(packages: Path) -> None:
    first, second = patch(packages), patch(packages)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "_torchaudio.abi3.so" in first.stdout
    assert second.stdout == ""
    assert extensions(packages) == ["libtorchaudio.abi3.so"]


def test_beside_a_cuda_build_the_extension_stays(packages: Path) -> None:
    (packages / "torch.py").write_text("class version:\n    cuda = '13.0'\n", encoding="utf-8")
    assert patch(packages).returncode == 1
    assert "_torchaudio.abi3.so" in extensions(packages)


def test_a_torchaudio_that_fails_for_another_reason_is_left_alone(packages: Path) -> None:
    write_torchaudio(packages, "undefined symbol: aoti_torch_abi_version")
    finished = patch(packages)
    assert finished.returncode == 1
    assert "undefined symbol" in finished.stderr
    assert "_torchaudio.abi3.so" in extensions(packages)


def test_a_torchaudio_that_works_is_left_alone(packages: Path) -> None:
    (packages / "torchaudio" / "__init__.py").write_text("", encoding="utf-8")
    assert patch(packages).returncode == 0
    assert "_torchaudio.abi3.so" in extensions(packages)


def test_the_torchaudio_that_is_installed_works() -> None:
    assert subprocess.run([sys.executable, "-c", "import torchaudio"], check=False).returncode == 0
