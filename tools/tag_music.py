"""What `make tag` runs once `.venv` is there: `tagger tag` on MUSIC, or on a copy of examples/.

The Makefile passes on what the user typed in environment variables, byte for byte. Nothing here
or after it goes through a shell, so that blanks, quotes, `$` and bytes that are not UTF-8 arrive.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
MUSIC = "MAKE_TAG_MUSIC"
ARGS = "MAKE_TAG_ARGS"


def main() -> NoReturn:
    """Become `tagger tag`; exit with 2 where ARGS cannot be read."""
    try:
        command = tag_command(os.environ)
    except ValueError as error:
        print(f"make tag: ARGS is not a list of shell words: {error}", file=sys.stderr)
        sys.exit(2)
    if not os.environ.get(MUSIC):
        print("No MUSIC given: tagging a fresh copy of examples/", file=sys.stderr, flush=True)
        copy_examples(ROOT)
    environment = {name: value for name, value in os.environ.items() if name not in (MUSIC, ARGS)}
    # In place of this process, so that Ctrl-C and the exit code are the tagger's.
    os.execve(command[0], command, environment)


def tag_command(environment: Mapping[str, str], root: Path = ROOT) -> list[str]:
    """The words of the command.

    Raises:
        ValueError: the quotes in ARGS do not match.

    Example:
        >>> tag_command({"MAKE_TAG_MUSIC": "/a b", "MAKE_TAG_ARGS": "--jobs '2'"}, Path("/c"))
        ['/c/.venv/bin/tagger', 'tag', '--jobs', '2', '--', '/a b']
    """
    options = [expand_home(word) for word in shlex.split(environment.get(ARGS, ""))]
    tagger = [str(root / ".venv/bin/tagger"), "tag"]
    music = environment.get(MUSIC)
    if music:
        return [*tagger, *options, "--", expand_home(music)]
    return [*tagger, "--catalog", "build/examples.db", *options, "--", "build/examples"]


def expand_home(word: str) -> str:
    """Replace a leading `~`, which not every shell does behind `MUSIC=`; keep all else.

    pathlib would also drop a trailing slash and fail on a user that there is not.
    """
    return os.path.expanduser(word)  # noqa: PTH111


def copy_examples(root: Path) -> None:
    """Lay a fresh copy of examples/ under build/, without what an earlier run left there."""
    build = root / "build"
    shutil.rmtree(build / "examples", ignore_errors=True)
    for leftover in build.glob("examples.db*"):
        leftover.unlink()
    shutil.copytree(root / "examples", build / "examples", ignore=shutil.ignore_patterns("*.md"))


if __name__ == "__main__":
    main()
