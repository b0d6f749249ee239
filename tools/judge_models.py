"""Models side by side on labelled clips: `python -m tools.judge_models CLIPS [--model NAME …]`.

CLIPS holds a folder of clips for each genre. Of each model and folder it prints how many clips it
hears as that genre (the likeliest of its genres that are not a kind of another), and what it would
write by default: right by the folder's name, or right by that or the genre in the clip's own tag,
for in some collections the folders are divided otherwise than the publisher's shelves. With two
models it prints the same of what both would write alike, and how often both hear the same genre
rightly, of all and of each genre, beside how often each is right of as many clips that it is surest
of.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.analysis import listen_to
from tagger.card import find_model, read_card
from tagger.decision import make_policy
from tagger.errors import DatasetError, TaggerError
from tagger.records import TrackFailure
from tagger.tags import read_tags


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and what it is.

    Args:
        folder: The name of its folder.
        genres: That, and the genres in its own tag, in lower case.
    """

    path: Path
    folder: str
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likeliest genre of a clip, how sure a model is, and what it would write, or ""."""

    clip: Clip
    likeliest: str
    confidence: float
    written: str

    @property
    def is_heard(self) -> bool:
        """Whether the likeliest genre is the folder's."""
        return _names(self.likeliest, (self.clip.folder.casefold(),))

    @property
    def is_right(self) -> bool:
        """Whether what is written is the folder's genre."""
        return _names(self.written, (self.clip.folder.casefold(),))

    @property
    def is_right_by_either(self) -> bool:
        """Whether what is written is the folder's genre or that of the clip's own tag."""
        return _names(self.written, self.clip.genres)


def main() -> int:
    """Judge each model, print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--model", action="append", metavar="NAME|FILE")
    arguments = parser.parse_args()
    try:
        clips = find_clips(arguments.clips)
        judged = {}
        for name in arguments.model or ["default", "musicnn"]:
            started = time.process_time()
            judged[name] = judge(clips, find_model(name))
            cost_ms = (time.process_time() - started) / len(clips) * 1000
            print(f"{name}, {cost_ms:.0f} ms of processor a clip")
            print_table(judged[name])
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if len(judged) == 2:
        print_agreement(judged)
    return 0


def find_clips(folder: Path) -> list[Clip]:
    """Return the clips of FOLDER/GENRE/CLIP.

    Raises:
        DatasetError: there are none.
        TagReadError: a clip's tag cannot be understood.
    """
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    if not paths:
        raise DatasetError("holds no folders of clips", folder)
    clips = []
    for path in paths:
        genres = (path.parent.name, *read_tags(path).genres)
        clips.append(Clip(path, path.parent.name, tuple(genre.casefold() for genre in genres)))
    return clips


def judge(clips: Sequence[Clip], model_path: Path) -> list[Verdict]:
    """Return what a model makes of each clip.

    Raises:
        DatasetError: a clip cannot be decoded.
    """
    card = read_card(model_path)
    policy = make_policy(card.genre_labels, card.writable, card.thresholds, broader=card.broader)
    verdicts = []
    for clip in clips:
        heard = listen_to(clip.path, model_path)
        if isinstance(heard, TrackFailure):
            raise DatasetError(heard.reason, clip.path)
        likeliest = max(card.main_genres, key=lambda label: heard.probabilities[label])
        written = () if heard.unheard else policy.choose(heard.probabilities)
        confidence = heard.probabilities[likeliest]
        verdicts.append(Verdict(clip, likeliest, confidence, written[0] if written else ""))
    return verdicts


def agreed(one: Verdict, other: Verdict) -> Verdict:
    """Return what both would write."""
    alike = one.written if one.written == other.written else ""
    likeliest = one.likeliest if one.likeliest == other.likeliest else ""
    return replace(one, likeliest=likeliest, written=alike)


def print_agreement(judged: Mapping[str, Sequence[Verdict]]) -> None:
    """Print what two models hear alike, by folder and by genre, beside what each is surest of."""
    print("both alike")
    both = [agreed(*pair) for pair in zip(*judged.values(), strict=True)]
    print_table(both)
    alike = [verdict for verdict in both if verdict.likeliest]
    print(f"both hear the same genre in {_count(alike)}")
    for name, verdicts in judged.items():
        surest = sorted(verdicts, key=lambda verdict: -verdict.confidence)[: len(alike)]
        print(f"the surest by {name}: {_count(surest)}")
    _print_genres([replace(verdict, written=verdict.likeliest) for verdict in alike])


def _print_genres(verdicts: Sequence[Verdict]) -> None:
    """Print a line a genre, of what would be right were it written, the commonest first."""
    print(f"  {'both hear':12s} clips  right  right by either")
    for genre, n_clips in Counter(verdict.written for verdict in verdicts).most_common():
        of_genre = [verdict for verdict in verdicts if verdict.written == genre]
        n_right = sum(verdict.is_right for verdict in of_genre)
        n_by_either = sum(verdict.is_right_by_either for verdict in of_genre)
        print(f"  {genre:12s} {n_clips:5d} {n_right:6d} {n_by_either:7d}")


def _count(verdicts: Sequence[Verdict]) -> str:
    n_right = sum(verdict.is_heard for verdict in verdicts)
    return f"{len(verdicts)} clips, in {n_right} of them that of the folder"


def print_table(verdicts: Sequence[Verdict]) -> None:
    """Print a line a folder, and the sum."""
    print(f"  {'':12s} clips  heard so  written  right  right by either")
    folders = sorted({verdict.clip.folder for verdict in verdicts})
    for folder in folders:
        _print_line(folder, [v for v in verdicts if v.clip.folder == folder])
    _print_line("all", verdicts)


def _print_line(name: str, verdicts: Sequence[Verdict]) -> None:
    written = [v for v in verdicts if v.written]
    print(
        f"  {name:12s} {len(verdicts):5d} {sum(v.is_heard for v in verdicts):9d} "
        f"{len(written):8d} {sum(v.is_right for v in written):6d} "
        f"{sum(v.is_right_by_either for v in written):7d}"
    )


def _names(genre: str, genres: Sequence[str]) -> bool:
    """Return whether one of the genres is this one or a kind of it by its name.

    >>> _names("Rock", ["alternative rock"]), _names("Electronic", ["electro rock"])
    (True, True)
    >>> _names("", ["rock"]), _names("Pop", ["hip-hop"])
    (False, False)
    """
    words = {word for name in genres for word in name.replace("-", " ").split()}
    stem = genre.casefold().removesuffix("nic")
    return bool(stem) and (genre.casefold() in genres or any(w.startswith(stem) for w in words))


if __name__ == "__main__":
    sys.exit(main())
