"""Finds the packages, in two places; all else about the project stands in setup.cfg."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["tagger", "tagger.*"]),
        *(f"tagger.{name}" for name in find_packages(include=["migrations", "migrations.*"])),
    ]
)
