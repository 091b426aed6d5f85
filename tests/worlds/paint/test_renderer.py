"""The paint renderer: what it paints, that it always paints the same, and that nothing bad reaches libmypaint."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.worlds import make_renderer
from limner.worlds.paint.brushes import brush_names, find_brush
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import JUMP, PAINT, VIA, PaintSettings

PLAIN, RANDOM, SMUDGING = "classic/pen", "classic/dry_brush", "deevad/watercolor_glazing"
TRACKING_NOISE = "classic/impressionism"


def program(renderer: Paint, steps: int, seed: int = 0) -> np.ndarray:
    return renderer.actions.sample(np.random.default_rng(seed), (steps, renderer.batch))


def paint(renderer: Paint, actions: np.ndarray) -> np.ndarray:
    for step in actions:
        renderer.step(step)
    return renderer.canvas()


def action(
    renderer: Paint, flag: int, end: tuple[int, int], control: tuple[int, int] = (0, 0), **parts: int
) -> np.ndarray:
    """One action for every canvas; places are (row, column)."""
    grid = renderer.settings()["grid"]
    values = {"flag": flag, "end": end[0] * grid + end[1], "control": control[0] * grid + control[1], **parts}
    return np.array([[values.get(name, 0) for name in renderer.actions.names]] * renderer.batch)


def run_python(code: str, timeout: float = 60, **environment: str) -> str:
    """Run `code` in a process of its own; fail when it crashes, hangs or warns."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert result.returncode == 0, f"exit status {result.returncode}: {result.stderr[-2000:]}"
    return result.stdout


# --- what it paints ---------------------------------------------------------------------------------------------


def test_a_line_lies_where_it_should() -> None:
    renderer = Paint(PaintSettings(sizes=(1.0,)))
    renderer.step(action(renderer, JUMP, (16, 4)))
    assert (renderer.canvas() == 255).all()
    assert renderer.pen() == pytest.approx(np.array([[4.5 / 32, 16.5 / 32]]))
    renderer.step(action(renderer, PAINT, (16, 27), (16, 16), pressure=9))
    rows, columns = np.nonzero(renderer.canvas()[0, :, :, 0] < 128)
    assert 31 <= rows.min() <= rows.max() <= 34
    assert 7 <= columns.min() <= 11  # the cell's centre is at pixel 9
    assert 52 <= columns.max() <= 56


def test_deepmind_2018_stores_y_twice_and_uses_corners() -> None:
    renderer = Paint(PaintSettings(preset="deepmind-2018"))
    renderer.step(action(renderer, JUMP, (16, 4)))
    assert renderer.pen() == pytest.approx(np.array([[0.5, 0.5]]))
    renderer.step(action(renderer, PAINT, (16, 4), (16, 4)))
    assert renderer.pen() == pytest.approx(np.array([[4 / 32, 0.5]]))


@pytest.mark.parametrize("brush", ["classic/pen", "classic/calligraphy"])
def test_parity_with_libmypaint_1_3_0(brush: str) -> None:
    """Reference pictures by `benchmarks/parity.py --save`.

    No build of 1.3.0 was at hand: the library that painted them is the source of 1.6.0 in which the brush dynamics were
    put back to the published text of 1.3.0 (speed, direction, random input, tracking noise, smudging, colour changes).
    Masks and blending are the same in both.
    """
    with np.load(Path(__file__).with_name("libmypaint-1.3.0.npz")) as reference:
        actions, pictures = reference[f"{brush}:actions"], reference[f"{brush}:pictures"]
    renderer = Paint(PaintSettings(brush=brush, sizes=(1, 2, 4), preset="deepmind-2018"), batch=len(pictures))
    painted = paint(renderer, actions.astype(np.int64))[..., 0].astype(int)
    assert np.abs(painted - pictures).max() <= 1
    corrected = Paint(PaintSettings(brush=brush, sizes=(1, 2, 4)), batch=len(pictures))
    assert np.abs(paint(corrected, actions.astype(np.int64))[..., 0] - pictures.astype(int)).max() > 100


