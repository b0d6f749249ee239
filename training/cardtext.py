"""The model card in words, made from the checkpoint so that no figure in it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tagger.models.card import ModelCard

_USE = """\
## What it is for
Putting a genre on music that bears none, where it is sure enough, and finding tracks that sound
alike. It hears at most {max_segments} segments of {segment_s:.1f} s, spread over the track, at
{sample_rate} Hz.

## What it cannot do
- It knows {n_labels} labels and no others{foreign}; such music should come out unsure, and
  sometimes does not.
- Written by default: {writable}. Predicted and catalogued, but written only with `--genres`:
  {unwritable}.
{of_its_data}- {odd}
"""

_FMA_FOREIGN = """\
. **It cannot name Classical, Jazz, Blues, Metal, Soul, Reggae,
  Country** or anything else that is not in the table below"""

_FMA_LIMITS = """\
- Experimental, Instrumental and International are shelf marks of an archive that catch everything
  odd. By Folk it means soft: its rock is loud and its folk is soft, as on the Free Music Archive,
  so that soft rock, acoustic pop and classical music of other collections are often called Folk.
"""

_ODD_TAUGHT = """\
Sounds that are no music (noise, tones) were shown to it as no genre at all. What it makes of
  other kinds (hum, clicks, speech, whale song) `python -m training oddities` tells."""
_ODD_UNKNOWN = """\
Sounds that are no music (noise, hum, speech, whale song) get a label all the same."""

_DATA = """\
## Data
{origin} Features: `{features}`; teacher: {teacher}. Only numbers derived from the sound are in the
checkpoint, no audio.

Split: {split}, seed {seed}. {judged}
"""

_FMA_DATA = """\
FMA Small (Defferrard, Benzi, Vandergheynst, Bresson: FMA, a dataset for music analysis, ISMIR
2017, arXiv 1612.01840): 30 s clips of tracks under Creative Commons licences from the Free Music
Archive; its metadata are under CC BY 4.0."""

_IN_FOLDS = """\
Temperature and thresholds are fitted on what those networks say of tracks by artists that they had
never heard; the figures below are each fold's with temperature and thresholds from the other folds.
The network in the file is fitted on all tracks in the same way."""

_ON_TENTHS = """\
The validation tenth chose the epoch and fitted temperature and thresholds; the test tenth took part
in no choice and serves for this card alone."""


_ARTISTS = "On artists never trained on; intervals are 95 %, drawn over artists."
_UNKNOWN_ARTISTS = """\
On tracks never trained on. The data do not say whose they are: an artist may stand on both sides,
which flatters, and intervals (95 %) are drawn over tracks."""


def card_text(card: ModelCard) -> str:
    """Return a model card in Markdown."""
    provenance = card.provenance
    scores: Mapping[str, Mapping[str, Any]] = provenance["scores"]
    is_fma = provenance["is_fma"]
    unwritable = [label for label in card.labels if label not in card.writable]
    parts = [
        f"# Model card: {card.model_id}",
        f"A {card.architecture} network of {card.n_parameters:,} parameters. Its weights are part "
        "of this project and under its licence, GPL-3.0-or-later.",
        _USE.format(
            max_segments=card.max_segments,
            segment_s=card.segment_s,
            sample_rate=card.sample_rate,
            n_labels=len(card.labels),
            writable=", ".join(card.writable) or "none",
            unwritable=", ".join(unwritable) or "none",
            foreign=_FMA_FOREIGN if is_fma else "",
            of_its_data=_FMA_LIMITS if is_fma else "",
            odd=_ODD_TAUGHT if provenance["settings"]["n_odd"] else _ODD_UNKNOWN,
        ),
        _DATA.format(
            origin=_FMA_DATA if is_fma else "A collection of the maker's own.",
            features=provenance["features"],
            teacher=provenance["teacher"] or "none",
            split=provenance["split"],
            seed=provenance["seed"],
            judged=_ON_TENTHS if "test" in scores else _IN_FOLDS,
        ),
        f"## Scores\n{_UNKNOWN_ARTISTS if 'artists unknown' in provenance['split'] else _ARTISTS}",
        _scores_table(scores),
        _votes_text(provenance["votes"]),
        f"## Each label, on the {list(scores)[-1]}",
        _genre_table(card, list(scores.values())[-1]),
        "## Settings",
        "```\n" + _settings_text(provenance["settings"]) + "\n```",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in provenance["versions"].items()) + ".",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _scores_table(scores: Mapping[str, Mapping[str, Any]]) -> str:
    columns = list(scores.values())
    rows = [f"| | {' | '.join(scores)} |", "|---" * (len(columns) + 1) + "|"]

    def row(name: str, key: str, style: str) -> str:
        cells = ["none" if c.get(key) is None else format(c[key], style) for c in columns]
        return f"| {name} | {' | '.join(cells)} |"

    rows.append(row("tracks", "n_tracks", "d"))
    rows.append(row("accuracy", "accuracy", ".1%"))
    spans = [c["accuracy_ci95"] for c in columns]
    rows.append("| its interval | " + " | ".join(f"{a:.1%} to {b:.1%}" for a, b in spans) + " |")
    rows.append(row("macro F1", "macro_f1", ".3f"))
    rows.append(row("mean accuracy of an artist", "accuracy_per_artist", ".1%"))
    rows.append(row("calibration error, ten equal-mass bins", "ece", ".3f"))
    rows.append(row("debiased", "debiased_ece", ".3f"))
    rows.append(row("written by default", "coverage", ".1%"))
    rows.append(row("right, of those written", "selective_accuracy", ".1%"))
    rows.append(row("an artist's tracks voting together: accuracy", "grouped_accuracy", ".1%"))
    rows.append(row("written", "grouped_coverage", ".1%"))
    rows.append(row("right, of those written", "grouped_selective_accuracy", ".1%"))
    return "\n".join(rows)


def _votes_text(votes: Mapping[str, float]) -> str:
    return (
        f"A track's segments vote by the mean of their logits: {votes['mean of logits']:.1%} "
        f"right, against {votes['mean of probabilities']:.1%} by the mean of their probabilities."
    )


def _genre_table(card: ModelCard, scores: Mapping[str, Any]) -> str:
    rows = ["| label | threshold | precision | recall | F1 | tracks |", "|---|---|---|---|---|---|"]
    for label, f in scores["per_genre"].items():
        needed = card.thresholds[label]
        threshold = "never" if needed > 1 else f"{needed:.2f}"
        if label not in card.writable:
            threshold += " (if asked)"
        rows.append(
            f"| {label} | {threshold} | {f['precision']:.2f} | {f['recall']:.2f} | {f['f1']:.2f} "
            f"| {f['n']} |"
        )
    return "\n".join(rows)


def _settings_text(settings: Mapping[str, Any]) -> str:
    lines = []
    for name, value in settings.items():
        shown = (
            ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        )
        lines.append(f"{name}: {shown}")
    return "\n".join(lines)
