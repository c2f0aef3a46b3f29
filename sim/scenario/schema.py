"""JSON Schema of scenario files, for editors, and the parameters of a section as rows for the reference pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sim.scenario.expectations import Expectation
from sim.scenario.fields import FieldDoc, fields_of
from sim.scenario.head import FILE_ENTRIES, CheckBlock, Head, VariantBlock
from sim.scenario.registry import DEFAULT, Registry
from sim.scenario.types import Section


def parameter_rows(section: type[Section]) -> list[FieldDoc]:
    """Every parameter of ``section``, those of nested parts after the parameter that holds them."""
    return list(fields_of(section))


def json_schema(registry: Registry = DEFAULT) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario file. Builds every section, so it takes a moment."""
    sections = registry.all()
    shocks = {kind.name: kind for section in sections.values() for kind in section.shocks}
    models: list[type[BaseModel]] = [Expectation, CheckBlock, VariantBlock, *sections.values()]
    models += [kind.arguments for kind in shocks.values()]
    references, definitions = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], ref_template="#/$defs/{model}")
    definitions = definitions["$defs"]

    def reference(model: type[BaseModel]) -> dict[str, Any]:
        return dict(references[(model, "validation")])

    properties: dict[str, Any] = {
        name: {key: value for key, value in entry.items() if key != "title"}
        for name, entry in Head.model_json_schema()["properties"].items()
    }
    properties["extends"] = {"type": "string", "pattern": r"\.ya?ml$"}
    properties["check"] = reference(CheckBlock)
    properties["shocks"] = {"type": "array", "items": {"anyOf": _shock_schemas(shocks, reference, definitions)}}
    properties["expect"] = {"type": "array", "items": reference(Expectation)}
    properties["variants"] = {"type": "object", "additionalProperties": reference(VariantBlock)}
    for name, meaning in FILE_ENTRIES.items():
        properties[name].setdefault("description", meaning)
    for name, section in sections.items():
        properties[name] = {"anyOf": [reference(section), {"type": "null"}],
                            "description": (section.__doc__ or "").strip()}
    definitions["VariantBlock"]["properties"]["expect"]["items"] = reference(Expectation)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "salus scenario",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": definitions,
    }


def _shock_schemas(shocks: Mapping[str, Any], reference: Any, definitions: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, kind in sorted(shocks.items()):
        arguments = definitions[reference(kind.arguments)["$ref"].rpartition("/")[2]]
        found.append({
            "type": "object",
            "description": kind.description,
            "properties": {"day": {"type": "integer", "minimum": 0}, "kind": {"const": name},
                           **arguments.get("properties", {})},
            "required": ["day", "kind", *arguments.get("required", [])],
            "additionalProperties": False,
        })
    return found or [{"type": "object", "required": ["day", "kind"]}]
