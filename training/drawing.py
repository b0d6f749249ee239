"""What all pictures share: colours, a figure that needs no screen, axes of shares, a file."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tagger.errors import DatasetError, os_reason

# Told apart by the colour-blind as well: Okabe and Ito, Color universal design, 2008.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#888888"
_DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """Return a figure, inches, without pyplot: that would keep it in memory and want a screen."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure, inches, and the one pair of axes in it."""
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def in_percent(axis: Axis) -> None:
    """Write an axis's shares as whole percentages."""
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, its folder made where missing, and return the path.

    Raises:
        DatasetError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except OSError as exc:
        raise DatasetError(os_reason(exc), path) from exc
    return path
