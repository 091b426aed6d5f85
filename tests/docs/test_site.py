"""The documentation site: it is built without a warning, is complete, and needs nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

import limner

pytest.importorskip("zensical", reason="the site needs the extra docs")
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SETTINGS = tomllib.loads((DOCS / "zensical.toml").read_text())


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_site", DOCS / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it; a warning is an error."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    load_builder().build(folder)
    return folder


class Page(HTMLParser):
    """What a browser fetches with a page, and the identifiers in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.identifiers: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.identifiers |= {given["id"]} if "id" in given else set()
        self.fetched += [given[name] for name in ("src", "srcset", "data", "poster") if name in given]
        self.fetched += [given["href"]] if tag in ("link", "use", "image") else []


def in_navigation(entries: list[dict[str, object]]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        for place in entry.values():
            found += [place] if isinstance(place, str) else in_navigation(place)
    return found


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = sorted(site.glob("**/*.html"))
    assert len(pages) > 30
    for page in pages:
        for place in Page(page.read_text()).fetched:
            assert not re.match(r"(\w+:)?//", place), f"{page}: {place}"
    for sheet in site.glob("**/*.css"):
        assert not re.search(r"@import|url\(\s*['\"]?(\w+:)?//", sheet.read_text()), sheet


def test_what_a_page_shows_is_there(site: Path) -> None:
    for page in site.glob("**/*.html"):
        for place in Page(page.read_text()).fetched:
            if page.name != "404.html" and not place.startswith("data:"):
                assert (page.parent / place.split("?")[0].split("#")[0]).exists(), f"{page}: {place}"


def test_every_page_is_in_the_navigation() -> None:
    listed = in_navigation(SETTINGS["project"]["nav"])
    assert len(listed) == len(set(listed))
    cards = ROOT.glob("src/limner/agents/zoo/*/card.md")
    assert {str(page.relative_to(ROOT)) for page in [*DOCS.glob("**/*.md"), *cards]} <= set(listed)
    assert all((ROOT / page).is_file() for page in listed)


def test_the_reference_has_every_public_name(site: Path) -> None:
    known = Page((site / "docs/reference/limner.html").read_text()).identifiers
    assert {f"limner.{name}" for name in limner.__all__} <= known


def test_signatures_and_docstrings_are_in_the_reference(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "docs/reference/worlds.html").read_text())
    assert "Execute one action" in text
    assert "_restore" in text, "what a renderer of one's own has to implement"
    assert "__init__" not in text


@pytest.mark.parametrize("link", ["nowhere.md", "other.md#nowhere"])
def test_a_link_that_leads_nowhere_is_an_error_and_leaves_the_site_alone(
    link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = load_builder()
    monkeypatch.setattr(builder, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "docs/zensical.toml").write_text('[project]\nsite_name = "x"\ndocs_dir = "pages"\nsite_dir = "site"\n')
    (tmp_path / "docs/other.md").write_text("# Other\n")
    (tmp_path / "README.md").write_text("# One\n\n[other](docs/other.md)\n")
    builder.build(tmp_path / "out")
    before = (tmp_path / "out/index.html").read_bytes()
    (tmp_path / "README.md").write_text(f"# Two\n\n[other](docs/{link})\n")
    with pytest.raises(subprocess.CalledProcessError):
        builder.build(tmp_path / "out")
    assert (tmp_path / "out/index.html").read_bytes() == before