def test_pressure_starts_where_the_last_curve_ended() -> None:
    def first_ink(before: int | None) -> int:
        renderer = Paint(PaintSettings(sizes=(4.0,), brush="deevad/2B_pencil", grid=8))
        renderer.step(action(renderer, JUMP, (4, 0)))
        if before is not None:
            renderer.step(action(renderer, PAINT, (4, 1), (4, 1), pressure=before))
        renderer.step(action(renderer, PAINT, (4, 7), (4, 4), pressure=9))
        return int((255 - renderer.canvas()[0, 20:52, 20:34].astype(int)).sum())

    assert first_ink(0) < 0.8 * first_ink(9)
    assert first_ink(None) == pytest.approx(first_ink(9), rel=0.35)  # after a jump: full pressure from the start


def test_colours() -> None:
    renderer = Paint(PaintSettings(color=True, sizes=(24.0,), brush="classic/marker_fat", levels=3))
    for levels in [(2, 0, 0), (0, 1, 0), (0, 0, 2), (2, 1, 0), (1, 1, 1), (0, 1, 2)]:
        renderer.reset()
        rgb = dict(zip(("red", "green", "blue"), levels, strict=True))
        renderer.step(action(renderer, JUMP, (0, 0)))
        for row in (0, 16, 31, 16, 0):
            renderer.step(action(renderer, PAINT, (row, 31), (16, 16), pressure=9, **rgb))
            renderer.step(action(renderer, PAINT, (31 - row, 0), (16, 16), pressure=9, **rgb))
        assert renderer.canvas()[0, 32, 32] == pytest.approx(np.array(levels) * 127.5, abs=3)


@pytest.mark.parametrize("size", [64, 65, 100, 128, 200])
def test_scaling(size: int) -> None:
    """The same program at another size is the same picture."""
    small = paint(renderer := Paint(PaintSettings(sizes=(4, 8))), actions := program(renderer, 4))
    large = paint(Paint(PaintSettings(sizes=(4, 8), canvas=size)), actions)
    assert large.shape == (1, size, size, 1)
    grid = (np.arange(64) * 2 + 1) * size // 128
    assert np.abs(large[:, grid][:, :, grid].astype(int) - small).mean() < 6
    if size == 64:
        assert (large == small).all()


def test_the_largest_canvas() -> None:
    renderer = Paint(PaintSettings(canvas=4096, sizes=(2.0,)))
    renderer.step(action(renderer, PAINT, (31, 31), (16, 16), pressure=9))
    picture = renderer.canvas()
    assert picture.shape == (1, 4096, 4096, 1)
    assert picture[0, 2048, 2048, 0] < 30
    assert picture[0, 4000, 4000, 0] < 30
    assert picture[0, 100, 3900, 0] == 255


@pytest.mark.parametrize("size", [1024, 3072, 4096])
def test_wide_strokes_are_as_wide_on_large_canvases(size: int) -> None:
    """libmypaint itself paints no radius above 1000 pixels: a canvas of 4096 is two times the brush's."""
    settings = {"sizes": (15.6,), "space": "stroke", "pressures": 1, "events": 10}
    strokes = np.array([[[32 * 16 + 1, 32 * 24 + 2, 32 * 31 + 1, 0, 0]]])
    small = paint(Paint(PaintSettings(**settings, canvas=512)), strokes)[0, :, :, 0].astype(float)
    large = paint(Paint(PaintSettings(**settings, canvas=size)), strokes)[0, :, :, 0]
    factor = size // 512
    reduced = large.reshape(512, factor, 512, factor).mean((1, 3))
    assert 0.3 < (small < 128).mean() < 0.9
    assert np.abs(reduced - small).mean() < 1.5


def test_transparent_ground_holds_the_same_picture() -> None:
    for color in (False, True):
        white = Paint(PaintSettings(color=color, sizes=(4, 8)), 3)
        clear = Paint(PaintSettings(color=color, sizes=(4, 8), ground="transparent"), 3)
        assert clear.shape == (64, 64, 4 if color else 2)
        assert not clear.canvas().any()
        actions = program(white, 4)
        expected, layers = paint(white, actions), paint(clear, actions).astype(float)
        alpha = layers[..., -1:] / 255
        assert np.abs(layers[..., :-1] * alpha + 255 * (1 - alpha) - expected).max() <= 1.5


def test_number_of_events() -> None:
    few, many = (Paint(PaintSettings(events=events, sizes=(2.0,)), 4) for events in (10, 100))
    actions = program(few, 3)
    assert np.abs(paint(few, actions).astype(int) - paint(many, actions)).mean() < 25


