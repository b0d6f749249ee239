"""The table and the picture of networks compared, made out of their results so that none is typed.

Beside them stand the figures published for the same four kinds of network, under the protocol by
which they were measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tagger.errors import DatasetError, os_reason
from training.drawing import BLUE, GREEN, GREY, ORANGE, in_percent, new_axes, save_figure
from training.results import Result, load_results

_TITLES = {
    "cnn": "CNN",
    "gru": "GRU",
    "cnn-gru": "CNN–GRU",
    "cnn-gru-attention": "CNN–GRU–Attention",
    "cnn-gru-attention-separable": "CNN–GRU–Attention, separable",
}
_PROTOCOLS = {
    "artist": "artists apart",
    "random": "random, no duplicates",
    "official": "official split",
}
_PUBLISHED_PROTOCOL = "published: random, with duplicates and shared artists"
# Validation and test accuracy on FMA Small in per cent; those without decimals are about.
_PUBLISHED = {
    "cnn": (54, 53),
    "gru": (50, 49),
    "cnn-gru": (57, 56),
    "cnn-gru-attention": (61.06, 61.71),
}
_COLOURS = {"artist": BLUE, "random": ORANGE, "official": GREEN}

_BEGIN = "<!-- Comparison: made by python -m training table; not typed. -->"
_END = "<!-- End of the comparison. -->"
_PICTURE = "comparison.png"


@dataclass(frozen=True)
class _Group:
    """The results of one network by one protocol, a seed each."""

    protocol: str
    variant: str
    n_folds: int
    results: tuple[Result, ...]

    @property
    def test(self) -> list[float]:
        """Each seed's accuracy, or of folds each fold's."""
        if self.n_folds:
            return [share for result in self.results for share in result.test_accuracies]
        return [result.accuracy for result in self.results]


def write_comparison(folder: Path, output: Path) -> list[Path]:
    """Draw the results of a folder, write their table, and return the files written.

    The picture lies in the folder. A file that is there already keeps all but what stands between
    the two marks of a comparison.

    Raises:
        DatasetError: there are no results, a file cannot be written, or one that is there bears no
            marks.
    """
    groups = _grouped(load_results(folder))
    picture = save_figure(_picture(groups), folder / _PICTURE)
    link = Path(os.path.relpath(picture, output.parent)).as_posix()
    fragment = "\n\n".join([_BEGIN, *_texts(groups, link), _END]) + "\n"
    try:
        if output.exists():
            fragment = _replaced(output.read_text(encoding="utf-8"), fragment, output)
        output.write_text(fragment, encoding="utf-8")
    except OSError as exc:
        raise DatasetError(os_reason(exc), output) from exc
    return [output, picture]


def _replaced(text: str, fragment: str, path: Path) -> str:
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(f"{_END}\n")
    if not begin or not end:
        raise DatasetError(f"has no place for the table: put the lines {_BEGIN} and {_END}", path)
    return before + fragment + after


def _grouped(results: Sequence[Result]) -> list[_Group]:
    def key(result: Result) -> tuple[int, int, int]:
        orders = (list(_PROTOCOLS), list(_TITLES))
        places = (orders[0].index(result.protocol), orders[1].index(result.variant))
        return (result.n_folds, *places)

    groups = [tuple(group) for _, group in groupby(sorted(results, key=key), key)]
    return [_Group(g[0].protocol, g[0].variant, g[0].n_folds, g) for g in groups]


def _texts(groups: Sequence[_Group], link: str) -> Iterator[str]:
    single = [group for group in groups if not group.n_folds]
    folded = [group for group in groups if group.n_folds]
    if single:
        yield _table(
            ("protocol", "network", "parameters", "s an epoch", "validation", "test", "macro F1"),
            [*map(_row, single), *_published_rows()],
        )
        yield _note(single)
        yield f"![Test accuracy of each network and protocol]({link})"
    if folded:
        yield _table(
            ("protocol", "network", "folds", "mean of folds", "95 % by artist", "macro F1"),
            [*map(_folded_row, folded)],
        )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(group: _Group) -> list[str]:
    first = group.results[0]
    chosen = [r.validation_accuracy for r in group.results if r.validation_accuracy is not None]
    return [
        _PROTOCOLS[group.protocol],
        _TITLES[group.variant],
        f"{first.n_parameters:,}",
        f"{np.mean([r.seconds_an_epoch for r in group.results]):.1f}",
        _spread(chosen),
        _spread(group.test),
        f"{np.mean([r.macro_f1 for r in group.results]):.3f}",
    ]


def _folded_row(group: _Group) -> list[str]:
    spans = np.mean([result.accuracy_ci95 for result in group.results], axis=0)
    return [
        _PROTOCOLS[group.protocol],
        _TITLES[group.variant],
        str(group.n_folds),
        _spread(group.test),
        f"{100 * spans[0]:.1f} to {100 * spans[1]:.1f} %",
        f"{np.mean([r.macro_f1 for r in group.results]):.3f}",
    ]


def _published_rows() -> Iterator[list[str]]:
    for variant, (validation, test) in _PUBLISHED.items():
        yield [_PUBLISHED_PROTOCOL, _TITLES[variant], "", "", f"{validation} %", f"{test} %", ""]


def _spread(shares: Sequence[float]) -> str:
    """Return mean and range in per cent.

    >>> _spread([0.5, 0.52, 0.57])
    '53.0 % (50.0 to 57.0)'
    """
    percent = 100 * np.array(shares)
    if not len(percent):
        return ""
    said = f"{percent.mean():.1f} %"
    return said if len(percent) == 1 else f"{said} ({percent.min():.1f} to {percent.max():.1f})"


def _note(groups: Sequence[_Group]) -> str:
    results = [result for group in groups for result in group.results]
    n_seeds = {len(group.results) for group in groups}
    widths = [(high - low) / 2 for low, high in (r.accuracy_ci95 for r in results)]
    counts = {r.protocol: (r.n_test, r.n_shared_artists) for r in results}
    shared = "; ".join(
        f"{_PROTOCOLS[name]}: {n_test} test tracks, {n} of their artists trained on as well"
        for name, (n_test, n) in counts.items()
    )
    return (
        f"Mean of {_numbers(n_seeds)} seeds and their range; the 95 % interval over artists of one "
        f"figure is about ±{100 * np.mean(widths):.0f} points. At most "
        f"{_numbers({r.settings['epochs'] for r in results})} epochs, a core each, the epoch "
        f"chosen on the validation tracks. {shared[0].upper()}{shared[1:]}. Published figures "
        "without decimals are about."
    )


def _numbers(values: set[int]) -> str:
    """Return a number, or from the least to the greatest.

    >>> _numbers({3, 1})
    '1 to 3'
    """
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _picture(groups: Sequence[_Group]) -> Figure:
    shown = [title for title in _TITLES if any(group.variant == title for group in groups)]
    places: Mapping[str, int] = {name: -i for i, name in enumerate(shown)}
    figure, axes = new_axes(6.5, 1.6 + 0.5 * len(shown))
    for group in groups:
        _draw(axes, group, places[group.variant])
    published = [(name, test) for name, (_, test) in _PUBLISHED.items() if name in places]
    axes.plot(
        [test / 100 for _, test in published],
        [places[name] - 0.3 for name, _ in published],
        "x",
        color=GREY,
        label=_PUBLISHED_PROTOCOL,
    )
    axes.set_yticks(list(places.values()), [_TITLES[name] for name in shown])
    in_percent(axes.xaxis)
    axes.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    axes.set_xlabel("test accuracy; small: each seed or fold, large: their mean")
    axes.grid(axis="x", alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    each = dict(zip(labels, handles, strict=True))  # by its label: every network has its own marks
    figure.legend(each.values(), each.keys(), loc="outside lower center", ncols=2, fontsize="small")
    return figure


def _draw(axes: Axes, group: _Group, place: int) -> None:
    """Draw each seed or fold as a point and their mean as a larger mark, of folds a diamond."""
    colour = _COLOURS[group.protocol]
    y = place + 0.16 - 0.16 * list(_PROTOCOLS).index(group.protocol) + 0.08 * bool(group.n_folds)
    axes.plot(group.test, [y] * len(group.test), ".", color=colour, alpha=0.5, markersize=5)
    axes.plot(
        float(np.mean(group.test)),
        y,
        "D" if group.n_folds else "o",
        color=colour,
        markersize=7,
        label=_PROTOCOLS[group.protocol] + (f", {group.n_folds} folds" if group.n_folds else ""),
    )
