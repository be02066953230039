"""A JSON Schema validator over the shipped schemas, with patterns as ECMAScript reads them."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource

from inkan.wire.schema import NAMES, schema

ID = "urn:inkan:schema:"


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """`$` ends the text; Python's own would let a trailing line break through."""
    python = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and re.search(python, instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = extend(Draft202012Validator, {"pattern": _pattern})


@cache
def validator(name: str) -> Any:
    """The validator of one schema; references find the others."""
    resources = [(f"{ID}{each}", Resource.from_contents(schema(each))) for each in NAMES]
    return _Validator(schema(name), registry=Registry().with_resources(resources))


def is_valid(name: str, document: Any) -> bool:
    return bool(validator(name).is_valid(document))