@pytest.mark.parametrize("brush", [PLAIN, RANDOM, SMUDGING])
def test_dabs_are_those_of_the_last_action(brush: str) -> None:
    """Neither the strokes of a new brush nor those that restoring one replays count."""
    renderer = Paint(PaintSettings(brush=brush, sizes=(2.0,)), batch=2)
    line, jump = (action(renderer, flag, (16, 16), (16, 16), pressure=9) for flag in (PAINT, JUMP))
    both = np.concatenate([line[:1], jump[:1]])
    renderer.step(both)
    ((dabs,), (nothing,)) = first = renderer.dabs()
    assert 5 < dabs.laid <= dabs.made
    assert nothing.made == nothing.laid == nothing.radii == 0
    saved = renderer.save()
    renderer.step(line)
    after = renderer.dabs()
    for _ in range(2):
        renderer.restore(saved)
        renderer.step(line)
        assert renderer.dabs() == after
    renderer.reset()
    renderer.step(both)
    assert renderer.dabs() == first


def test_dabs_that_lay_no_paint() -> None:
    """An eraser's, those of a brush that needs more pressure, and none beyond the canvas."""
    for brush, pressure in (("classic/ink_eraser", 9), ("classic/brush", 0)):
        renderer = Paint(PaintSettings(brush=brush))
        renderer.step(action(renderer, PAINT, (16, 16), pressure=pressure))
        ((dabs,),) = renderer.dabs()
        assert dabs.made > 5
        assert dabs.laid == dabs.radii == 0
        assert (renderer.canvas() == 255).all()


@pytest.mark.parametrize("canvas", [128, 4096])
def test_dabs_are_where_the_paint_is(canvas: int) -> None:
    """Of each of the curves of a spline, one that comes back over itself, at any size."""
    renderer = Paint(PaintSettings(brush="deevad/fill", space="spline", canvas=canvas, sizes=(2.0,)))
    ways = [(JUMP, 32 * 10 + 4), (VIA, 32 * 10 + 24), (VIA, 32 * 10 + 8), (PAINT, 32 * 26 + 8)]
    for flag, point in ways:
        renderer.step(np.array([[flag, point, 0, 9]]))
    (dabs,) = renderer.dabs()
    (ys, xs) = np.nonzero(renderer.canvas()[0, ..., 0] < 128)
    radius = dabs[0].radii / dabs[0].laid
    cell = canvas / 32
    assert len(dabs) == 2
    assert [one.laid > 10 for one in dabs] == [True, True]
    assert dabs[0].first[0] - radius == pytest.approx(xs.min(), abs=0.02 * canvas)
    assert dabs[1].last[1] + radius == pytest.approx(ys.max(), abs=0.02 * canvas)
    assert 0.5 < dabs[0].hardness / dabs[0].laid <= 1
    assert np.hypot(dabs[0].last[0] - 16.5 * cell, dabs[0].last[1] - 10.5 * cell) < cell
    assert [one.first[2] < 0.1 for one in dabs] == [True, True]
    assert [one.last[2] > 0.9 for one in dabs] == [True, True]


# --- the same program, the same pixels ----------------------------------------------------------------------------


@pytest.mark.parametrize("brush", [PLAIN, RANDOM, SMUDGING, TRACKING_NOISE])
def test_threads_order_and_history_have_no_influence(brush: str) -> None:
    options = PaintSettings(brush=brush, sizes=(2, 4, 8))
    first, second = Paint(options, 5, threads=1), Paint(options, 5, threads=3)
    actions = program(first, 4)
    expected = paint(first, actions)
    assert (paint(second, actions) == expected).all()
    second.reset()
    assert (paint(second, actions[:, ::-1]) == expected[::-1]).all()
    alone = Paint(options)
    paint(alone, program(alone, 3, seed=1))
    alone.reset()
    assert (paint(alone, actions[:, 2:3])[0] == expected[2]).all()


DIGEST = """
import hashlib, numpy as np
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
digest = hashlib.sha256()
for brush in {brushes}:
    renderer = Paint(PaintSettings(brush=brush, sizes=(2, 4, 8)), 2, 2)
    for step in renderer.actions.sample(np.random.default_rng(0), (3, 2)):
        renderer.step(step)
    digest.update(renderer.canvas().tobytes())
print(digest.hexdigest())
"""


