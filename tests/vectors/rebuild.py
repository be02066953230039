"""Rebuild the golden vectors: ``python tests/vectors/rebuild.py [FOLDER]``.

Everything is derived from fixed labels: keys, nonces, salts; ECDSA signs deterministically (RFC 6979). So the
same files come out on every machine, and a difference to the checked-in ones is a change of a format.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "src")]

from inkan.wire.forms import UNSAFE_RANGES  # noqa: E402
from wire.golden import BUILDERS  # noqa: E402

# Invisible characters stand as escapes, so that a reader of the file sees them.
_ESCAPES = {
    code_point: f"\\u{code_point:04x}"
    for low, high in UNSAFE_RANGES
    for code_point in range(max(low, 0x20), min(high, 0xFFFF) + 1)
}


def rebuild() -> dict[str, str]:
    """Every file of the folder ``wire`` by name, as text."""
    return {f"{name}.json": _text(build()) for name, build in BUILDERS.items()}


def _text(vectors: dict[str, Any]) -> str:
    head = {"version": 1, "origin": "made by the Inkan project", "licence": "Apache-2.0"}
    return json.dumps(head | vectors, ensure_ascii=False, indent=1).translate(_ESCAPES) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "wire"
    for name, text in rebuild().items():
        (folder / name).write_text(text, encoding="utf-8")
