"""docs/reference/reasons.md: every code of a reason, with its values and words."""

from __future__ import annotations

from collections.abc import Iterator

from tagger.reasons import WORDS, ReasonCode, values_of

_SUBJECTS = {
    ReasonCode.SAME: "What stands in the file",
    ReasonCode.ALBUM: "Whose word it is",
    ReasonCode.UNDECIDED: "Who has heard it",
    ReasonCode.SILENT: "Why what was heard is not written",
    ReasonCode.AS_BEFORE: "What `tagger undo` did in part, or left alone",
    ReasonCode.NOT_FOUND: "What the system said",
    ReasonCode.FOLDER: "What is wrong with the file",
    ReasonCode.CRASHED: "What became of the work on it",
}
"""The first code of each subject; the others follow it in ``ReasonCode``."""


def body() -> str:
    """Return the page: a row a code."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for code in ReasonCode:
        if code in _SUBJECTS:
            yield f"\n## {_SUBJECTS[code]}\n\n| code | values | in words |\n|---|---|---|"
        values = ", ".join(f"`{name}`" for name in values_of(code))
        yield f"| `{code}` | {values} | {WORDS[code]} |"
