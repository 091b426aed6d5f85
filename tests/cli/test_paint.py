"""``limner paint``: any picture in, a painting and its program out, one line when that cannot be."""

import signal
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from limner.cli import main as cli
from limner.data.dataset import ArrayDataset
from limner.data.picture_source import PictureSource
from limner.inference import paint as inference
from limner.programs.execution import execute
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.training import make_trainer
from limner.training.imitation.config import ImitationConfig
from limner.training.saving import save_checkpoint
from limner.training.stopping import SIGNALS


def gradient(width: int, height: int) -> Image.Image:
    """Red rises to the right, green downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 250, width)
    pixels[..., 1] = np.linspace(0, 250, height)[:, None]
    return Image.fromarray(pixels)


def paint(words: str, agent: Path) -> None:
    assert cli.main(["paint", *words.split(), "--agent", str(agent), "--search", "0", "--threads", "1"]) == 0


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What the agent was given to paint, each time."""
    given = []
    honest = inference.paint
    monkeypatch.setattr(inference, "paint", lambda agent, goal, *rest: given.append(goal) or honest(agent, goal, *rest))
    return given


@pytest.fixture(scope="module")
def colour_folder(conditional_config: ImitationConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "colourful"
    agent = conditional_config.agent
    config = replace(conditional_config, agent=replace(agent, renderer=replace(agent.renderer, color=True)))
    colours = ArrayDataset("colours", np.random.default_rng(0).integers(0, 256, (200, 8, 8, 3), np.uint8))
    save_checkpoint(folder / "checkpoints", make_trainer(config, PictureSource(colours, 64)), {})
    return folder


def test_a_photograph(here: Path, conditional_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gradient(300, 200).save("photo.jpg")
    paint("photo.jpg --detail 2 --size 200", conditional_folder)
    assert sorted(path.name for path in Path("painting").iterdir()) == ["painted.png", "painting.gif", "program.json"]
    program = Program.load("painting/program.json")
    assert program.agent == "conditional"
    assert capsys.readouterr().out == f"painting: {len(program)} strokes\n"
    painted = pixels("painting/painted.png")
    assert painted.shape == (133, 200)
    assert program.frame == Frame(300, 200)
    np.testing.assert_array_equal(painted, execute(program, 200)[..., 0])
    whole = execute(replace(program, frame=None), 200)
    np.testing.assert_array_equal(painted, whole[33:166, :, 0])
    with Image.open("painting/painting.gif") as image:
        assert image.size == (256, 171)
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(image)]
    assert 2 < len(frames) <= 48
    assert (frames[0] == 255).all()
    np.testing.assert_array_equal(frames[-1], execute(program, 256)[..., 0])
    assert cli.main(["replay", "painting/program.json", "--size", "200", "--out", "again.png"]) == 0
    np.testing.assert_array_equal(pixels("again.png"), painted)


def test_an_agent_in_colour(here: Path, colour_folder: Path, goals: list[np.ndarray]) -> None:
    gradient(60, 90).save("photo.png")
    paint("photo.png --detail 1 --size 90 --out a/b", colour_folder)
    assert pixels("a/b/painted.png").shape == (90, 60, 3)
    assert goals[0].shape == (64, 64, 3)
    assert (goals[0][:, :9] == 255).all(), "paper"
    assert goals[0][32, 12:52, 0].astype(int).min() < 20 < 230 < goals[0][32, 12:52, 0].max()


@pytest.mark.parametrize("shape", [(1, 1), (2000, 3), (3, 2000)])
def test_strange_shapes(here: Path, conditional_folder: Path, shape: tuple[int, int]) -> None:
    Image.new("L", shape, 40).save("thing.png")
    paint("thing.png --detail 1 --size 64", conditional_folder)
    longer = max(shape)
    assert pixels("painting/painted.png").shape == tuple(max(1, round(64 * side / longer)) for side in shape[::-1])


def test_colour_for_a_grey_agent_is_luma(here: Path, conditional_folder: Path, goals: list[np.ndarray]) -> None:
    Image.new("RGB", (64, 64), (255, 0, 0)).save("red.png")
    paint("red.png --detail 1 --size 64", conditional_folder)
    assert (goals[0] == 76).all()
    assert pixels("painting/painted.png").ndim == 2


def test_kinds_of_files(here: Path, colour_folder: Path, goals: list[np.ndarray]) -> None:
    red, half = Image.new("RGB", (64, 64), (200, 0, 0)), Image.new("RGBA", (64, 64), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 64, 32))
    half.save("alpha.png")
    red.convert("CMYK").save("cmyk.jpg", quality=95)
    red.save("moving.gif", save_all=True, append_images=[Image.new("RGB", (64, 64), (0, 0, 200))] * 2)
    upright = Image.new("RGB", (64, 32), (200, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    upright.save("turned.jpg", exif=exif)
    for name in ("alpha.png", "cmyk.jpg", "moving.gif", "turned.jpg"):
        paint(f"{name} --detail 1 --size 64", colour_folder)
    alpha, cmyk, moving, turned = goals
    assert (alpha[:32] == 255).all()
    assert (alpha[32:] == (200, 0, 0)).all()
    for goal in (cmyk, moving):
        assert np.abs(goal.astype(int) - (200, 0, 0)).max() <= 3
    assert pixels("painting/painted.png").shape == (64, 32, 3)
    assert (turned[:, :15] == 255).all()


def test_the_program_is_executed_anew_at_the_size(here: Path, conditional_folder: Path) -> None:
    gradient(50, 100).save("photo.png")
    for size in (64, 1500):
        paint(f"photo.png --detail 1 --size {size} --out s{size}", conditional_folder)
    assert Path("s64/program.json").read_bytes() == Path("s1500/program.json").read_bytes()
    large = pixels("s1500/painted.png")
    assert large.shape == (1500, 750)
    np.testing.assert_array_equal(large, execute(Program.load("s64/program.json"), 1500)[..., 0])


@pytest.mark.parametrize("patches", [0, 1, 3])
def test_ctrl_c_keeps_what_is_painted(
    here: Path,
    conditional_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    patches: int,
) -> None:
    gradient(64, 64).save("photo.png")
    options = f"photo.png --detail 2 --size 128 --search 0 --agent {conditional_folder}"
    honest, drawn = inference.draw_on, []

    def draw_on(*arguments: Any, **options: Any) -> object:
        if len(drawn) == patches:
            signal.raise_signal(signal.SIGINT)
        drawn.append(arguments)
        return honest(*arguments, **options)

    assert cli.main(["paint", *options.split(), "--out", "whole"]) == 0
    monkeypatch.setattr(inference, "draw_on", draw_on)
    capsys.readouterr()
    assert cli.main(["paint", *options.split()]) == 130
    assert f"limner: stopped after {patches / 5:.0%} of the work" in capsys.readouterr().err
    program, whole = Program.load("painting/program.json"), Program.load("whole/program.json")
    assert (len(program) == 0) == (patches == 0)
    assert len(program) < len(whole)
    np.testing.assert_array_equal(program.actions, whole.actions[: len(program)])
    np.testing.assert_array_equal(pixels("painting/painted.png"), execute(program, 128)[..., 0])
    assert Path("painting/painting.gif").stat().st_size > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("stage", ["painting", "executing"])
def test_any_signal_leaves_what_is_painted(
    here: Path, conditional_folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, stage: str
) -> None:
    gradient(64, 64).save("photo.png")

    def then_stop(honest: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*arguments: Any, **options: Any) -> Any:
            signal.raise_signal(number)
            signal.raise_signal(number)
            return honest(*arguments, **options)

        return stopping

    owner, name = (inference, "draw_on") if stage == "painting" else (Program, "save")
    monkeypatch.setattr(owner, name, then_stop(getattr(owner, name)))
    handlers = [signal.getsignal(number) for number in SIGNALS]
    options = f"photo.png --detail 2 --size 128 --search 0 --agent {conditional_folder}"
    assert cli.main(["paint", *options.split()]) == 130
    assert [signal.getsignal(number) for number in SIGNALS] == handlers
    assert sorted(path.name for path in Path("painting").iterdir()) == ["painted.png", "painting.gif", "program.json"]
    program = Program.load("painting/program.json")
    assert (len(program) == 0) == (stage == "painting")
    np.testing.assert_array_equal(pixels("painting/painted.png"), execute(program, 128)[..., 0])


def test_several_pictures_and_folders(here: Path, conditional_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("more/deeper").mkdir(parents=True)
    for name in ("a.png", "more/a.png", "more/b.png", "more/deeper/c.png"):
        gradient(64, 64).save(name)
    Path("more/d.png").write_text("no picture")
    words = "a.png nothing.jpg more --detail 1 --size 64 --search 0 --out out --agent"
    assert cli.main(["paint", *words.split(), str(conditional_folder)]) == 2
    printed, errors = capsys.readouterr()
    assert sorted(path.name for path in Path("out").iterdir()) == ["0-a.png", "2-a.png", "b", "c"]
    assert printed.count("strokes") == 4
    assert "cannot read nothing.jpg" in errors
    assert "cannot read more/d.png" in errors
    assert errors.endswith("limner: 2 of 6 pictures could not be painted\n")
    paint("more/deeper --detail 1 --size 64 --out one", conditional_folder)
    assert Path("one/c/painted.png").exists()


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG file that claims to be so large."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("photo.png --search -1", "search is -1.0: must be in 0 … 3600 seconds"),
        ("photo.png --search nan", "search is nan"),
        ("photo.png --size 63", "--size is 63: must be in 64 … 4096 pixels"),
        ("photo.png --size 4097", "--size is 4097"),
        ("photo.png --detail 0", "detail is 0: must be one of 1, 2, 4, 8, 16"),
        ("photo.png --detail 3", "detail is 3"),
        ("photo.png --detail 32", "detail is 32"),
        ("photo.png --seed -1", "seed is -1: must be in 0"),
        ("photo.png --threads 0", "threads is 0: must be in 1 … 1024"),
        ("photo.png --out photo.png", "--out photo.png is a file: name a folder"),
        ("photo.png --agent picasso", "there is no agent 'picasso': name one"),
        ("nothing.png", "cannot read nothing.png: No such file or directory"),
        ("", "there is nothing to paint: name a picture"),
        ("photo.png --strokes 0", "strokes is 0: must be in 1 … 20000"),
        ("photo.png --strokes 20001", "strokes is 20001"),
        ("photo.png --brush classic/pencil2", "unknown brush 'classic/pencil2': did you mean classic/pencil"),
        ("photo.png --paper mauvish", "'mauvish' is no colour: give a name of CSS"),
        ("photo.png --paper red", "an agent that paints in grey has no colours"),
        ("photo.png --palette red blue", "palette: an agent that paints in grey has no colours"),
        ("photo.png --palette text.png", "--palette text.png: 'hello' is no colour"),
        ("photo.png --radius 5 2", "--radius (5.0, 2.0): radii are"),
        ("photo.png --region 0 0 65 10", "--region is 0 0 65 10: left, top, right, bottom must ascend within the"),
        ("photo.png --region 9 0 9 10", "--region is 9 0 9 10"),
        ("photo.png --region 0 0 9 9 --mask photo.png", "--region and --mask exclude each other"),
        ("photo.png --rest 0.5", "--rest is for --region and --mask"),
        ("photo.png --region 0 0 9 9 --rest 2", "--rest is 2.0: must be in 0 … 1"),
        ("photo.png --mask wide.png", "--mask wide.png is 64 × 32, the picture 64 × 64: must have the same shape"),
        ("photo.png --mask black.png --rest 0", "the weights are 0 everywhere"),
        ("photo.png --continue nothing.json", "nothing.json: No such file"),
        ("text.png", "cannot read text.png: it is no picture in one of the formats JPEG, PNG"),
        ("half.png", "cannot read half.png: "),
        ("huge.png", "cannot read huge.png: it has more than 100 megapixels: make it smaller"),
        ("bomb.png", "cannot read bomb.png: it has more than 100 megapixels: make it smaller"),
    ],
)
def test_bad_input_is_one_line(
    here: Path, conditional_folder: Path, fails: Callable[[str], str], words: str, message: str
) -> None:
    gradient(64, 64).save("photo.png")
    gradient(64, 32).save("wide.png")
    Image.new("L", (64, 64)).save("black.png")
    Path("text.png").write_text("hello")
    Path("half.png").write_bytes(Path("photo.png").read_bytes()[:-60])
    Path("huge.png").write_bytes(png(20_000, 20_000, b""))
    Path("bomb.png").write_bytes(png(65_535, 65_535, zlib.compress(bytes(10**7))))
    agent = "" if "--agent" in words else f" --agent {conditional_folder}"
    assert message in fails(f"paint {words}{agent}")
    assert not list(here.glob("painting/*"))


def test_a_wrong_agent_is_one_line(here: Path, unconditional_folder: Path, fails: Callable[[str], str]) -> None:
    gradient(64, 64).save("photo.png")
    assert "agent 'unconditional' is unconditional: use limner sample" in fails(
        f"paint photo.png --agent {unconditional_folder}"
    )
