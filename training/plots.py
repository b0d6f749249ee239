"""Pictures of how a network was trained and of how it was judged, as PNG files.

Each picture says one thing and is drawn from what ``evaluate --format json`` or a run's CSV says,
so that no figure is typed. The comparison of networks has a module of its own.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tagger.errors import DatasetError, os_reason
from training.drawing import BLUE, GREEN, GREY, ORANGE, in_percent, new_axes, save_figure

_REPORT_FIELDS = ("reliability", "coverage_curve", "mixes", "confusion", "per_genre", "n_tracks")
_HISTORY_FIELDS = ("epoch", "loss", "validation_accuracy")


def plot_report(report_path: Path, folder: Path) -> list[Path]:
    """Draw what ``evaluate --format json`` printed, and return the files written.

    Raises:
        DatasetError: it is no such report, or the pictures cannot be written.
    """
    report = _read_report(report_path)
    try:
        figures = {
            "reliability": _reliability(report),
            "coverage": _coverage(report),
            "confusion": _confusion(report),
            "genres": _genres(report["per_genre"]),
        }
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
        raise DatasetError(f"not what evaluate --format json prints: {exc!r}", report_path) from exc
    return [save_figure(figure, folder / f"{name}.png") for name, figure in figures.items()]


def plot_history(history_path: Path, folder: Path) -> list[Path]:
    """Draw the learning curves of a run out of the CSV that ``fit`` wrote; return the file.

    Raises:
        DatasetError: it is no such table, or the picture cannot be written.
    """
    columns = _read_history(history_path)
    return [save_figure(_learning_curves(columns), folder / "learning.png")]


def _read_report(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise DatasetError(os_reason(exc), path) from exc
    except ValueError as exc:  # of UTF-8 and of JSON
        raise DatasetError(f"not JSON: {exc}", path) from exc
    found = report.keys() if isinstance(report, dict) else set()
    missing = [name for name in _REPORT_FIELDS if name not in found]
    if missing:
        raise DatasetError(
            f"lacks {', '.join(missing)}: give what evaluate --format json prints", path
        )
    return dict(report)


def _read_history(path: Path) -> dict[str, list[float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = {name: [_number(row[name]) for row in rows] for name in _HISTORY_FIELDS}
    except OSError as exc:
        raise DatasetError(os_reason(exc), path) from exc
    except (KeyError, TypeError, ValueError, csv.Error) as exc:
        raise DatasetError(f"not the CSV of a run: {exc!r}", path) from exc
    if not rows:
        raise DatasetError("holds no epochs yet", path)
    return columns


def _number(cell: str) -> float:
    """Read a cell; what was not measured is left blank."""
    return float("nan") if cell == "" else float(cell)


def _reliability(report: Mapping[str, Any]) -> Figure:
    confidence, accuracy, n_tracks = np.array(report["reliability"], dtype=float).T
    figure, axes = new_axes(5.0, 5.0)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfectly calibrated")
    spread = 1.96 * np.sqrt(confidence * (1 - confidence).clip(0) / n_tracks)
    axes.fill_between(
        confidence,
        *((confidence - spread).clip(0), (confidence + spread).clip(0, 1)),
        color=GREY,
        alpha=0.2,
        label="where chance may put it (95 %)",
    )
    axes.plot(confidence, accuracy, color=BLUE, marker="o", label="this model, tenths of tracks")
    _share_axes(axes, "confidence", "share right")
    axes.set_aspect("equal")
    axes.legend(loc="upper left")
    mean, _ = report["debiased_ece_if_perfect"]
    axes.set_title(
        f"Calibration error {report['debiased_ece']:.3f}; by chance alone {mean:.3f}\n"
        f"(debiased, {report['n_tracks']} tracks)"
    )
    return figure


def _coverage(report: Mapping[str, Any]) -> Figure:
    figure, axes = new_axes(6.5, 4.5)
    curves = {"as in this file": report["coverage_curve"]}
    curves |= {f"mostly {name}": mix["coverage_curve"] for name, mix in report["mixes"].items()}
    for (name, curve), colour in zip(curves.items(), (BLUE, ORANGE, GREEN), strict=False):
        coverage, accuracy, _ = np.array(curve, dtype=float).T
        axes.plot(coverage, accuracy, color=colour, marker=".", label=name)
    if report["selective_accuracy"] is not None:
        point = (report["coverage"], report["selective_accuracy"])
        axes.plot(*point, "*", color="black", markersize=12, label="written by default")
    _share_axes(axes, "share of tracks that get a genre, the surest first", "share of those right")
    axes.legend(loc="lower left")
    axes.set_title(f"Right where it is sure ({report['n_tracks']} tracks)")
    return figure


def _confusion(report: Mapping[str, Any]) -> Figure:
    labels = list(report["per_genre"])
    counts = np.array(report["confusion"], dtype=float)
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    side = 2.5 + 0.6 * len(labels)
    figure, axes = new_axes(side, side)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(shares.shape):
        dark = shares[row, column] > 0.6
        said = f"{shares[row, column]:.0%}" if counts[row, column] else ""
        axes.text(
            *(column, row, said), ha="center", va="center", color="white" if dark else "black"
        )
    ticks = range(len(labels))
    axes.set_xticks(ticks, labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        ticks, [f"{label} ({n:.0f})" for label, n in zip(labels, counts.sum(1), strict=True)]
    )
    axes.set_xlabel("what the model says")
    axes.set_ylabel("what it is (tracks)")
    axes.set_title("Of each genre's tracks, the share called so")
    return figure


def _genres(per_genre: Mapping[str, Mapping[str, float]]) -> Figure:
    ranked = sorted(per_genre, key=lambda label: per_genre[label]["f1"])
    places = np.arange(len(ranked))
    figure, axes = new_axes(6.5, 1.5 + 0.45 * len(ranked))
    f1 = [per_genre[label]["f1"] for label in ranked]
    axes.barh(places, f1, color=BLUE, alpha=0.35, label="F1")
    for name, colour, marker in (("precision", ORANGE, "o"), ("recall", GREEN, "D")):
        values = [per_genre[label][name] for label in ranked]
        axes.plot(values, places, marker, color=colour, markersize=6, label=name)
    axes.set_yticks(places, [f"{label} ({per_genre[label]['n']:.0f})" for label in ranked])
    axes.set_xlim(0, 1)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3)
    axes.set_title("Each genre (tracks)")
    return figure


def _learning_curves(columns: Mapping[str, Sequence[float]]) -> Figure:
    epochs = np.array(columns["epoch"]) + 1
    accuracy = np.array(columns["validation_accuracy"])
    figure, left = new_axes(6.5, 4.0)
    (loss_line,) = left.plot(epochs, columns["loss"], color=ORANGE, label="training loss")
    left.set_xlabel("epoch")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_ylabel("training loss", color=ORANGE)
    if np.isnan(accuracy).all():  # all tracks were fitted on
        left.set_title(f"{epochs[-1]:.0f} epochs, none held against other tracks")
        return figure
    right = left.twinx()
    (line,) = right.plot(epochs, accuracy, color=BLUE, label="validation accuracy")
    best = int(np.nanargmax(accuracy))
    right.plot(epochs[best], accuracy[best], "*", color=BLUE, markersize=13)
    right.set_ylabel("validation accuracy", color=BLUE)
    in_percent(right.yaxis)
    left.legend(handles=[loss_line, line], loc="center right")
    left.set_title(f"Best: {accuracy[best]:.1%} after epoch {epochs[best]:.0f}")
    return figure


def _share_axes(axes: Axes, x_label: str, y_label: str) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        in_percent(axis)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
