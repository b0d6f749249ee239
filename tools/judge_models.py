"""Models side by side on labelled clips: `python -m tools.judge_models CLIPS [--model NAME …]`.

CLIPS is a collection as `tools.labelled_clips` knows them. Of each model and label (a folder, or a
genre in the table) it prints how many clips it hears as that genre (the likeliest of its genres
that are not a kind of another), and what it would write by default: right by the label, or right by
that or the genre in the clip's own tag, for in some collections the folders are divided otherwise
than the publisher's shelves. A clip of several labels is right by any, and counts once in the sum.
Then of each genre how often it would be written, and rightly. With two models it prints the same of
what both would write alike, and how often both hear the same genre rightly, of all and of each
genre, beside how often each is right of as many clips that it is surest of.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.errors import DatasetError, TaggerError
from tagger.hearing.analysis import analyse_file
from tagger.models.files import find_model, read_card
from tagger.records import TrackFailure
from tagger.tagging.decision import make_policy
from tools.labelled_clips import Clip, find_clips, is_named


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likeliest genre of a clip, how sure a model is, and what it would write, or ""."""

    clip: Clip
    likeliest: str
    confidence: float
    written: str

    @property
    def is_heard(self) -> bool:
        """Whether the likeliest genre is the label's."""
        return is_named(self.likeliest, self.clip.labels)

    @property
    def is_right(self) -> bool:
        """Whether what is written is the label's genre."""
        return is_named(self.written, self.clip.labels)

    @property
    def is_right_by_either(self) -> bool:
        """Whether what is written is the label's genre or that of the clip's own tag."""
        return is_named(self.written, self.clip.genres)


def main() -> int:
    """Judge each model, print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--model", action="append", metavar="NAME|FILE")
    arguments = parser.parse_args()
    try:
        clips = find_clips(arguments.clips)
        judged = {}
        for name in arguments.model or ["default", "fast"]:
            started = time.process_time()
            judged[name] = judge(clips, find_model(name))
            cost_ms = (time.process_time() - started) / len(clips) * 1000
            print(f"{name}, {cost_ms:.0f} ms of processor a clip")
            print_table(judged[name])
            _print_genres("written", [one for one in judged[name] if one.written])
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if len(judged) == 2:
        print_agreement(judged)
    return 0


def judge(clips: Sequence[Clip], model_path: Path) -> list[Verdict]:
    """Return what a model makes of each clip.

    Raises:
        DatasetError: a clip cannot be decoded.
    """
    card = read_card(model_path)
    policy = make_policy(card.genre_labels, card.writable, card.thresholds, broader=card.broader)
    verdicts = []
    for clip in clips:
        heard = analyse_file(clip.path, model_path)
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
    heard = [replace(verdict, written=verdict.likeliest) for verdict in alike]
    _print_genres("both hear", heard)


def _print_genres(what: str, verdicts: Sequence[Verdict]) -> None:
    """Print a line a genre, of what is right where it is written, the commonest first."""
    print(f"  {what:12s} clips  right  right by either")
    for genre, n_clips in Counter(verdict.written for verdict in verdicts).most_common():
        of_genre = [verdict for verdict in verdicts if verdict.written == genre]
        n_right = sum(verdict.is_right for verdict in of_genre)
        n_by_either = sum(verdict.is_right_by_either for verdict in of_genre)
        print(f"  {genre:12s} {n_clips:5d} {n_right:6d} {n_by_either:7d}")


def _count(verdicts: Sequence[Verdict]) -> str:
    n_right = sum(verdict.is_heard for verdict in verdicts)
    return f"{len(verdicts)} clips, in {n_right} of them that of the label"


def print_table(verdicts: Sequence[Verdict]) -> None:
    """Print a line a folder, and the sum."""
    print(f"  {'':12s} clips  heard so  written  right  right by either")
    for label in sorted({label for verdict in verdicts for label in verdict.clip.labels}):
        _print_line(label, [v for v in verdicts if label in v.clip.labels])
    _print_line("all", verdicts)


def _print_line(name: str, verdicts: Sequence[Verdict]) -> None:
    written = [v for v in verdicts if v.written]
    print(
        f"  {name:12s} {len(verdicts):5d} {sum(v.is_heard for v in verdicts):9d} "
        f"{len(written):8d} {sum(v.is_right for v in written):6d} "
        f"{sum(v.is_right_by_either for v in written):7d}"
    )


if __name__ == "__main__":
    sys.exit(main())
