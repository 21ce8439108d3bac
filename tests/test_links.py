"""Links between the pages of the repository: each leads to a file that is there, and to a heading that it has."""

import re
from pathlib import Path

import pytest
from paths import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *(path for place in ("docs", "web/docs", "clear_runtime", "assets") for path in (ROOT / place).rglob("*.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """A heading as GitHub's links name it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def missing(page: Path) -> list[str]:
    found = []
    # ComfyUI serves a help page in another language as if it lay beside the English one
    place = page.parent.parent if page.parent.parent == ROOT / "web" / "docs" else page.parent
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = place / name if name else page
        if (
            not target.exists()
            or heading
            and heading not in map(anchor, HEADING.findall(target.read_text(encoding="utf-8")))
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    assert not missing(page)
