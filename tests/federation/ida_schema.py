"""The rules of the OpenID identity assurance schema (1.0, 2024) for what is given here, as a JSON Schema of our own."""

from typing import Any

TEXT = {"type": "string", "minLength": 1}
CHECK = {
    "type": "object",
    "required": ["check_method"],
    "properties": {"check_method": TEXT, "organization": TEXT, "time": TEXT, "txn": TEXT},
    "additionalProperties": False,
}
DOCUMENT = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"const": "document"},
        "check_details": {"type": "array", "minItems": 1, "items": CHECK},
        "document_details": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": TEXT},
            # Numbers and days of a document would make the person known again to everybody.
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
RECORD = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"const": "electronic_record"},
        "record": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": TEXT,
                "source": {"type": "object", "properties": {"name": TEXT}},
            },
        },
    },
    "additionalProperties": False,
}
ELEMENT: dict[str, Any] = {
    "type": "object",
    "required": ["verification", "claims"],
    "properties": {
        "verification": {
            "type": "object",
            "required": ["trust_framework"],
            "properties": {
                "trust_framework": TEXT,
                "assurance_level": TEXT,
                "time": {"type": "string", "format": "date-time"},
                "evidence": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"oneOf": [DOCUMENT, RECORD]},
                },
            },
            "additionalProperties": False,
        },
        "claims": {"type": "object", "minProperties": 1},
    },
    "additionalProperties": False,
}
VERIFIED_CLAIMS: dict[str, Any] = {
    "anyOf": [ELEMENT, {"type": "array", "minItems": 1, "items": ELEMENT}]
}