def test_uninitialised_memory_has_no_influence() -> None:
    brushes = [PLAIN, RANDOM, SMUDGING, TRACKING_NOISE, "classic/brush", "experimental/bubble", "tanda/oil-03-paint"]
    digest = hashlib.sha256()
    for brush in brushes:
        renderer = Paint(PaintSettings(brush=brush, sizes=(2, 4, 8)), 2)
        digest.update(paint(renderer, program(renderer, 3)).tobytes())
    for perturb in ("0", "85", "255"):
        assert run_python(DIGEST.format(brushes=brushes), MALLOC_PERTURB_=perturb).strip() == digest.hexdigest()


def test_a_shared_brush_paints_like_one_of_its_own(tmp_path: Path) -> None:
    """A random input that changes nothing forces a brush per canvas; the pixels must not change."""
    for name in ("classic/pen", "classic/calligraphy", "classic/smudge+paint"):
        document = json.loads(find_brush(name).read_bytes())
        document["settings"]["restore_color"]["inputs"] = {"random": [[0, 0], [1, 0]]}
        file = tmp_path / "own.myb"
        file.write_text(json.dumps(document))
        shared, own = (Paint(PaintSettings(brush=brush, sizes=(2, 4, 8)), 4) for brush in (name, str(file)))
        assert shared._engine.plain
        assert not own._engine.plain
        actions = program(shared, 8)
        assert (paint(shared, actions) == paint(own, actions)).all()


def test_after_a_fork() -> None:
    output = run_python(
        "import os, numpy as np\n"
        "from limner.worlds.paint.renderer import Paint\n"
        "r = Paint(batch=4, threads=2)\n"
        "actions = r.actions.sample(np.random.default_rng(0), (2, 4))\n"
        "r.step(actions[0]); read, write = os.pipe()\n"
        "child = os.fork()\n"
        "r.step(actions[1])\n"
        "if not child: os.write(write, bytes([int(r.canvas().sum() % 251)])); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print(os.read(read, 1)[0] == int(r.canvas().sum() % 251))\n",
        timeout=60,
    )
    assert output.strip() == "True"


# --- save and restore ---------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    brush=st.sampled_from([PLAIN, RANDOM, SMUDGING, TRACKING_NOISE, "classic/calligraphy"]),
    seed=st.integers(0, 10**6),
    before=st.integers(0, 4),
    between=st.integers(0, 2),
    after=st.integers(1, 3),
    rows=st.lists(st.integers(0, 2), min_size=1, max_size=3),
)
def test_restored_canvases_go_on_bit_for_bit(
    brush: str, seed: int, before: int, between: int, after: int, rows: list[int]
) -> None:
    renderer = Paint(PaintSettings(brush=brush, sizes=(1, 2, 4), events=12), 3)
    first, other, rest = (program(renderer, n, seed + i) for i, n in enumerate((before, between, after)))
    paint(renderer, first)
    state, pictures, pens = renderer.save(), renderer.canvas(), renderer.pen()
    final = paint(renderer, rest)
    renderer.reset(np.array([1]))
    paint(renderer, other)
    indices = np.random.default_rng(seed).permutation(3)[: len(rows)]
    renderer.restore(state.take(rows), indices)
    assert (renderer.canvas()[indices] == pictures[rows]).all()
    assert (renderer.pen()[indices] == pens[rows]).all()
    for step in rest:
        actions = np.zeros_like(step)
        actions[indices] = step[rows]
        renderer.step(actions)
    assert (renderer.canvas()[indices] == final[rows]).all()


def test_restore_refuses_what_does_not_fit() -> None:
    renderer = Paint(batch=2)
    state = renderer.save()
    with pytest.raises(ValueError, match="other settings"):
        Paint(PaintSettings(brush="classic/calligraphy"), 2).restore(state)
    for indices in ([0], [0, 0], [0, 2], [-1, 0]):
        with pytest.raises(ValueError, match="canvas"):
            renderer.restore(state, np.array(indices))


# --- loading pictures -----------------------------------------------------------------------------------------------


def pictures(renderer: Paint, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (renderer.batch, *renderer.shape), np.uint8)


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("size", [64, 100, 192])
def test_loaded_pictures_are_shown_and_saved_bit_for_bit(size: int, color: bool) -> None:
    renderer = Paint(PaintSettings(canvas=size, color=color), 2, threads=2)
    some = pictures(renderer)
    renderer.load(some)
    assert (renderer.canvas() == some).all()
    state = renderer.save()
    renderer.reset()
    renderer.restore(state)
    assert (renderer.canvas() == some).all(), "the engine's own pixels are the same"


