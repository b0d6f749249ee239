"""What pip gets: the wheel, the source archive, the pins and the licences."""

import configparser
import email.message
import email.parser
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.library import environment, genre_of, make_track
from tools.setup_venv import read_pins

ROOT = Path(__file__).resolve().parent.parent
NOT_PACKAGED = (".git", ".venv", ".*_cache", ".hypothesis", "build", "dist", "runs", "shared")
PROJECT_FOLDERS = (
    "beetsplug",
    *(".ci", "benchmarks", "docs", "examples", "man", "migrations", "notebooks", "tagger", "tests"),
    *("tools", "training"),
)
PROJECT_FILES = (
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "mkdocs.yml",
)
GENERATED = ("__pycache__", "*.egg-info")


def read_metadata() -> configparser.ConfigParser:
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    return metadata


def read_requirements() -> list[Requirement]:
    """All direct dependencies, those of the extras included."""
    metadata = read_metadata()
    lists = [metadata["options"]["install_requires"], *metadata["options.extras_require"].values()]
    return [Requirement(line) for text in lists for line in text.split("\n") if line.strip()]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without what is not part of it, to build from."""
    copy = tmp_path_factory.mktemp("tree") / "genre-tagger"
    return copytree(ROOT, copy, ignore=ignore_patterns(*NOT_PACKAGED, *GENERATED))


@pytest.fixture(scope="module")
def dist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and, built from it, the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(tree)]
    subprocess.run(build, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("genre_tagger-*-py3-none-any.whl")
    return path


def read_wheel_metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(archive.read(name).decode())


def test_the_wheel_installs_the_tagger_and_its_migrations_alone(wheel: Path, tree: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(tree)) for path in (tree / "tagger").rglob("*.py")}
    modules.add("beetsplug/tagger.py")  # without an __init__.py, as beets' own plugins
    revisions = {f"tagger/{path.relative_to(tree)}" for path in (tree / "migrations").rglob("*.py")}
    data = {name for name in names if not name.endswith(".py")}
    manual = {name for name in data if name.endswith(".1")}
    assert {Path(name).name for name in manual} == {p.name for p in (tree / "man").iterdir()}
    assert all(".data/data/share/man/man1/" in name for name in manual)
    data -= manual
    assert names - data - manual == modules | revisions
    assert "tagger/py.typed" in data
    assert data - {"tagger/py.typed"} == {
        str(path.relative_to(tree))
        for pattern in (
            "models/*.pt",
            "models/*.md",
            "models/*.toml",
            "looks/*.css",
            "report/*.css",
            "review/*.css",
            "review/*.js",
            "review/templates/*.html",
            "report/*.js",
            "report/templates/*.html",
        )
        for path in (tree / "tagger").glob(pattern)
    }


def test_the_wheel_names_its_licence_command_and_python(wheel: Path) -> None:
    metadata = read_wheel_metadata(wheel)
    assert metadata["Name"] == "genre-tagger"
    assert metadata["License-Expression"] == "GPL-3.0-or-later"
    assert metadata["Requires-Python"] == ">=3.11"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (name for name in names if name.endswith("/entry_points.txt"))
        assert "tagger = tagger.cli:main" in archive.read(entry_points).decode()
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_what_an_index_shows_is_the_readme_without_links_to_files(wheel: Path) -> None:
    metadata = read_wheel_metadata(wheel)
    assert metadata["Description-Content-Type"] == "text/markdown"
    told = str(metadata.get_payload())
    assert told.startswith("# tagger\n")
    assert "![" not in told
    assert re.findall(r"\]\((?!https?:)[^)]*\)", told) == []
    assert not re.search(r"\|---\|---\|\n(?!\|)", told)
    assert "All pages: docs/README.md." in told


def test_who_only_tags_gets_no_training_tools(wheel: Path) -> None:
    requirements = map(Requirement, read_wheel_metadata(wheel).get_all("Requires-Dist", []))
    plain = {canonicalize_name(r.name) for r in requirements if r.marker is None}
    assert {"torch", "mutagen", "av"} <= plain
    assert not {"torchaudio", "scikit-learn", "matplotlib", "pytest"} & plain


def new_environment(folder: Path) -> Path:
    """An environment without this project; what that depends on it borrows from the running one."""
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Packages alone: a borrowed folder's own .pth files, that of an editable install, are not read.
    borrowed = [path for path in sys.path if path.endswith("-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Installed:
    """What was installed into an environment of its own."""

    place: Path
    elsewhere: Path

    def call(self, program: str, *words: str | Path) -> str:
        done = subprocess.run(
            [self.place / "bin" / program, *words],
            cwd=self.elsewhere,
            env=environment(HOME=str(self.elsewhere), XDG_DATA_HOME=str(self.elsewhere / "data")),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def files(self) -> set[Path]:
        """What lies there of this project, but for what says how it was installed."""
        found = (path.relative_to(self.place) for path in self.place.rglob("*"))
        ours = ("tagger", "beetsplug", "man")
        return {p for p in found if set(ours) & set(p.parts) and p.suffix != ".pyc"}


def installed(archive: Path, folder: Path) -> Installed:
    place = new_environment(folder / "environment")
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
    subprocess.run([*pip, *alone, str(archive)], check=True, capture_output=True)
    (folder / "elsewhere").mkdir()
    return Installed(place, folder / "elsewhere")


@pytest.mark.slow
def test_the_wheel_is_used_where_nothing_else_of_the_project_is(
    wheel: Path, tmp_path: Path, model: Path
) -> None:
    here = installed(wheel, tmp_path)
    music = make_track(here.elsewhere / "music" / "song.flac").parent
    assert "written" in here.call("tagger", "tag", music, "--model", model, "--jobs", "1")
    assert genre_of(music / "song.flac") == ["Rock"]
    assert "song.flac" in here.call("tagger", "list", "--genre", "Rock")
    assert (here.place / "share" / "man" / "man1" / "tagger-tag.1").is_file()


@pytest.mark.slow
def test_the_source_archive_installs_what_the_wheel_does(
    wheel: Path, dist: Path, tmp_path: Path
) -> None:
    (source,) = dist.glob("*.tar.gz")
    by_source, by_wheel = installed(source, tmp_path / "a"), installed(wheel, tmp_path / "b")
    code = "import tagger, tagger.migrations as m; print(tagger.__file__, m.__file__)"
    for name in by_source.call("python", "-c", code).split():
        assert Path(name).is_relative_to(by_source.place)
    assert by_source.files == by_wheel.files


def test_the_source_archive_holds_the_whole_project(dist: Path, tree: Path) -> None:
    (path,) = dist.glob("genre_tagger-*.tar.gz")
    with tarfile.open(path) as archive:
        members = (Path(member.name) for member in archive if member.isfile())
        packed = {str(Path(*member.parts[1:])) for member in members}
    folders = (tree / name for name in PROJECT_FOLDERS)
    files = {str(f.relative_to(tree)) for top in folders for f in top.rglob("*") if f.is_file()}
    assert files <= packed
    assert {*PROJECT_FILES, ".ci/run", "training/__init__.py"} <= packed


def test_every_direct_dependency_is_pinned_to_a_version_it_allows() -> None:
    pins = {canonicalize_name(k): v for k, v in read_pins(ROOT / "constraints.txt").items()}
    for requirement in read_requirements():
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_every_pin_is_one_exact_public_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pins)
    names = [canonicalize_name(line.split("==")[0]) for line in pins]
    assert len(names) == len(set(names))


def test_every_direct_dependency_is_acknowledged_with_its_licence() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+)[^|]*\| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
    acknowledged = sorted(name for name in rows if name != "package")
    assert acknowledged == sorted(canonicalize_name(r.name) for r in read_requirements())


def test_the_licence_is_the_whole_text_of_the_gpl() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 3, 29 June 2007" in text
    assert "17. Interpretation of Sections 15 and 16." in text
    assert len(text.splitlines()) > 600
