"""Static files: named by their hash, verified by the browser, kept for ever."""

import base64
import gzip
from hashlib import sha384
from pathlib import Path

import pytest

from inkan.web.assets import Assets


def assets(folder: Path, **files: str) -> Assets:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    return Assets({"a": folder, "absent": folder / "nosuch"})


def test_a_file_that_changes_has_another_address(tmp_path: Path) -> None:
    before = assets(tmp_path, base_css="p{}").url("a/base.css")
    assert before.startswith("/static/a/base.")
    assert before.endswith(".css")
    assert assets(tmp_path, base_css="p{ }").url("a/base.css") != before
    assert assets(tmp_path, base_css="p{}").url("a/base.css") == before


def test_the_integrity_is_of_the_bytes_that_are_served(tmp_path: Path) -> None:
    found = assets(tmp_path, main_js="export const x = 1;\n")
    asset = found.by_path[found.url("a/main.js")]
    digest = base64.b64encode(sha384(asset.body).digest()).decode()
    assert found.integrity("a/main.js") == f"sha384-{digest}"


def test_it_is_compressed_for_who_asks(tmp_path: Path) -> None:
    found = assets(tmp_path, base_css="p{}" * 100)
    asset = found.by_path[found.url("a/base.css")]
    plain, small = asset.response(None), asset.response("br, gzip")
    assert isinstance(small.body, bytes)
    assert gzip.decompress(small.body) == plain.body == b"p{}" * 100
    assert (b"content-encoding", b"gzip") in small.headers
    for response in (plain, small):
        assert dict(response.headers)[b"cache-control"] == b"public, max-age=31536000, immutable"
        assert dict(response.headers)[b"vary"] == b"accept-encoding"


def test_a_file_that_does_not_shrink_stays_plain(tmp_path: Path) -> None:
    found = assets(tmp_path, base_css="p")
    assert found.by_path[found.url("a/base.css")].compressed is None


def test_modules_import_each_other_by_their_hashed_names(tmp_path: Path) -> None:
    found = assets(
        tmp_path,
        main_js='import { x } from "./util.js";\nimport "./util.js";\nconst y = "./util.js";',
        util_js="export const x = 1;",
    )
    name = found.url("a/util.js").rpartition("/")[2]
    body = found.by_path[found.url("a/main.js")].body.decode()
    assert body == f'import {{ x }} from "./{name}";\nimport "./{name}";\nconst y = "./util.js";'
    changed = assets(tmp_path, util_js="export const x = 2;")
    assert changed.url("a/main.js") != found.url("a/main.js"), "the importer changes with it"


def test_a_module_of_the_toolkit_is_imported_from_any_folder(tmp_path: Path) -> None:
    for folder, text in (("web", "export const x = 1;"), ("b", 'import "web/util.js";')):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ("util.js" if folder == "web" else "main.js")).write_text(text)
    found = Assets({"web": tmp_path / "web", "b": tmp_path / "b"})
    name = found.url("web/util.js").rpartition("/")[2]
    body = found.by_path[found.url("b/main.js")].body.decode()
    assert body == f'import "../web/{name}";'
    assert found.closure("b/main.js") == ("web/util.js", "b/main.js")


def test_a_module_brings_all_that_it_imports_once_and_first(tmp_path: Path) -> None:
    found = assets(
        tmp_path,
        main_js='import "./a.js";\nimport "./b.js";',
        a_js='import "./c.js";',
        b_js='export { c } from "./c.js";',
        c_js="export const c = 1;",
        other_js='import "./c.js";',
    )
    assert found.closure("a/main.js") == ("a/c.js", "a/a.js", "a/b.js", "a/main.js")


def test_a_circle_of_modules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="→"):
        assets(tmp_path, a_js='import "./b.js";', b_js='import "./a.js";')


def test_a_file_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a/x\.php"):
        assets(tmp_path, x_php="x")


def test_comments_stay_here_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    source = """// @ts-check
/**
 * What it is for.
 *
 * @param {string} a
 */
export const a = "// no comment"; // stays
  /** @type {string} */
  // gone
const b = /** @type {any} */ (a); /* stays */
export const c = `/* ${a} */`;
"""
    served = assets(tmp_path, a_js=source)
    body = served.by_path[served.url("a/a.js")].body.decode()
    assert body.split("\n") == [
        *[""] * 6,
        'export const a = "// no comment"; // stays',
        "",
        "",
        "const b = /** @type {any} */ (a); /* stays */",
        "export const c = `/* ${a} */`;",
        "",
    ]
