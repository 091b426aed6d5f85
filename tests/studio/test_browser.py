"""The page in a real browser: every view is clicked through, and nothing is loaded from elsewhere."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from studio_programs import random_program
from studio_server import Served, served

from limner.programs.program import Program

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE = 30_000
"""Milliseconds after which a test gives up."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, unconditional_folder: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("work")
    run = folder / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "checkpoints").symlink_to(unconditional_folder / "checkpoints")
    config = json.loads(next(unconditional_folder.glob("checkpoints/*/manifest.json")).read_bytes())["training"]
    (run / "config.json").write_text(json.dumps(config))
    rows = [{"update": i, "frames": 24 * i, "minutes": i / 4, "eval/mse": 1 / (i + 1), "loss": -i} for i in range(20)]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with served(folder) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(studio: Served, browser: Browser) -> Iterator[Page]:
    """A page of a person of its own; at the end nothing has gone wrong on it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    made, problems = context.new_page(), list[str]()
    made.on("console", lambda message: problems.append(message.text) if is_fault(message) else None)
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on("request", lambda request: problems.append(request.url) if not is_ours(request.url, studio) else None)
    made.goto(studio.address)
    yield made
    context.close()
    assert problems == []


expect.set_options(timeout=PATIENCE)


def is_ours(url: str, studio: Served) -> bool:
    return url.startswith((studio.address, "blob:", studio.address.replace("http", "ws")))


def is_fault(message: Any) -> bool:
    """Whether a message of the console is of something other than a request that is refused with reason."""
    return message.type == "error" and "the server responded with a status of 400" not in message.text


def show(page: Page, program: Program, tmp_path: Path) -> None:
    """Open a program from a file."""
    program.save(tmp_path / "program.json")
    page.get_by_label("A program file").set_input_files(tmp_path / "program.json")
    expect(page.get_by_text(f"{len(program)} of {len(program)} actions", exact=True)).to_be_visible()


def saved(page: Page) -> Program:
    with page.expect_download() as download:
        page.get_by_role("link", name="Program").click()
    return Program.load(download.value.path())


def shown(page: Page) -> Any:
    """The picture on the page, ``uint8[H, W, 3]``, at the size of the screen, without what lies over it."""
    page.evaluate("document.querySelector('.over').hidden = true")
    file = page.locator(".stage canvas").first.screenshot()
    page.evaluate("document.querySelector('.over').hidden = false")
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place on the screen, of shares of the picture."""
    page.locator(".over").scroll_into_view_if_needed()
    box = page.locator(".over").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def three_lines() -> Program:
    """Three thick strokes, one above the other: from left to right at a quarter, half and three quarters."""
    program = random_program(3)
    rows = [
        [32 * y + 4, 32 * y + 16, 32 * y + 27, 2, 9, *colour]
        for y, colour in ((8, (19, 0, 0)), (16, (0, 12, 0)), (24, (0, 0, 19)))
    ]
    return Program(program.renderer, np.asarray(rows))


def test_draw_and_scrub(page: Page) -> None:
    page.get_by_role("link", name="Let it draw: mnist", exact=True).click()
    page.get_by_label("How many").fill("3")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.locator(".samples img")).to_have_count(3)
    page.get_by_role("button", name="Open drawing 2").click()
    expect(page.get_by_text("12 of 12 actions")).to_be_visible()
    final = shown(page)
    slider = page.get_by_label("Timeline: actions painted")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text("0 of 12 actions")).to_be_visible()
    expect(page.get_by_text("The canvas is empty.")).to_be_visible()
    page.get_by_role("button", name="One action forward").click()
    action = page.get_by_role("region", name="The action")
    expect(action.get_by_role("heading")).to_have_text("Action 1")
    expect(action.get_by_text(re.compile(r"column \d+, row \d+ \(x [\d.]+ px, y [\d.]+ px\)")).first).to_be_visible()
    expect(action.get_by_text(re.compile(r"[\d.]+ px$")).first).to_be_visible()
    expect(action.get_by_text(re.compile(r"[\d.]+ %$"))).to_be_visible()
    page.get_by_role("button", name="Where would it go on?").click()
    expect(page.get_by_text(re.compile("has a probability of .* It expects rewards"))).to_be_visible()
    assert page.evaluate(
        """() => {
            const over = document.querySelector(".over");
            const { data } = over.getContext("2d").getImageData(0, 0, over.width, over.height);
            return data.some((x) => x);
        }"""
    ), "the heat map is drawn"
    page.get_by_label("Speed").select_option("100")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("12 of 12 actions")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.wait_for_timeout(300)
    assert np.abs(shown(page) - final).mean() < 0.5


