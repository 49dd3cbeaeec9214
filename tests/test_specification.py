"""What the code cites of docs/specification.md is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("gaitjax", "configs", "converters", "tests")
_WORDS = r"(?:specification|section)s?"
_NUMBER = r"\d+(?:\.\d+)?"
# "section 4.6", "specification sections 2, 9.3-9.5 and 10", "sections 5.1 to 5.4"
_CITATION = re.compile(rf"\b{_WORDS} ({_NUMBER}(?:(?:, | and |-| to ){_NUMBER})*)", re.IGNORECASE)


def headings() -> set[str]:
    text = (ROOT / "docs" / "specification.md").read_text()
    return set(re.findall(rf"^#+ ({_NUMBER})\.? ", text, re.MULTILINE))


def citations(text: str) -> list[str]:
    """Section numbers that `text` cites, line breaks and comment signs aside."""
    plain = re.sub(r"\s*\n\s*#?\s*", " ", text)
    return [n for group in _CITATION.findall(plain) for n in re.findall(_NUMBER, group)]


def test_citations_are_recognised():
    text = "Sources: specification sections 2,\n    9.3-9.5 and 10; (section 4.6). 17 joints"
    assert citations(text) == ["2", "9.3", "9.5", "10", "4.6"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_cited_sections_exist(folder):
    known, cited = headings(), 0
    for path in sorted((ROOT / folder).rglob("*.py")):
        found = citations(path.read_text(encoding="utf-8"))
        cited += len(found)
        unknown = sorted(set(found) - known)
        assert not unknown, f"{path.relative_to(ROOT)} cites sections {unknown}: not in the page"
    assert cited or folder in ("configs", "converters")
