"""YAML 1.2 (core schema) read safely from untrusted files, every value with its line.

The file is read as a stream of parse events and built into :class:`Node` values here, so the composer and the
constructors of the YAML library never run: a deep file cannot overflow their stack, an alias cannot multiply and no tag
can build a Python object. Limits on size, depth and number of values are checked before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sim.scenario.errors import Place, Problem, ScenarioError, clean, shown
from sim.scenario.nodes import Node, Scalar

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000
_LONGEST_NUMBER = 40

_Loader: Any = getattr(yaml, "CLoader", yaml.Loader)

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WHOLE_POWER = re.compile(r"([-+]?[0-9]+)[eE]\+?([0-9]{1,2})")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar by YAML 1.2's core schema; :class:`ValueError` for a number we refuse.

    A power of ten without a decimal point is a whole number: ``1e6`` is 1000000.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that a scenario can use; give a finite one")
    if not (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters is too long; at most {_LONGEST_NUMBER}")
    if _INT.fullmatch(text):
        prefix = text[:2].lower()
        return int(text, 8) if prefix == "0o" else int(text, 16) if prefix == "0x" else int(text)
    power = _WHOLE_POWER.fullmatch(text)
    if power and int(power[2]) <= 30:
        return int(power[1]) * 10 ** int(power[2])
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large for a number")
    return number


def read_text(path: Path, shown_as: str | None = None, asked_at: Place | None = None) -> str:
    """The text of the file at ``path``; :class:`ScenarioError` where it is missing, a folder, too large or not text.

    ``asked_at`` is the place that names the file, for a file that another one extends.
    """
    name = clean(shown_as if shown_as is not None else path)

    def refuse(message: str) -> ScenarioError:
        if asked_at is None:
            return ScenarioError([Problem(Place(name), "", message)])
        return ScenarioError([Problem(asked_at, "extends", f"'{name}': {message}")])

    try:
        if path.is_dir():
            raise refuse("this is a folder, not a scenario file")
        if path.exists() and not path.is_file():
            raise refuse("this is not an ordinary file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refuse("there is no such file" + _similar_file(path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refuse(f"the file cannot be read ({clean(reason)})") from None
    if len(data) > MAX_BYTES:
        raise refuse(f"the file is larger than {MAX_BYTES:,} bytes, the most that a scenario may have")
    if b"\0" in data:
        raise refuse("this is a binary file, not a text file with YAML")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = Place(name, line)
        raise ScenarioError([Problem(place, "", f"byte 0x{data[error.start]:02x} is not UTF-8 text")]) from None
    return text


def _similar_file(path: Path) -> str:
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml")]
    except OSError:
        return ""
    close = get_close_matches(path.name, names, n=1) or [name for name in names if Path(name).stem == path.name]
    return f"; did you mean '{clean(path.with_name(close[0]))}'?" if close else ""


def read_file(path: Path, shown_as: str | None = None, asked_at: Place | None = None) -> tuple[Node, list[Problem]]:
    """The mapping that the file holds, and the faults that did not prevent reading it.

    A faulty entry (a duplicate key, a NaN, a tag) is left out of the mapping. :class:`ScenarioError` where nothing
    useful can be read.
    """
    name = clean(shown_as if shown_as is not None else path)
    root, problems = parse(read_text(path, name, asked_at), name)
    if root is None:
        raise ScenarioError(problems or [Problem(Place(name), "", "the file is empty; a scenario is a YAML mapping")])
    if not isinstance(root.value, dict):
        message = f"a scenario is a mapping of names to values, not {_kind(root)}"
        raise ScenarioError([*problems, Problem(root.place, "", message)])
    return root, problems


def _kind(node: Node) -> str:
    return "a list" if isinstance(node.value, list) else f"a single value ({shown(node.value)})"


def parse(text: str, file: str, lines: bool = True) -> tuple[Node | None, list[Problem]]:
    """The only document of ``text`` (None where it is empty) and its faults; syntax errors raise ScenarioError.

    ``lines=False`` leaves lines out of places, for text that comes from the command line.
    """
    builder = _Builder(file, lines)
    try:
        builder.build(yaml.parse(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise ScenarioError([*builder.problems, builder.syntax_problem(error, text)]) from None
    return builder.root, builder.problems


def parse_value(text: str, place: Place) -> Node:
    """The value of ``--set path=text``: a scalar or a flow collection, with ``place`` everywhere."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ScenarioError([Problem(place, "", "the value is not UTF-8 text")])
    root, problems = parse(text, place.file, lines=False)
    if problems:
        raise ScenarioError(problems)
    return root if root is not None else Node(None, place)


class _Open:
    """A collection whose end has not been read yet."""

    __slots__ = ("faulty_key", "key", "key_place", "node", "refused", "start")

    def __init__(self, node: Node, start: Place, refused: bool) -> None:
        self.node = node
        self.start = start
        self.refused = refused
        self.key: str | None = None
        self.key_place = node.place
        self.faulty_key = False


