"""OpenRaster files: what the specification asks of them, and that layers over each other are the picture."""

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyora import Project

from limner.export.openraster import write_openraster
from limner.export.picture import Pixels
from limner.programs.execution import execute
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.world import on_white

TOLERANCE = 3
"""Shades: a layer holds colour and opacity in 8 bits each, and so does what lies below it."""


def program(steps: int = 8, frame: Frame | None = None, name: str = "paint", **settings: object) -> Program:
    renderer = make_renderer({"name": name, **settings})
    return Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(3), steps), frame=frame)


def composed(path: Path) -> Pixels:
    """The layers over each other, as the file places them."""
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("stack.xml"))
        picture = Image.new("RGBA", (int(root.attrib["w"]), int(root.attrib["h"])))
        for layer in reversed(root.findall("stack/layer")):
            with Image.open(io.BytesIO(archive.read(layer.attrib["src"]))) as pixels:
                picture.alpha_composite(pixels, (int(layer.attrib["x"]), int(layer.attrib["y"])))
    return np.asarray(picture)


COLOURED = {"color": True, "space": "stroke"}
PROGRAMS = {
    "coloured": program(**COLOURED),
    "grey, jumps": program(),
    "splines": program(20, space="spline"),
    "random brush": program(brush="deevad/2B_pencil", sizes=(2, 8), **COLOURED),
    "coloured paper": program(ground="#336699", **COLOURED),
    "framed": program(frame=Frame(300, 130), **COLOURED),
    "no paper": program(ground="transparent", **COLOURED),
}
CHANGES = {
    "smudge": program(brush="classic/smudge", ground="#336699", **COLOURED),
    "wet": program(brush="classic/blend+paint", **COLOURED),
    "eraser": program(brush="deevad/kneaded_eraser_large", ground="#336699", **COLOURED),
    "toy": program(name="toy"),
    "nothing": program(0),
}
ONE_LAYER = program(brush="classic/blend+paint", ground="transparent", **COLOURED)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("most", [3, 100])
def test_layers_are_the_picture(name: str, most: int, tmp_path: Path) -> None:
    write_openraster(path := tmp_path / "x.ora", PROGRAMS[name], most, 96)
    shown, picture = composed(path), execute(PROGRAMS[name], 96)
    assert np.abs(on_white(shown).astype(int) - on_white(picture)).max() <= TOLERANCE
    assert ((shown[..., 3] == 255).all()) == (name != "no paper")


@pytest.mark.parametrize("name", CHANGES)
def test_strokes_that_are_no_layers_are_changes(name: str, tmp_path: Path) -> None:
    write_openraster(path := tmp_path / "x.ora", CHANGES[name], 100, 96)
    shown, picture = composed(path), execute(CHANGES[name], 96)
    np.testing.assert_array_equal(shown[..., :3], np.broadcast_to(picture, shown[..., :3].shape))


def test_on_no_paper_such_strokes_are_one_layer(tmp_path: Path) -> None:
    count = write_openraster(path := tmp_path / "x.ora", ONE_LAYER, 100, 96)
    assert count == 1
    shown, picture = composed(path), execute(ONE_LAYER, 96)
    np.testing.assert_array_equal(shown[..., 3], picture[..., 3])
    np.testing.assert_array_equal(on_white(shown), on_white(picture))


def test_a_layer_is_the_paint_of_its_strokes_alone(tmp_path: Path) -> None:
    """Not a cut-out of the picture: with less paint than covers, it is not opaque."""
    write_openraster(path := tmp_path / "x.ora", PROGRAMS["coloured"], 100, 96)
    with zipfile.ZipFile(path) as archive:
        alphas = [
            np.asarray(Image.open(io.BytesIO(archive.read(name))))[..., 3]
            for name in archive.namelist()
            if name.startswith("data/")
        ]
    assert len(alphas) == 9
    assert all((alpha == 255).all() for alpha in alphas[:1])
    assert all(((alpha > 0) & (alpha < 255)).any() for alpha in alphas[1:])


@pytest.mark.parametrize("name", ["coloured", "framed", "no paper"])
def test_it_is_what_the_specification_asks_for(name: str, tmp_path: Path) -> None:
    """openraster.org, baseline: file layout and layer stack."""
    count = write_openraster(path := tmp_path / "x.ora", PROGRAMS[name], 100, 600)
    data = path.read_bytes()
    assert data[:4] == b"PK\x03\x04"
    assert data[30:54] == b"mimetypeimage/openraster"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert {entry.compress_type for entry in archive.infolist()} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        names = archive.namelist()
        assert len(names) == len(set(names))
        assert {"stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png"} < set(names)
        root = ElementTree.fromstring(archive.read("stack.xml"))
        layers = root.findall("stack/layer")
        assert (root.tag, len(layers), len(root.findall("stack"))) == ("image", count, 1)
        assert {layer.attrib["src"] for layer in layers} == {name for name in names if name.startswith("data/")}
        assert {layer.attrib["composite-op"] for layer in layers} == {"svg:src-over"}
        width, height = int(root.attrib["w"]), int(root.attrib["h"])
        with Image.open(io.BytesIO(archive.read("mergedimage.png"))) as merged:
            assert (merged.size, merged.mode, merged.info.get("interlace")) == ((width, height), "RGBA", None)
            shown = on_white(np.asarray(merged))
        with Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))) as small:
            assert max(small.size) == 256
            assert small.size[0] / small.size[1] == pytest.approx(width / height, rel=0.02)
    np.testing.assert_array_equal(shown, on_white(execute(PROGRAMS[name], 600)))


@pytest.mark.parametrize("name", ["coloured", "framed", "no paper"])
def test_another_reader_sees_the_same(name: str, tmp_path: Path) -> None:
    count = write_openraster(path := tmp_path / "x.ora", PROGRAMS[name], 100, 96)
    project, picture = Project.load(str(path)), execute(PROGRAMS[name], 96)
    assert len(list(project.iter_layers)) == count
    assert project.dimensions == picture.shape[1::-1]
    rendered = np.asarray(project.get_image_data(use_original=False).convert("RGBA"))
    assert np.abs(on_white(rendered).astype(int) - on_white(picture)).max() <= TOLERANCE
    original = np.asarray(project.get_image_data(use_original=True).convert("RGBA"))
    np.testing.assert_array_equal(on_white(original), on_white(picture))


@pytest.mark.parametrize(
    ("most", "size", "message"),
    [(0, None, "layers is 0"), (2001, None, "layers is 2001"), (9, 4097, "size is 4097"), (9, 20, "canvas is 20")],
)
def test_what_cannot_be_is_refused(most: int, size: int | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        write_openraster(tmp_path / "x.ora", PROGRAMS["coloured"], most, size)
    assert list(tmp_path.iterdir()) == []