def test_edit(page: Page, tmp_path: Path) -> None:
    program = three_lines()
    show(page, program, tmp_path)
    page.mouse.click(*at(page, 0.5, 0.516))
    expect(page.get_by_text("Selected: 2")).to_be_visible()
    change = page.get_by_role("region", name="Change")
    change.get_by_label("radius").select_option("1")
    expect(change.get_by_role("button", name="Undo")).to_be_enabled()
    change.get_by_label("pressure").select_option("4")
    change.get_by_label("colour").fill("#ff00ff")
    change.get_by_label("end column").fill("20")
    change.get_by_label("end column").press("Enter")
    expect(page.get_by_title("Undo: change end")).to_be_visible()
    assert saved(page).actions[1].tolist() == [516, 528, 16 * 32 + 20, 1, 4, 19, 0, 19]
    page.mouse.move(*at(page, 20.5 / 32, 0.516))  # its end, by the pointer
    page.mouse.down()
    page.mouse.move(*at(page, 0.7, 0.7))
    page.mouse.move(*at(page, 0.8, 0.8))
    page.mouse.up()
    expect(page.get_by_title("Undo: move a point")).to_be_visible()
    assert saved(page).actions[1, 2] == 25 * 32 + 25
    page.locator(".over").press("ArrowUp")
    expect(page.get_by_title("Undo: move action")).to_be_visible()
    assert saved(page).actions[1, :3].tolist() == [15 * 32 + 4, 15 * 32 + 16, 24 * 32 + 25]
    for _ in range(6):
        change.get_by_role("button", name="Undo").click()
        page.wait_for_timeout(100)
    expect(change.get_by_role("button", name="Undo")).to_be_disabled()
    assert saved(page) == program
    change.get_by_role("button", name="Later", exact=True).click()
    expect(page.get_by_text("Selected: 3")).to_be_visible()
    assert saved(page).actions.tolist() == program.actions[[0, 2, 1]].tolist()
    page.keyboard.press("Control+z")
    expect(change.get_by_role("button", name="Redo")).to_be_enabled()
    page.keyboard.press("Control+Shift+Z")
    expect(change.get_by_role("button", name="Redo")).to_be_disabled()
    change.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("4 of 4 actions", exact=True)).to_be_visible()
    page.mouse.click(*at(page, 0.5, 0.266))
    expect(page.get_by_text("Selected: 1")).to_be_visible()
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, 0.5, 0.766))
    page.keyboard.up("Shift")
    expect(page.get_by_text("Selected: 1, 2")).to_be_visible()
    change.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("2 of 2 actions", exact=True)).to_be_visible()
    expect(page.get_by_text("No stroke is selected.")).to_be_visible()


def test_draw_a_stroke_and_branch(page: Page, tmp_path: Path) -> None:
    show(page, three_lines(), tmp_path)
    before = shown(page)
    page.get_by_role("button", name="To the beginning").click()
    page.get_by_role("button", name="Draw a stroke").click()
    page.mouse.move(*at(page, 0.1, 0.1))
    page.mouse.down()
    page.mouse.move(*at(page, 0.1, 0.5))
    page.mouse.move(*at(page, 0.1, 0.9))
    page.mouse.up()
    expect(page.get_by_text("1 of 4 actions", exact=True)).to_be_visible()
    assert saved(page).actions[0, :3].tolist() == [3 * 32 + 3, 16 * 32 + 3, 28 * 32 + 3]
    page.get_by_role("button", name="To the end", exact=True).click()
    page.wait_for_timeout(500)
    assert np.abs(shown(page) - before).mean() > 1
    page.get_by_role("button", name="One action back").click()
    first = page.url
    page.get_by_role("button", name="Branch from here").click()
    expect(page.get_by_text("3 of 3 actions", exact=True)).to_be_visible()
    assert page.url != first
    page.get_by_label("brush").select_option("classic/charcoal")
    expect(page.get_by_title("Undo: change brush")).to_be_visible()
    assert saved(page).renderer["brush"] == "classic/charcoal"
    page.get_by_role("button", name="One action back").click()
    page.get_by_role("button", name="Drop what comes later").click()
    expect(page.get_by_text("2 of 2 actions", exact=True)).to_be_visible()
    page.goto(first)
    expect(page.get_by_text("4 of 4 actions", exact=True)).to_be_visible()


