"""A short film of a review, from the real page: `python -m tools.film_review OUT.gif`.

The recordings of examples/ are copied without their genres and heard; Chromium shows the page, and
keys are pressed as an owner would. With --pictures each width is pictured, light and dark.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import mutagen
from PIL import Image
from selenium import webdriver
from selenium.webdriver import Keys

from tagger.files.names import is_audio_name
from tools.chromium import chromium, show_as
from tools.served_review import served_review

_EXAMPLES = Path(__file__).parent.parent / "examples"
_WIDTH, _HEIGHT = 800, 860
_COLOURS = 48
_WIDTHS = (360, 800, 1400)
_SETTLED_S = 1.5  # for a page to be put in place, and a sound to begin
# What is pressed, and how long its outcome is shown, in milliseconds.
_SCENES: tuple[tuple[str, int], ...] = (
    ("", 2500),
    (Keys.SPACE, 2000),
    ("2", 2200),
    ("s", 1500),
    ("g", 700),
    ("Trip-Hop", 1500),
    (Keys.ENTER, 2500),
    ("u", 2500),
)


@click.command()
@click.argument("film", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path))
def main(film: Path, pictures: Path | None) -> None:
    """Make the film; with --pictures, pictures of each width as well."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog = _library(folder)
        with served_review(catalog) as (_, url), chromium() as browser:
            show_as(browser, _WIDTH, _HEIGHT)
            browser.get(url)
            time.sleep(_SETTLED_S)
            if pictures is not None:
                _picture_all(browser, pictures)
            _save(film, [(_shot(browser, keys), shown_ms) for keys, shown_ms in _SCENES])
    click.echo(f"{film}: {film.stat().st_size / 1000:.0f} KB")


def _library(folder: Path) -> Path:
    """Copy the examples without their genres, and have them heard; return the catalogue."""
    music = folder / "music"
    shutil.copytree(_EXAMPLES, music)
    for path in sorted(music.rglob("*")):
        if is_audio_name(path.name):
            tags: Any = mutagen.File(path, easy=True)
            if tags.pop("genre", None):
                tags.save()
    catalog = folder / "catalog.db"
    _tagger("tag", "--no-write", str(music), "--catalog", str(catalog))
    return catalog


def _tagger(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "tagger", *arguments], check=True, capture_output=True)


def _picture_all(browser: webdriver.Chrome, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for width in _WIDTHS:
        for scheme in ("light", "dark"):
            show_as(browser, width, _HEIGHT, scheme)
            (folder / f"review-{width}-{scheme}.png").write_bytes(browser.get_screenshot_as_png())
    show_as(browser, _WIDTH, _HEIGHT)


def _shot(browser: webdriver.Chrome, keys: str) -> Image.Image:
    if keys:
        browser.switch_to.active_element.send_keys(keys)
        time.sleep(_SETTLED_S)
    return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")


def _save(film: Path, shots: list[tuple[Image.Image, int]]) -> None:
    """Write a GIF that repeats; all frames share the colours of the first."""
    first = shots[0][0].quantize(_COLOURS)
    frames = [shot.quantize(palette=first, dither=Image.Dither.NONE) for shot, _ in shots]
    frames[0].save(
        film,
        save_all=True,
        append_images=frames[1:],
        duration=[shown_ms for _, shown_ms in shots],
        loop=0,
        optimize=True,
    )


if __name__ == "__main__":
    main()