@pytest.mark.parametrize("brush", [PLAIN, RANDOM, SMUDGING, TRACKING_NOISE])
def test_on_loaded_white_paper_all_is_as_after_a_reset(brush: str) -> None:
    settings = PaintSettings(brush=brush, sizes=(1, 2, 4), events=12)
    renderer = Paint(settings, 3)
    expected = paint(Paint(settings, 3), program(renderer, 3))
    paint(renderer, program(renderer, 3, seed=1))
    renderer.load(np.full_like(renderer.canvas(), 255))
    assert (renderer.pen() == Paint(settings, 3).pen()).all()
    assert (paint(renderer, program(renderer, 3)) == expected).all()


def test_painting_goes_on_from_what_was_loaded() -> None:
    settings = PaintSettings(sizes=(2, 4, 8), events=12, space="stroke", color=True)
    whole, later = Paint(settings, 4), Paint(settings, 4)
    actions = program(whole, 6)
    later.load(paint(whole, actions[:3]))
    difference = np.abs(paint(later, actions[3:]).astype(int) - paint(whole, actions[3:]))
    assert difference.max() <= 1, "but for the rounding to 8 bits"
    assert (later.canvas() != 255).any()


@pytest.mark.parametrize("brush", [PLAIN, RANDOM, SMUDGING, TRACKING_NOISE, "classic/smudge"])
def test_restored_canvases_remember_what_was_loaded(brush: str) -> None:
    renderer = Paint(PaintSettings(brush=brush, sizes=(2, 4, 8), events=12, color=True), 2)
    first, rest, other = (program(renderer, 2, seed) for seed in range(3))
    ground = pictures(renderer).repeat(8, 1)[:, :64].repeat(8, 2)[:, :, :64]  # coarse: what is smudged is no mean grey
    renderer.load(ground)
    paint(renderer, first)
    state = renderer.save()
    expected = paint(renderer, rest)
    for forget in (renderer.reset, lambda: renderer.load(255 - ground)):
        forget()
        paint(renderer, other)
        renderer.restore(state.take([1, 0]), np.array([1, 0]))
        assert (paint(renderer, rest) == expected).all()
        renderer.restore(state)
        middle = renderer.save()  # of what was itself restored
        renderer.reset()
        renderer.restore(middle)
        assert (paint(renderer, rest) == expected).all()


@pytest.mark.parametrize("brush", [PLAIN, "classic/smudge"])
def test_a_reset_forgets_what_was_loaded(brush: str) -> None:
    settings = PaintSettings(brush=brush, sizes=(2, 4, 8), events=12)
    renderer = Paint(settings, 2)
    expected = paint(Paint(settings, 2), program(renderer, 3))
    blank = renderer.save()
    for forget in (renderer.reset, lambda: renderer.restore(blank)):
        renderer.load(pictures(renderer))
        paint(renderer, program(renderer, 1, seed=1))
        forget()
        paint(renderer, program(renderer, 3)[:1])
        state = renderer.save()
        renderer.restore(state)
        assert (paint(renderer, program(renderer, 3)[1:]) == expected).all()


def test_some_canvases_can_be_loaded() -> None:
    renderer = Paint(batch=3)
    before = paint(renderer, program(renderer, 4))
    pens = renderer.pen()
    some = pictures(renderer)[:2]
    renderer.load(some[:, :, ::-1], np.array([2, 0]))
    assert (renderer.canvas() == np.stack([some[1, :, ::-1], before[1], some[0, :, ::-1]])).all()
    assert (renderer.pen()[1] == pens[1]).all()
    assert (renderer.pen()[[0, 2]] == Paint().pen()).all()


def test_load_refuses_what_does_not_fit() -> None:
    renderer = Paint(batch=2)
    before = paint(renderer, program(renderer, 4))
    some = pictures(renderer)
    for wrong in (some[:1], some[:, :32], some.repeat(3, 3), some[..., 0], some / 255, some > 0):
        with pytest.raises(ValueError, match="pictures"):
            renderer.load(wrong)
    for indices in ([0], [0, 0], [0, 2], [-1, 0], [0.5, 1]):
        with pytest.raises(ValueError, match=r"canvas|pictures|indices"):
            renderer.load(some, np.array(indices))
    assert (renderer.canvas() == before).all()
    clear = Paint(PaintSettings(ground="transparent"))
    with pytest.raises(ValueError, match="transparent ground"):
        clear.load(np.zeros((1, 64, 64, 2), np.uint8))


