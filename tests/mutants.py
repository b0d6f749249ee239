"""Small faults that can be made in our code, by mutmut's mutators: a number more, `<=` for `<` …

Where they are made is ours to say, since mutmut leaves out what has a decorator, and constants of
modules. Left out here: types, docstrings, imports, log lines, and the wording of texts, which no
test should hold word for word.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string, operator_swap_op

_SHOWN, _LONGEST = 20, 70  # letters in front of what differs, and in all
_LEFT_OUT = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.BaseString)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Args:
        path: Of the module, from the root of the project.
        line: Where it is.
        before: The code that is replaced.
        after: What stands there instead.
        source: The whole module with the fault.
    """

    path: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """What names it in a log: the same as long as its module stays as it is."""
        digest = hashlib.blake2b(self.source.encode(), digest_size=6).hexdigest()
        return f"{self.path}:{digest}"

    def __str__(self) -> str:
        """Return where it is and what it does, in a line."""
        before, after = _in_a_line(self.before), _in_a_line(self.after)
        pairs = enumerate(zip(before, after, strict=False))
        same = next((at for at, (a, b) in pairs if a != b), 0) - _SHOWN
        start = "… " if same > 0 else ""
        shown = [f"{start}{text[max(same, 0) :]:.{_LONGEST}}" for text in (before, after)]
        return f"{self.path}:{self.line}: {shown[0]} -> {shown[1]}"


def draw(root: Path, rooms: Sequence[str], n: int, seed: int) -> Iterator[Mutant]:
    """Give n different faults of some rooms: of a module drawn by its length, any that it can have.

    None is given twice; of rooms that have no more, there are fewer.
    """
    modules = sorted(path for room in rooms for path in (root / "tagger" / room).rglob("*.py"))
    lengths = [path.stat().st_size for path in modules]
    chance, given = random.Random(seed), set[str]()
    for path in chance.choices(modules, lengths, k=20 * n):
        number = chance.random()
        found = list(_faults(path))
        mutant = _mutant(root, path, found[int(number * len(found))]) if found else None
        if mutant is not None and mutant.key not in given:
            given.add(mutant.key)
            yield mutant
        if len(given) == n:
            return


def _mutant(root: Path, path: Path, found: tuple[cst.Module, cst.CSTNode, cst.CSTNode]) -> Mutant:
    module, node, fault = found
    line = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)[node].start.line
    name = path.relative_to(root).as_posix()
    broken = module.deep_replace(node, fault)
    assert isinstance(broken, cst.Module), "what is replaced lies within it"
    return Mutant(name, line, _code(module, node), _code(module, fault), broken.code)


def _faults(path: Path) -> Iterator[tuple[cst.Module, cst.CSTNode, cst.CSTNode]]:
    """Give each place in a module, and what can be put there."""
    module = cst.parse_module(path.read_text(encoding="utf-8"))
    for node in _nodes(module):
        for kind, operator in mutation_operators:
            if operator is operator_swap_op and not hasattr(node, "operator"):
                continue  # it would look closer, which costs most of a draw
            if isinstance(node, kind) and operator is not operator_string:
                for fault in operator(node):
                    yield module, node, fault


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Give the nodes below one, but for those that are left out."""
    for child in node.children:
        if not isinstance(child, _LEFT_OUT) and not _is_of_log(child):
            yield child
            yield from _nodes(child)


def _is_of_log(node: cst.CSTNode) -> bool:
    called = node.func if isinstance(node, cst.Call) else None
    owner = called.value if isinstance(called, cst.Attribute) else None
    return isinstance(owner, cst.Name) and owner.value == "log"


def _code(module: cst.Module, node: cst.CSTNode) -> str:
    code: str = module.code_for_node(node)
    return code


def _in_a_line(code: str) -> str:
    return " ".join(code.split())