class _Builder:
    """Builds nodes from parse events; a fault is noted, and the faulty value left out."""

    def __init__(self, file: str, lines: bool) -> None:
        self.file = file
        self.lines = lines
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def place(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1 if self.lines and mark is not None else None)

    def fault(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, self._path(), message))

    def _path(self) -> str:
        steps = []
        for open_ in self._open:
            if isinstance(open_.node.value, list):
                steps.append(str(len(open_.node.value)))
            elif open_.key is not None:
                steps.append(clean(open_.key, 40))
        return ".".join(steps)

    def build(self, events: Iterator[Any]) -> None:
        for event in events:
            if isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                self._count(event)
                if getattr(event, "anchor", None):
                    self.fault(self.place(event.start_mark), "anchors (&name) are not used in scenarios; write it out")
            if isinstance(event, yaml.AliasEvent):
                self.fault(self.place(event.start_mark), "aliases (*name) are not used in scenarios; write it out")
                self._leave_out()
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                self._start(event)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                done = self._open.pop()
                if done.refused:
                    self._leave_out()
                else:
                    self._add(done.node)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    message = "a second document starts here (---); a scenario file has one"
                    raise ScenarioError([*self.problems, Problem(self.place(event.start_mark), "", message)])

    def _count(self, event: Any) -> None:
        self._nodes += 1
        too_much = ""
        if self._nodes > MAX_NODES:
            too_much = f"the file holds more than {MAX_NODES:,} values"
        elif len(self._open) >= MAX_DEPTH:
            too_much = f"values are nested more than {MAX_DEPTH} deep"
        if too_much:
            raise ScenarioError([*self.problems, Problem(self.place(event.start_mark), "", too_much)])

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node.value, dict) and self._open[-1].key is None

    def _start(self, event: Any) -> None:
        place = self.place(event.start_mark)
        if self._expects_key():
            message = "a key must be text, not a list or a mapping (text that starts with { or [ needs quotes)"
            raise ScenarioError([*self.problems, Problem(place, self._path(), message)])
        if event.tag is not None:
            self.fault(place, f"the tag {clean(event.tag, 60)} is not allowed")
        if self._open and isinstance(self._open[-1].node.value, dict):
            place = self._open[-1].key_place
        empty: list[Node] | dict[str, Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(Node(empty, place), self.place(event.start_mark), event.tag is not None))

    def _scalar(self, event: Any) -> None:
        place = self.place(event.start_mark)
        if event.tag is not None:
            self.fault(place, f"the tag {clean(event.tag, 60)} is not allowed")
            self._leave_out()
            return
        try:
            value = plain_scalar(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            if self._expects_key():
                value = event.value
            else:
                self.fault(place, str(error))
                self._leave_out()
                return
        if self._expects_key():
            self._key(value, event.value, place)
        else:
            self._add(Node(value, place))

    def _key(self, value: Scalar, text: str, place: Place) -> None:
        top = self._open[-1]
        assert isinstance(top.node.value, dict)
        top.faulty_key = True
        if not isinstance(value, str) or not value:
            top.key = text
            self.fault(place, f"the key {clean(text, 40) or 'null'} is not text; put it in quotes")
        elif value == "<<":
            top.key = value
            self.fault(place, "merge keys (<<) are not used in scenarios; use extends")
        elif value in top.node.value:
            top.key = value
            first = top.node.value[value].place.line
            self.fault(place, "the key stands twice" + (f" (first on line {first})" if first else ""))
        else:
            top.key, top.faulty_key = value, False
        top.key_place = place

    def _add(self, node: Node) -> None:
        if not self._open:
            if self.root is None:
                self.root = node
            return
        top = self._open[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict):
            if top.key is not None and not top.faulty_key:
                top.node.value[top.key] = Node(node.value, top.key_place)
            top.key, top.faulty_key = None, False

    def _leave_out(self) -> None:
        """Skip the key or value just read."""
        if not self._open:
            return
        top = self._open[-1]
        if isinstance(top.node.value, dict):
            if top.key is None:
                top.key, top.faulty_key = "", True
            else:
                top.key, top.faulty_key = None, False

    def syntax_problem(self, error: yaml.YAMLError, text: str) -> Problem:
        """A sentence for what the YAML library could not read."""
        if isinstance(error, yaml.reader.ReaderError):
            line = text.count("\n", 0, error.position) + 1 if self.lines else None
            return Problem(Place(self.file, line), "", "a control character stands here, which YAML does not allow")
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = self.place(mark)
        problem = clean(getattr(error, "problem", "") or error)
        context = clean(getattr(error, "context", "") or "")
        if "quoted scalar" in context:
            opened = self.place(getattr(error, "context_mark", None))
            return Problem(opened, "", "a quotation mark is opened here and never closed")
        if "flow" in context and self._open:
            message = "the bracket opened here is not closed, or a comma is missing"
            if self.lines and mark is not None and mark.line < text.count("\n"):
                message += f" (noticed on line {mark.line + 1})"
            return Problem(self._open[-1].start, "", message)
        line_text = text.splitlines()[mark.line] if mark is not None and mark.line < len(text.splitlines()) else ""
        if "\t" in line_text[: (mark.column + 1 if mark is not None else 0)]:
            return Problem(place, "", "a tab stands in the indentation; YAML allows spaces only")
        if "mapping values are not allowed" in problem:
            return Problem(place, "", "a ':' is not allowed here; mend the indentation, or quote text with ': ' in it")
        if "block mapping" in context or "could not find expected ':'" in problem:
            return Problem(place, "", "the line does not fit the mapping it stands in; look at its indentation and ':'")
        return Problem(place, "", f"this is not YAML: {problem}")