# --- bad input ----------------------------------------------------------------------------------------------------


def test_settings_rebuild_the_renderer() -> None:
    renderer = Paint(PaintSettings(color=True, sizes=(1.5, 2), preset="deepmind-2018"))
    rebuilt = make_renderer(json.loads(json.dumps(renderer.settings())))
    assert rebuilt.settings() == renderer.settings()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e9, -1e9])
@pytest.mark.parametrize("column", range(13))
def test_the_engine_refuses_insane_curves(column: int, bad: float) -> None:
    renderer = Paint(batch=2)
    curves = np.zeros((2, 1, 13))
    curves[:, :, 0] = 2
    curves[1, 0, column] = bad
    before = renderer.canvas()
    with pytest.raises(ValueError, match="curve"):
        renderer._engine.step(curves, renderer._canvas)
    assert (renderer.canvas() == before).all()


def test_the_engine_refuses_arrays_of_another_shape() -> None:
    renderer = Paint(batch=2)
    pixels = np.zeros((2, 64, 64, 1), np.uint8)
    with pytest.raises(ValueError, match="one row per canvas"):
        renderer._engine.step(np.zeros((3, 1, 13)), pixels)
    for out in (pixels[:1], np.zeros((2, 64, 64, 2), np.uint8)):
        with pytest.raises(ValueError, match="output array"):
            renderer._engine.step(np.zeros((2, 1, 13)), out)
    with pytest.raises(TypeError):
        renderer._engine.step(np.zeros((2, 1, 13)), pixels[:, ::2])
    with pytest.raises(TypeError):
        renderer._engine.step(np.zeros((2, 1, 13), np.float32), pixels)


def test_bad_actions_paint_nothing() -> None:
    renderer = Paint(batch=2)
    good = program(renderer, 1)[0]
    for bad in (good[:1], good[:, :4], good.astype(float), good + 10**6, -good - 1):
        with pytest.raises(ValueError, match="action"):
            renderer.step(bad)
    assert (renderer.canvas() == 255).all()
    assert (renderer.pen() == 0).all()


# --- memory and time ----------------------------------------------------------------------------------------------


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize("brush", [PLAIN, RANDOM])
def test_memory_does_not_grow(brush: str) -> None:
    """10,000 episodes of one curve each, saved and restored on the way."""
    renderer = Paint(PaintSettings(brush=brush, sizes=(2.0,), events=2), batch=50)
    actions = program(renderer, 1)[0]

    def episodes(rounds: int) -> None:
        for _ in range(rounds):
            renderer.reset()
            renderer.step(actions)
            renderer.restore(renderer.save())

    episodes(20)
    before = resident()
    episodes(200)
    assert resident() - before < 5e6


def test_brushes_of_the_first_set_all_paint() -> None:
    """Every shipped brush is accepted, ends, and paints the same twice; those that do more than smudge leave ink."""
    names = [name for name in brush_names() if (find_brush(name).parents[1] / "order.conf").exists()]
    assert len(names) >= 170
    inked = 0
    for name in names:
        renderer = Paint(PaintSettings(brush=name, sizes=(3.0,), grid=8, events=8))
        actions = program(renderer, 2, seed=3)
        actions[:, 0, 0] = PAINT
        picture = paint(renderer, actions)
        renderer.reset()
        assert (paint(renderer, actions) == picture).all(), name
        inked += int((picture < 250).any())
    assert inked > 120


def test_libmypaint_prints_nothing() -> None:
    """In one of some twenty thousand short strokes rounding leaves a dab less than no time, which it tells."""
    code = """
import numpy as np
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

settings = PaintSettings(brush="classic/pen", space="stroke", sizes=(0.5, 0.75, 1, 1.5, 2), pressures=4, events=16)
painter = Paint(settings, 256)
rng = np.random.default_rng(0)
for _ in range(80):
    actions = painter.actions.sample(rng, 256)
    row, column = rng.integers(0, 32, (2, 256))
    for i in range(3):
        near = [np.clip(place + rng.integers(-2, 3, 256), 0, 31) for place in (row, column)]
        actions[:, i] = near[0] * 32 + near[1]
    painter.step(actions)
print("painted")
"""
    assert run_python(code) == "painted\n"
