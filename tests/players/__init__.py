"""Tests with real players, which the system has to bring: ``make test-players``."""
