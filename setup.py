"""Finds the packages, in two places; all else about the project stands in setup.cfg."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["tagger", "tagger.*"]),
        "beetsplug",  # no __init__.py: beets' own plugins are of the same namespace
        *(f"tagger.{name}" for name in find_packages(include=["migrations", "migrations.*"])),
    ]
)