def photograph(tmp_path: Path) -> Path:
    shades = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    Image.fromarray(shades).resize((96, 64)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_paint_stop_and_go_on(page: Page, tmp_path: Path) -> None:
    page.get_by_role("link", name="Draw", exact=True).click()
    page.get_by_label("A picture: choose").set_input_files(photograph(tmp_path))
    expect(page.get_by_alt_text("The picture that is to be painted")).to_be_visible()
    panel = page.get_by_role("region", name="Paint a picture")
    panel.get_by_label("Strokes").fill("2000")
    panel.get_by_label("Seconds of search").fill("500")
    panel.get_by_role("button", name="Paint").click()
    agent = page.get_by_role("region", name="The agent")
    expect(page.get_by_text(re.compile(r"^\d\d+ of \d+ actions"))).to_be_visible()
    agent.get_by_role("button", name="Stop").click()
    expect(agent.get_by_text("The last painting: stopped.")).to_be_visible()
    kept = len(saved(page))
    assert kept > 0
    page.get_by_role("button", name="Mark a region").click()
    page.mouse.move(*at(page, 0.1, 0.1))
    page.mouse.down()
    page.mouse.move(*at(page, 0.5, 0.5))
    page.mouse.up()
    agent.get_by_label("Strokes").fill("5")
    agent.get_by_label("Seconds of search").fill("1")
    agent.get_by_role("button", name="Paint the region again").click()
    expect(page.get_by_text(f"{kept + 5} of {kept + 5} actions", exact=True)).to_be_visible()
    expect(agent.get_by_text("The last painting: done.")).to_be_visible()


def test_a_person_begins_and_an_agent_finishes(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Begin one yourself: faces").click()
    expect(page.get_by_text("0 of 0 actions")).to_be_visible()
    page.get_by_role("button", name="Draw a stroke").click()
    page.mouse.move(*at(page, 0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*at(page, 0.8, 0.6))
    page.mouse.up()
    expect(page.get_by_text("1 of 1 actions", exact=True)).to_be_visible()
    begun = saved(page)
    page.get_by_label("A picture: choose").set_input_files(photograph(tmp_path))
    expect(page.get_by_alt_text("The picture that is to be painted")).to_be_visible()
    agent = page.get_by_role("region", name="The agent")
    agent.get_by_label("Strokes").fill("8")
    agent.get_by_label("Seconds of search").fill("0")
    agent.get_by_role("button", name="Go on painting").click()
    expect(page.get_by_text("9 of 9 actions", exact=True)).to_be_visible()
    assert saved(page).actions[0].tolist() == begun.actions[0].tolist()


def test_compare(page: Page, tmp_path: Path) -> None:
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("A picture: choose").set_input_files(photograph(tmp_path))
    expect(page.get_by_alt_text("The picture that is to be painted")).to_be_visible()
    for side, strokes in (("First", 8), ("Second", 30)):
        page.get_by_role("group", name=side).get_by_label("Strokes").fill(str(strokes))
    page.get_by_role("button", name="Compare").click()
    for strokes in (8, 30):
        expect(page.get_by_text(f"{strokes} of {strokes} strokes, done")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Mean squared error. First: .*; Second: "))).to_be_visible()
    page.get_by_label("Timeline of both drawings").press("Home")
    expect(page.get_by_text("0 of 30 strokes, done")).to_be_visible()


def test_runs(page: Page) -> None:
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("eval.mse of runs.mine. eval.mse: from 1 to 0.05"))).to_be_visible()
    page.get_by_label("Figure").select_option("loss")
    expect(page.get_by_role("img", name=re.compile("loss of runs.mine"))).to_be_visible()
    page.get_by_role("button", name="Draw some now").click()
    expect(page.locator(".samples img")).to_have_count(12)


def test_what_cannot_be_done_is_said(page: Page, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    page.get_by_label("A program file").set_input_files(tmp_path / "bad.json")
    expect(page.locator("#status")).to_contain_text("not JSON")
    page.get_by_role("link", name="Draw", exact=True).click()
    page.get_by_role("button", name="Paint").click()
    expect(page.locator("#status")).to_have_text("choose a picture first")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_view_fits_the_screen(studio: Served, browser: Browser, tmp_path: Path, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(studio.address)
    show(page, three_lines(), tmp_path)
    desk = page.url
    for address in (desk, *(f"{studio.address}#/{view}" for view in ("gallery", "draw", "compare", "runs"))):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_text("Loading …")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == (scheme == "dark")
    context.close()
