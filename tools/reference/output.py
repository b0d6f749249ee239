"""docs/reference/output.md: exit codes, what became of a track, and the fields of each command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tagger.cli import EXIT_CODES
from tagger.records import Status
from tagger.tag_fields import TAG_FIELDS

_STATUSES = {
    Status.WRITTEN: "its genre was blank and now is not",
    Status.PLANNED: "would be written, were it not for `--dry-run`",
    Status.PREDICTED: "would be written, were it not for `--no-write`",
    Status.KEPT: "somebody else's genre stands there, or you took ours back; what was heard is in "
    "the catalogue",
    Status.UNSURE: "not sure enough, too short, or silent; nothing was written. In text a genre "
    "with a question mark is what it is most like",
    Status.UNCHANGED: "nothing new to hear and nothing to write",
    Status.MOVED: "known from another place; its row and its history came along",
    Status.RESTORED: "of `undo`: what stood there before stands there again",
    Status.FAILED: "left as it was; the reason says what to do",
}
_REASON = {
    "reason": "why, in words; words may change",
    "reason_code": "why, as [a code](reasons.md); null where there is nothing to say",
}
_ROW = {
    "path": "the file",
    "title": "as in the tags",
    "artist": "as in the tags",
    "album": "as in the tags",
    "year": "year of release, as in the tags; null where they name none",
    "genres": "those that stand in the file; if none do, those that the tagger decided on",
    "confidence": "of the first of them; null where it is a person's",
    "duration_s": "length in seconds; null while the file was never decoded",
    "status": "what became of it last",
    **_REASON,
}
_RUN = {
    "id": "its number",
    "command": "what was called",
    "started": "when, in ISO 8601",
    "ended": "likewise; null while it goes on, and if it was killed",
    "model": "what it heard by; null of a run that heard nothing",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "tag": {
        "path": "the file",
        "status": "what became of it",
        "genres": "what was written, or would be; where nothing is, what stands there",
        "confidence": "of the first of them",
        "evidence": "what decided: `album`, `artist` or `sound`; null where nothing did",
        "said": "what your own tags say of it, whether they decided or not: `by`, `genres`, "
        "`confidence`, `n_agreeing` of `n_recordings`, `rest`, and whether folders "
        "told artist or album (`by_folder`); null where they say nothing",
        "probabilities": "what was heard, by label",
        "n_segments": "how many parts of the track were listened to",
        "before": "the genres that stood in the file",
        "written": "whether the file was written",
        "model": "what it was heard by",
        "suggestions": "the likeliest genres, each with `genre` and `confidence`, the likeliest "
        "first, also where nothing is written",
        "error": "`stage` and `reason` where the file failed, else null",
        **_REASON,
    },
    "list": _ROW,
    "similar": {
        **_ROW,
        "similarity": "to what was asked for, from -1 to 1; 1 is the same",
        "shared_genres": "with `--why`: the genres that both have",
        "nearest": "with `--why`: which of several tracks it is most like, else null",
    },
    "doubtful": {
        "path": "the file",
        "genres": "the genre of yours that looks wrong",
        "sureness": "how surely it looks wrong; the list is in this order",
        "against": "what speaks against it by your own tags: `album` or `artist`, else null",
        "rest": "the genres of the others there",
        "n_agreeing": "how many of the others have these genres",
        "n_others": "how many others there are",
        "rest_confidence": "how often such evidence is right in your library",
        "likelihood": "how likely your genre is by sound; null where sound says nothing",
        "suggestion": "the genre that it sounds like",
        "confidence": "of that genre",
    },
    "genres": {
        "genre": "as it stands in tags, letter by letter",
        "word": "what your list of genres calls it; the same where nothing would change",
        "allowed": "whether your list allows it to be written",
        "n_tracks": "how many tracks bear it",
        "n_ours": "on how many of these the tagger wrote it",
    },
    "genres --apply": {
        "path": "the file",
        "status": "what became of it",
        "before": "the genres that stood there",
        "genres": "those that stand there now, or would",
        "ours": "whether the tagger wrote them, and so it stays",
        **_REASON,
    },
    "service status": {
        "job": "`watch` or `nightly`",
        "path": "its unit file",
        "installed": "whether that is there",
        "ours": "whether the tagger made it",
        "enabled": "what systemctl says; empty where systemd was not asked",
        "active": "likewise",
        "command": "what it runs, as it stands in the file",
    },
    "runs": {
        **_RUN,
        "elapsed_s": "how long it took, seconds",
        "interrupted": "whether it was ended early",
        "paths": "what it was asked to look at",
        "written": "how many tracks became that; so for the next ones",
        "predicted": "likewise",
        "kept": "likewise",
        "unsure": "likewise",
        "unchanged": "likewise",
        "restored": "likewise",
        "failed": "likewise",
        "undoable": "how many of its writes `tagger undo` could take back",
    },
    "undo": {
        "path": "the file",
        "status": "what became of it",
        "genres": "what stands there now, or would",
        "before": "what stood there when `undo` began",
        "run": "the number of the run whose write this was",
        **_REASON,
        "exact": "whether the file is byte for byte as it was before that run",
    },
    "info FILE": {
        **_ROW,
        "evidence": "what your own tags say of it, as `said` of `tag`",
        "model": "what heard it last",
        "probabilities": "what that heard, by label",
        "runs": "the runs that had to do with it: " + ", ".join(f"`{name}`" for name in _RUN),
    },
    "info": {
        "catalog": "`path`, `schema`, `n_tracks`, `n_failures`",
        "model": "`id`, `architecture`, `bases` (the networks that it is made of), `labels`, "
        "`genres` (the labels that are genres), `writable` (those that are written unasked), "
        "`n_parameters`, `sample_rate`, `segment_s`, `first_segments` (how many segments are "
        "heard at first), `max_segments`, `thresholds` (from which confidence on each is written)",
    },
    "catalog check": {
        "problem": "what is wrong",
        "n": "how many rows that is true of",
        "example": "the first of them",
    },
    "catalog prune": {
        "path": "the file that is gone",
        "vanished": "when it was first found to be gone",
        "undoable": "how many writes in it could have been undone",
        "forgotten": "whether it was forgotten",
    },
    "catalog export": {
        **_ROW,
        **{one.name: one.about or "as in the tags" for one in TAG_FIELDS if one.name not in _ROW},
        "file_genres": "genres that stand in the file",
        "heard_genres": "genres the tagger decided on",
        "provenance": "our own field in the file's tag",
        "size_bytes": "of the file",
        "mtime_ns": "time of its last change, nanoseconds since 1970",
        "audio": "its recording: the same in all copies of it",
        "model": "what heard it last",
        "probabilities": "what that heard, by label",
    },
    "learn": {
        "model": "the id of what was learned",
        "file": "where it is kept; null with `--dry-run`",
        "learned_on": "the network whose embedding it was learned on",
        "exclusive": "whether a track has one genre, or may have several",
        "writable": "the genres that are sure enough to be written unasked",
        "changes": "how genres were cleaned up, and why",
        "genres": "each genre: how many tracks and artists, precision, recall, thresholds",
    },
}
"""What the fields of each command mean; of `learn`, whose report has many, the main ones."""


def body() -> str:
    """Return the page."""
    return "\n".join([*_codes(), *_became(), *_records()])


def _codes() -> Iterator[str]:
    yield "## Exit codes\n| code | meaning |\n|--:|---|"
    yield from (f"| {code} | {said} |" for code, said in EXIT_CODES.items())
    yield ""


def _became() -> Iterator[str]:
    yield "## What became of a track\n| status | meaning |\n|---|---|"
    yield from (f"| `{status}` | {_STATUSES[status]} |" for status in Status)
    yield ""


def _records() -> Iterator[str]:
    for command, meanings in FIELDS.items():
        how = "json" if command == "learn" else "jsonl"
        yield f"## tagger {command}\n`--format {how}` has these fields:\n"
        yield "| field | meaning |\n|---|---|"
        yield from (f"| `{name}` | {said} |" for name, said in meanings.items())
        yield ""
