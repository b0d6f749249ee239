"""The order in which tests are run side by side."""

from types import SimpleNamespace

import pytest

from tests.conftest import pytest_collection_modifyitems


@pytest.mark.parametrize(
    ("n_workers", "order"),
    [("1", "ABCDuvwxyz"), ("2", "ACuvwBDxyz"), ("3", "ADuvBwxCyz")],
)
def test_each_workers_part_begins_with_its_share_of_the_slow_ones(
    n_workers: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", n_workers)
    items: list[object] = [
        SimpleNamespace(name=name, get_closest_marker=lambda _, name=name: name.isupper() or None)
        for name in "uAvBwxCyDz"
    ]
    pytest_collection_modifyitems(items)  # type: ignore[arg-type]
    assert "".join(item.name for item in items) == order  # type: ignore[attr-defined]
