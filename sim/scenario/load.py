"""Reading a scenario: file and bases, overrides, sections, shocks, expectations, variants; all faults at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sim.scenario.errors import Place, Problem, ScenarioError, clean, nearest, shown
from sim.scenario.expectations import MAIN, Expectation, contradictions
from sim.scenario.head import FILE_ENTRIES, MAX_SEED, NAME_PATTERN, CheckBlock, Head, VariantBlock, entry_names
from sim.scenario.nodes import Node, merge
from sim.scenario.overrides import lay_block, lay_overrides
from sim.scenario.references import unknown_references
from sim.scenario.registry import DEFAULT, Registry, metrics_of
from sim.scenario.scenario import Scenario, Settings
from sim.scenario.shocks import Shock, build_shocks
from sim.scenario.types import Section
from sim.scenario.validate import validate
from sim.scenario.yaml_guard import read_file

__all__ = ["Scenario", "ScenarioError", "load_scenario", "read_chain"]

MAX_BASES = 16


def load_scenario(
    path: str | Path,
    overrides: Iterable[tuple[str, str]] = (),
    seed: int | None = None,
    registry: Registry = DEFAULT,
) -> Scenario:
    """The scenario in the YAML file ``path``.

    Parameters
    ----------
    path: the file; what it ``extends`` is found relative to it.
    overrides: (dotted path, YAML text) pairs, laid on the file in order.
    seed: replaces the file's master seed.
    registry: where sections are looked up.

    Raises :class:`ScenarioError` with every fault of the file, its bases, its variants and the overrides.
    """
    root, problems = read_chain(Path(path), clean(path))
    root, settings, found = lay_overrides(root, overrides)
    problems += found
    if seed is not None:
        if not 0 <= seed <= MAX_SEED:
            problems.append(Problem(Place("--seed"), "", f"{seed} is not a seed; allowed: 0 to {MAX_SEED:,}"))
        else:
            root = Node({**root.entries, "seed": Node(seed, Place("--seed"))}, root.place)
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", Path(path).stem)[:80]
    default_name = stem if re.match(NAME_PATTERN, stem) else "scenario"
    return _Loader(str(path), default_name, settings, registry, problems).load(root)


def read_chain(path: Path, shown_as: str) -> tuple[Node, list[Problem]]:
    """The mapping of ``path`` laid on those of the files it extends, and the faults met in reading them.

    A name is not inherited: it says which file this is.
    """
    chain: list[Node] = []
    problems: list[Problem] = []
    seen: dict[Path, str] = {}
    asked_at: Place | None = None
    while True:
        root, found = read_file(path, shown_as, asked_at)
        problems += found
        seen[path.resolve()] = shown_as
        chain.append(root)
        base = root.entries.get("extends")
        if base is None or base.value is None:
            break
        message = ""
        if not isinstance(base.value, str) or not base.value.endswith((".yaml", ".yml")):
            message = f"{shown(base.plain())} is not a scenario file; give the path of a .yaml file"
        elif PurePosixPath(base.value).is_absolute():
            message = f"{shown(base.value)} is an absolute path; give it relative to this file"
        else:
            path, shown_as = path.parent / base.value, clean(str(Path(shown_as).parent / base.value))
            if path.resolve() in seen:
                circle = " -> ".join([*seen.values(), seen[path.resolve()]])
                message = f"the files extend each other in a circle: {clean(circle, 1000)}"
            elif len(seen) >= MAX_BASES:
                message = f"more than {MAX_BASES} files extend each other"
        if message:
            raise ScenarioError([*problems, Problem(base.place, "extends", message)])
        asked_at = base.place
    merged = chain.pop()
    while chain:
        inherited = Node({key: node for key, node in merged.entries.items() if key != "name"}, merged.place)
        merged = merge(inherited, chain.pop(), top=True)
    return merged, problems


@dataclass(slots=True)
class _Parts:
    """One configuration while it is checked. ``taking_part`` also has sections whose values are at fault."""

    head: Head | None
    sections: dict[str, Section]
    taking_part: dict[str, type[Section]]
    shocks: list[Shock]


class _Loader:
    """Builds the scenario, its variants and its check form from one tree, gathering faults."""

    def __init__(
        self, file: str, default_name: str, settings: Settings, registry: Registry, problems: list[Problem]
    ) -> None:
        self.file = file
        self.default_name = default_name
        self.settings = settings
        self.registry = registry
        self.problems = problems
        # Variants share the nodes of what they leave alone, so each section value is validated once. The trees are
        # kept so that no node's id is used again.
        self._validated: dict[tuple[str, int], Section | None] = {}
        self._trees: list[Node] = []

    def load(self, root: Node) -> Scenario:
        self._unknown_entries(root)
        check = self._check_block(root)
        variants = self._variant_blocks(root)
        names = [MAIN, *variants]
        main = self._family(root, variants, names, "", self.settings, ())
        checked = None
        if check is not None:
            laid, changes, found = lay_block(root, root.entries["check"].entries.get("set"), "check.set")
            self.problems += found
            checked = self._family(laid, variants, names, " (under check)", self.settings + changes, changes,
                                   check.replications)
        if self.problems or main is None:
            raise ScenarioError(self.problems)
        return main if checked is None else replace(main, check=checked)

    def _unknown_entries(self, root: Node) -> None:
        known = entry_names()
        for key, node in root.entries.items():
            if key not in known and self.registry.get(key) is None:
                hint = nearest(key, [*known, *self.registry.names()])
                self._fault(node.place, clean(key, 60), f"there is no section or entry of this name; {hint}")

    def _fault(self, place: Place, path: str, message: str) -> None:
        self.problems.append(Problem(place, path, message))

    def _check_block(self, root: Node) -> CheckBlock | None:
        node = root.entries.get("check")
        if node is None or node.value is None:
            return None
        block, found = validate(CheckBlock, node, "check")
        self.problems += found
        return block

    def _variant_blocks(self, root: Node) -> dict[str, tuple[Node, VariantBlock]]:
        node = root.entries.get("variants")
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self._fault(node.place, "variants", "variants are a mapping of names to {set, expect, question}")
            return {}
        blocks = {}
        for name, inner in node.value.items():
            path = f"variants.{clean(name, 60)}"
            if name == MAIN or not re.match(NAME_PATTERN, name) or len(name) > 80:
                message = f"a variant cannot be called {shown(name)}; use letters, digits, _ - and ., not '{MAIN}'"
                self._fault(inner.place, path, message)
                continue
            block, found = validate(VariantBlock, inner, path)
            self.problems += found
            if block is not None:
                blocks[name] = (inner, block)
        return blocks

    def _family(
        self, root: Node, blocks: dict[str, tuple[Node, VariantBlock]], names: list[str], where: str,
        settings: Settings, changes: Settings, replications: int | None = None,
    ) -> Scenario | None:
        """The configuration of ``root`` with all its variants; None where one of them is at fault."""
        parts = self._parts(root, where)
        wishes = self._expectations(root.entries.get("expect"), "expect", parts, MAIN, names)
        main = self._scenario(parts, wishes, MAIN, settings, changes, replications)
        variants: dict[str, Scenario | None] = {}
        for name, (node, block) in blocks.items():
            laid, own, found = lay_block(root, node.entries.get("set"), f"variants.{name}.set")
            self.problems += found
            varied = self._parts(laid, f" (in the variant '{name}')")
            wishes = self._expectations(node.entries.get("expect"), f"variants.{name}.expect", varied, name, names)
            variant = self._scenario(varied, wishes, name, settings + own, own, replications)
            if variant is not None and block.question:
                variant = replace(variant, question=block.question)
            variants[name] = variant
        complete = {name: variant for name, variant in variants.items() if variant is not None}
        if main is None or len(complete) < len(variants):
            return None
        return replace(main, variants=complete)

    def _scenario(
        self, parts: _Parts, wishes: list[Expectation], variant: str, settings: Settings, changes: Settings,
        replications: int | None,
    ) -> Scenario | None:
        head = parts.head
        if head is None:
            return None
        return Scenario(
            name=head.name, stage=head.stage, question=head.question, sources=tuple(head.sources),
            horizon_days=head.horizon_days, replications=replications or head.replications, seed=head.seed,
            shocks=tuple(parts.shocks), expect=tuple(wishes), all_sections=parts.sections, variant=variant,
            file=self.file, settings=settings, changes=changes,
        )

    def _combined(self, problems: list[Problem], where: str) -> None:
        """Note faults that lie in a combination of values: ``where`` they are met, unless they are met without it."""
        known = set(self.problems)
        self.problems += [Problem(problem.place, problem.path, problem.message + where)
                          for problem in problems if problem not in known]

    def _parts(self, root: Node, where: str) -> _Parts:
        self._trees.append(root)
        entries = {key: node for key, node in root.entries.items()
                   if key in Head.model_fields and node.value is not None}
        entries.setdefault("name", Node(self.default_name, root.place))
        head, found = validate(Head, Node(entries, root.place), "")
        self.problems += found
        sections: dict[str, Section] = {}
        taking_part: dict[str, type[Section]] = {}
        switched_off: set[str] = set()
        for name, node in root.entries.items():
            schema = None if name in Head.model_fields or name in FILE_ENTRIES else self.registry.get(name)
            if schema is None:
                continue
            section = self._section(name, node, schema)
            if section is not None:
                sections[name] = section
            if section is not None and not section.enabled:
                switched_off.add(name)
            else:
                taking_part[name] = schema
        for name, schema in taking_part.items():
            for needed in schema.requires:
                if needed not in taking_part:
                    why = "is switched off" if needed in switched_off else "this scenario does not name"
                    message = f"the section '{name}' needs the section '{needed}', which {why}"
                    self._combined([Problem(root.entries[name].place, name, message)], where)
        present = [(name, sections[name]) for name in taking_part if name in sections]
        self._combined(unknown_references(root, present), where)
        horizon = head.horizon_days if head is not None else None
        shocks, found = build_shocks(root.entries.get("shocks"), taking_part, horizon, self.registry)
        self._combined(found, where)
        return _Parts(head, sections, taking_part, shocks)

    def _section(self, name: str, node: Node, schema: type[Section]) -> Section | None:
        key = (name, id(node))
        if key not in self._validated:
            self._validated[key], found = validate(schema, node, name)
            self.problems += found
        return self._validated[key]

    def _expectations(
        self, node: Node | None, path: str, parts: _Parts, own: str, names: list[str]
    ) -> list[Expectation]:
        if node is None or node.value is None:
            return []
        if not isinstance(node.value, list):
            if own == MAIN:  # the block of a variant has been held against its schema already
                self._fault(node.place, path, "expectations are a list of {metric, op, value, ...}")
            return []
        wishes = []
        for position, item in enumerate(node.value):
            where = f"{path}.{position}"
            wish, found = validate(Expectation, item, where)
            self.problems += found
            if wish is None:
                continue
            for field, message in contradictions(wish):
                self._fault(item.place_of([field]), f"{where}.{field}", message)
            self._metric(wish, item, where, parts)
            others = [name for name in names if name != own]
            if wish.against is not None and wish.against not in others:
                message = f"there is no other variant {shown(wish.against)}; {nearest(wish.against, others)}"
                self._fault(item.place_of(["against"]), f"{where}.against", message)
            wishes.append(wish)
        return wishes

    def _metric(self, wish: Expectation, item: Node, where: str, parts: _Parts) -> None:
        known = metrics_of(parts.taking_part)
        if wish.metric in known:
            return
        owner = next((name for name, schema in self.registry.all().items()
                      if any(metric.name == wish.metric for metric in schema.metrics)), None)
        if owner is not None:
            message = f"the metric {shown(wish.metric)} belongs to the section '{owner}', which does not take part here"
        else:
            hint = nearest(wish.metric, known)
            message = f"no section of this scenario reports a metric {shown(wish.metric)}; {hint}"
        self._fault(item.place_of(["metric"]), f"{where}.metric", message)

