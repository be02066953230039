"""Pages escape what they show and miss nothing silently."""

from pathlib import Path

import jinja2
import pytest

from inkan.web.languages import Language
from inkan.web.templates import Templates

EN = Language.EN


def page(tmp_path: Path, text: str) -> Templates:
    folder = tmp_path / "feature"
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "x.html").write_text(text, "utf-8")
    return Templates({"feature": folder})


def test_what_is_shown_is_escaped(tmp_path: Path) -> None:
    made = page(tmp_path, "<p title='{{ x }}'>{{ x }}</p>")
    shown = made.render("feature/x.html", EN, x="<script>'\"&</script>")
    assert shown == (
        "<p title='&lt;script&gt;&#39;&#34;&amp;&lt;/script&gt;'>"
        "&lt;script&gt;&#39;&#34;&amp;&lt;/script&gt;</p>"
    )


def test_a_translated_text_escapes_its_facts(tmp_path: Path) -> None:
    made = page(tmp_path, "{% trans name %}Hello {{ name }}{% endtrans %}")
    assert made.render("feature/x.html", EN, name="<b>") == "Hello &lt;b&gt;"


def test_a_missing_fact_is_an_error(tmp_path: Path) -> None:
    made = page(tmp_path, "{{ nosuch }}")
    with pytest.raises(jinja2.UndefinedError):
        made.render("feature/x.html", EN)


def test_a_page_of_no_package_is_an_error(templates: Templates) -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        templates.render("web/../app.py", EN)


def test_macros_are_translated_too(tmp_path: Path) -> None:
    text = '{% from "web/components.html" import steps %}{{ steps(["a", "b"], 1) }}'
    made = page(tmp_path, text)
    assert "已完成" in made.render("feature/x.html", Language.ZH_HANT)
    assert "完了" in made.render("feature/x.html", Language.JA)
    assert "(done)" in made.render("feature/x.html", EN)


def test_no_template_carries_inline_script_or_style() -> None:
    folder = Path(__file__).parents[2] / "src" / "inkan"
    for path in folder.rglob("templates/*.html"):
        text = path.read_text("utf-8").lower()
        for word in (
            "<script>",
            "<style",
            " style=",
            "javascript:",
            " onclick",
            " onload",
            "| safe",
            "|safe",
        ):
            assert word not in text, f"{path.name}: {word}"
