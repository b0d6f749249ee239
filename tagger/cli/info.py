"""``tagger info``: what is known of a file, or of the catalogue, the model and the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, TrackInfo, shown
from tagger.cli.options import catalog_option, model_option, verbose_option
from tagger.cli.output import plain, say
from tagger.cli.rows import row_record
from tagger.cli.runs import run_record
from tagger.config import Settings, Sourced, load_settings
from tagger.errors import CatalogError, printable
from tagger.files.paths import absolute
from tagger.models.card import ModelCard
from tagger.models.choosing import is_named, model_in_force, name_in_force
from tagger.models.files import read_card


@click.command("info")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--config", "show_config", is_flag=True, help="Show the settings and their sources.")
@catalog_option
@model_option
@click.option("--format", "format_", type=click.Choice(["text", "jsonl"]), default="text")
@verbose_option
def command(path: Path | None, show_config: bool, format_: str, **options: Any) -> int:
    """Show what is known of PATH; without it, of the catalogue and the model.

    Example: tagger info ~/Music/song.mp3
    """
    settings, sources = load_settings(options)
    if show_config:
        record = {**_config_record(sources), **_remembered(settings, sources)}
        _print(record, format_)
        return 0
    with Catalog.open(settings.catalog, create=path is None, read_only=True) as catalog:
        if path is None:
            card = read_card(model_in_force(catalog, settings, sources).path)
            _print(
                {
                    "catalog": _catalog_record(catalog, settings.catalog),
                    "model": _model_record(card),
                },
                format_,
            )
            return 0
        known = catalog.info(absolute(path))
    if known is None:
        what = (
            "is a folder; tagger list --under shows what is known in it"
            if path.is_dir()
            else "is not in the catalogue; run tagger tag on it first"
        )
        raise CatalogError(what, absolute(path))
    _print(_track_record(known), format_)
    return 0


def _config_record(sources: Mapping[str, Sourced]) -> Mapping[str, Any]:
    values = {name: s.value for name, s in sources.items()}
    values["catalog"] = shown(values["catalog"])
    return {name: {"value": values[name], "source": s.source} for name, s in sources.items()}


def _remembered(settings: Settings, sources: Mapping[str, Sourced]) -> Mapping[str, Any]:
    """Return the model that the catalogue keeps, where no setting names one."""
    if is_named(sources):
        return {}
    try:
        with Catalog.open(settings.catalog, read_only=True) as catalog:
            if catalog.remembered_model() is None:
                return {}
            name = name_in_force(catalog, settings, sources)
    except CatalogError as exc:  # the settings are there all the same
        click.echo(str(exc), err=True)
        return {}
    return {"model": {"value": name, "source": "the catalogue"}}


def _catalog_record(catalog: Catalog, location: str) -> Mapping[str, Any]:
    counts = catalog.counts()
    return {
        "path": shown(location),
        "schema": catalog.schema,
        "n_tracks": counts.n_tracks,
        "n_failures": counts.n_failures,
    }


def _model_record(card: ModelCard) -> Mapping[str, Any]:
    return {
        "id": card.model_id,
        "architecture": card.architecture,
        "bases": list(card.bases),
        "labels": list(card.labels),
        "genres": list(card.genre_labels),
        "writable": list(card.writable),
        "n_parameters": card.n_parameters,
        "sample_rate": card.sample_rate,
        "segment_s": card.segment_s,
        "first_segments": card.first_segments or card.max_segments,
        "max_segments": card.max_segments,
        "thresholds": dict(card.thresholds),
    }


def _track_record(known: TrackInfo) -> Mapping[str, Any]:
    # Of several models the one that heard it last, which comes first.
    model_id, probabilities = next(iter(known.probabilities.items()), (None, {}))
    return {
        **row_record(known.row),
        "evidence": dict(known.evidence) if known.evidence else None,
        "model": model_id,
        "probabilities": dict(probabilities),
        "runs": [run_record(run) for run in known.runs],
    }


def _print(record: Mapping[str, Any], format_: str) -> None:
    if format_ == "jsonl":
        say(json.dumps(record))
    else:
        for line in _lines(_with_words(record)):
            say(line)


def _with_words(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record for people: a threshold that nothing reaches is a word there."""
    words = dict(record)
    for name, value in record.items():
        if name == "thresholds":
            words[name] = {genre: "never" if at > 1 else at for genre, at in value.items()}
        elif isinstance(value, Mapping):
            words[name] = _with_words(value)
    return words


def _lines(record: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in record.items():
        if isinstance(value, Mapping) and set(value) == {"value", "source"}:
            lines.append(f"{indent}{name:16s} {_plain(value['value'])}  ({value['source']})")
        elif isinstance(value, Mapping):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines += [f"{indent}{name}", *(f"{indent}  {_one_line(item)}" for item in value)]
        else:
            lines.append(f"{indent}{name:16s} {_plain(value)}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{label} → {genre or '(never)'}" for label, genre in value.items()]
    if isinstance(value, (list, tuple)):
        return plain(", ".join(map(str, value))) or "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    if value in (None, ""):
        return "–"
    text = str(value)
    return plain(text) if "://" in text else printable(Path(text))  # a URL is no path


def _one_line(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in item.items())
