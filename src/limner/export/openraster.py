"""Programs as OpenRaster files (.ora), whose layers GIMP, Krita and MyPaint open: openraster.org, baseline.

Notable choices:
- A layer is what some strokes paint on nothing, with its opacity; the paper is the lowest. Where strokes are no layers,
  as with a brush that smudges, a layer is opaque wherever the strokes changed something, and what it shows is the
  picture after them.
- A layer is as large as what is painted on it.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np

from limner.export.picture import Pixels, image, png
from limner.files import replacing
from limner.programs.execution import execute, layers, picture_shape, snapshots
from limner.programs.program import Program
from limner.worlds.validation import require, require_range

LARGEST = 4096
"""Most pixels along the longer side: other programs hold all layers at once."""
THUMBNAIL = 256
"""Most pixels along the longer side of the thumbnail."""


def write_openraster(path: Path, program: Program, most: int, size: int | None = None) -> int:
    """Write ``path``; returns the number of layers, the paper among them.

    There are at most ``most`` layers, 1 … 2000: with more strokes than that each layer holds several, in order.
    ``size`` is along the longer side, in pixels, the program's own by default. ``ValueError`` beyond ``LARGEST``.
    """
    require_range("layers", most, 1, 2000)
    height, width, _ = picture_shape(program, size)
    longer = max(height, width)
    require(longer <= LARGEST, f"size is {longer}: an OpenRaster file has at most {LARGEST} pixels along that side")
    with replacing(path) as file, ZipFile(file, "w", ZIP_STORED) as archive:
        archive.writestr("mimetype", "image/openraster")
        picture = execute(program, size)
        archive.writestr("mergedimage.png", png(_rgba(picture)))
        small = image(_rgba(picture))
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        archive.writestr("Thumbnails/thumbnail.png", png(np.asarray(small)))
        root = ElementTree.Element("image", version="0.0.3", w=str(width), h=str(height))
        stack = ElementTree.SubElement(root, "stack", name="root")
        for name, layer in _named_layers(program, most, size):
            if (placed := _cropped(layer)) is None:
                continue
            left, top, pixels = placed
            source = f"data/layer{len(stack):04}.png"
            archive.writestr(source, png(pixels))
            place = {"x": str(left), "y": str(top), "opacity": "1.0", "visibility": "visible"}
            element = ElementTree.Element(
                "layer", {"name": name, "src": source, "composite-op": "svg:src-over"} | place
            )
            stack.insert(0, element)  # the first is the uppermost
        xml = ElementTree.tostring(root, "UTF-8", xml_declaration=True)
        archive.writestr("stack.xml", xml, ZIP_DEFLATED)
    return len(stack)


def _named_layers(program: Program, most: int, size: int | None) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels ``uint8[H, W, 4]`` of the layers, the lowest first."""
    ground = next(snapshots(program, [0], size))
    opaque = ground.shape[-1] in (1, 3)
    if opaque:
        yield "paper", _rgba(ground)
    ends = np.unique(np.linspace(0, len(program), min(len(program), most) + 1).round().astype(int)).tolist()[1:]
    found = layers(program, ends, size)
    if found is None and not opaque:  # what an eraser takes away is no layer
        ends, found = [len(program)], iter([execute(program, size)])
    if found is None:
        found = _changes(program, ground, ends, size)
    for (first, last), layer in zip(pairwise([0, *ends]), found, strict=True):
        name = f"step {last}" if last == first + 1 else f"steps {first + 1} to {last}"
        yield name, _rgba(layer)


def _changes(program: Program, ground: Pixels, ends: list[int], size: int | None) -> Iterator[Pixels]:
    """What changes until each of ``ends``, opaque."""
    for picture in snapshots(program, ends, size):
        changed = (picture != ground).any(-1, keepdims=True)
        yield np.concatenate([picture, np.where(changed, 255, 0).astype(np.uint8)], axis=-1)
        ground = picture


def _rgba(pixels: Pixels) -> Pixels:
    """Pixels ``uint8[H, W, 4]`` of a canvas ``uint8[H, W, C]``."""
    colours = pixels if pixels.shape[-1] in (1, 3) else pixels[..., :-1]
    alpha = np.full_like(pixels[..., :1], 255) if pixels.shape[-1] in (1, 3) else pixels[..., -1:]
    return np.concatenate([np.broadcast_to(colours, (*colours.shape[:2], 3)), alpha], axis=-1)


def _cropped(layer: Pixels) -> tuple[int, int, Pixels] | None:
    """Left, top and pixels of the smallest rectangle with all that is on a layer; None where nothing is."""
    covered = layer[..., -1] > 0
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    if len(rows) == 0:
        return None
    top, left = int(rows[0]), int(columns[0])
    return left, top, layer[top : rows[-1] + 1, left : columns[-1] + 1]
