"""The benchmark of a review in a large library, run on a small one."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from benchmarks.review_scale import main


def test_all_that_is_asked_of_a_review_is_measured(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main, [str(tmp_path), "-n", "400", "--answers", "3"])
    assert outcome.exit_code == 0, outcome.output
    rows = [line for line in outcome.output.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [
        "| processor until the page stands",
        "| memory of the server then",
        "| a sound, first (2 s after the page) and median",
        "| the sound of a question that was shown 1 s before",
        "| processor of the albums near a question",
        "| an answer is kept and the next question shown: median, 95 % and worst of 3",
        "| processor of the server an answer",
        "| memory of the server over these answers",
        "| a head from 2,000 answers, processor",
        "| judged in folds and calibrated as well, processor",
    ]
