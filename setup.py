"""Finds the packages, in two places, and tells an index what the README says; all else about the
project stands in setup.cfg.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup


def without_files(markdown: str) -> str:
    """Return a page as it can stand alone: without pictures, and files named, not linked."""
    markdown = re.sub(r"(?m)^\|.*!\[.*\n", "", markdown)  # a row of pictures
    markdown = re.sub(r"!\[[^\]]*\]\((?!https?:)[^)]*\)", "", markdown)
    markdown = re.sub(r"\[([^\]]*)\]\(\1\)", r"\1", markdown)
    markdown = re.sub(r"\[([^\]]*)\]\((?!https?:|#)([^)#]*)[^)]*\)", r"\1 (\2)", markdown)
    # A table of which the rows are gone.
    return re.sub(r"(?m)^\|.*\n\|[-|: ]+\|\n(?!\|)", "", markdown)


setup(
    long_description=without_files((Path(__file__).parent / "README.md").read_text("utf-8")),
    packages=[
        *find_packages(include=["tagger", "tagger.*"]),
        "beetsplug",  # no __init__.py: beets' own plugins are of the same namespace
        *(f"tagger.{name}" for name in find_packages(include=["migrations", "migrations.*"])),
    ],
)
