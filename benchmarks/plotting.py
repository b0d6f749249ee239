"""The picture of a speed report: a bar a contestant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_OURS, _OTHERS = "#2a6f97", "#b8c4cc"


def plot_rates(rates: Mapping[str, float], ours: str, path: Path) -> None:
    """Draw tracks a second, each with its figure, on a scale of powers of ten.

    Args:
        rates: {name: tracks a second}.
        ours: The one that stands out.
        path: Of the picture, which is replaced.
    """
    from matplotlib.figure import Figure

    ordered = sorted(rates.items(), key=lambda item: item[1])
    figure = Figure(figsize=(7.0, 0.5 + 0.45 * len(ordered)), layout="constrained")
    axes = figure.add_subplot()
    names, values = zip(*ordered, strict=True)
    bars = axes.barh(names, values, color=[_OURS if name == ours else _OTHERS for name in names])
    axes.bar_label(bars, [f"{value:.3g}" for value in values], padding=3)
    axes.set_xscale("log")
    axes.set_xlabel("four-minute tracks a second, two processes")
    axes.margins(x=0.12)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, dpi=120)
