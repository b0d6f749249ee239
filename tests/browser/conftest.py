"""A real browser, headless; where there is none these tests fail, and are no part of the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from selenium import webdriver

from tests.library import Run, make_track


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium, to which evil.example is this machine, as a name that was rebound would be."""
    driver, chromium = which("chromedriver"), which("chromium") or which("google-chrome")
    assert driver and chromium, "install Chromium: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
        "--host-resolver-rules=MAP evil.example 127.0.0.1",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.implicitly_wait(10)
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def library(music: Path, run: Run) -> Callable[..., Path]:
    """Make albums without a genre, {(artist, album): titles}, and have them heard."""

    def make(albums: dict[tuple[str, str], list[str]]) -> Path:
        for n, ((artist, album), titles) in enumerate(albums.items()):
            for i, title in enumerate(titles):
                path = music / f"{n}" / f"{i}.flac"
                make_track(path, 3.0, title=title, artist=artist, album=album)
        assert run("tag", "--no-write", music).code == 0
        return music

    return make
