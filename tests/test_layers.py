"""Who may import whom: downward only, and nothing heavy for the front door."""

import subprocess
import sys

from tools.draw_rooms import ROOT, read_modules

MODULES = read_modules("tagger", "training")

# From the top down. A module imports from lower layers, and a room from no other room.
LAYERS = [
    {"tagger.__main__"},
    {"tagger.api", "tagger.cli", "training.__main__"},
    {"tagger.report", "tagger.review"},
    {
        "training.recipe",
        "training.compare",
        "training.crossfit",
        "training.evaluation",
        "training.oddities",
        "training.plan",
        "training.prepare",
        "training.robustness",
        "training.tune",
    },
    {"training.loop"},
    {
        "training.attention",
        "training.batches",
        "training.clips",
        "training.comparison",
        "training.config",
        "training.coverage",
        "training.dataset",
        "training.devices",
        "training.drawing",
        "training.events",
        "training.folders",
        "training.search_space",
        "training.shards",
        "training.metrics",
        "training.odd_sounds",
        "training.plots",
        "training.progress",
        "training.protocols",
        "training.results",
        "training.schedules",
        "training.scoring",
        "training.teacher",
        "training.verdicts",
        "training.calibration",
        "training.cardtext",
    },
    {
        "training.features",
        "training.augment",
        "training.download",
        "training.encoding",
        "training.fma",
    },
    {"tagger.learning", "tagger.players"},
    {"tagger.recommending", "tagger.services", "tagger.tagging", "tagger.watch"},
    {"tagger.hearing"},
    {"tagger.models"},
    {
        "tagger.audio",
        "tagger.catalog",
        "tagger.genre_list",
        "tagger.migrations",
        "tagger.tags",
    },
    {"tagger.config", "tagger.evidence", "tagger.files", "tagger.networks"},
    {
        "tagger.genre_text",
        "tagger.looks",
        "tagger.nets",
        "tagger.owners_text",
        "tagger.records",
        "tagger.wording",
    },
    {"tagger.errors", "tagger.tag_fields", "tagger", "training"},
    {"tagger.reasons"},
]
# Within these layers modules may use each other.
OPEN = {3, 5}


def place(module: str) -> tuple[int, str]:
    """The layer and the room of a module: that of its longest known beginning."""
    parts = module.split(".")
    for n in range(len(parts), 0, -1):
        name = ".".join(parts[:n])
        for i, layer in enumerate(LAYERS):
            if name in layer:
                return i, name
    raise AssertionError(f"{module} has no place in the plan of the house")


def test_every_module_has_its_own_place() -> None:
    names = [module.name for module in MODULES]
    unplaced = [n for n in names if place(n)[1] in ("tagger", "training") and "." in n]
    assert unplaced == []


def test_imports_go_downward_only() -> None:
    wrong = []
    for module in MODULES:
        if module.name == "tagger":
            continue  # the face names, for type checkers, what it loads when that is used
        layer, room = place(module.name)
        for name in module.imports:
            lower, other = place(name)
            if other != room and (lower < layer or (lower == layer and layer not in OPEN)):
                wrong.append(f"{module.name} imports {name}")
    assert wrong == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return set(done.stdout.split())


def test_the_front_door_loads_nothing_heavy() -> None:
    assert not loaded_by("import tagger.cli") & {"torch", "librosa", "sqlalchemy", "numpy", "av"}


def test_a_page_of_help_costs_little_more_than_click() -> None:
    more = loaded_by("import tagger.cli") - loaded_by("import click")
    ours = {"tagger", "tagger.cli", "tagger.cli.lazy", "tagger.cli.streams", "tagger.errors"}
    assert {name for name in more if not name.startswith("_")} - {"locale"} == ours


def test_a_listing_loads_no_numbers_beside_the_database() -> None:
    loaded = loaded_by("import tagger.cli.list_, tagger.catalog.sqlite.store")
    assert not loaded & {"numpy", "torch", "alembic", "mutagen", "av", "wcwidth"}


def test_the_face_loads_nothing_until_it_is_used() -> None:
    assert not loaded_by("import tagger; dir(tagger)") & {"torch", "sqlalchemy", "numpy", "click"}
    loaded = loaded_by("import tagger; tagger.classify, tagger.tag, tagger.similar")
    assert not loaded & {"torch", "sqlalchemy", "click"}


def test_the_parent_of_a_run_loads_no_torch() -> None:
    loaded = loaded_by("import tagger.cli.tag, tagger.cli.watch")
    assert not loaded & {"torch", "librosa", "alembic"}


def test_recommendations_load_neither_torch_nor_sqlalchemy() -> None:
    loaded = loaded_by("import tagger.cli.similar, tagger.cli.playlist")
    assert not loaded & {"torch", "librosa", "sqlalchemy", "alembic"}


def test_only_a_run_over_a_cluster_loads_dask() -> None:
    loaded = loaded_by("import tagger.cli.tag, tagger.tagging.run, tagger.hearing.cluster")
    assert not loaded & {"dask", "distributed"}


def test_the_tagger_never_imports_librosa_or_torchaudio() -> None:
    loaded = loaded_by("import tagger.hearing.analysis, tagger.audio, tagger.models.checkpoint")
    assert not loaded & {"librosa", "torchaudio", "sklearn", "matplotlib"}
