"""ICC profiles, written byte by byte (ICC.1:2010, version 2.4): of cameras and screens, of grey, and of a press.

What a profile makes of a picture is computed here from its definition, without LittleCMS.
"""

import struct
from itertools import product

import numpy as np

D50 = np.array((0.9642, 1.0, 0.8249))
D65 = np.array((0.9505, 1.0, 1.0891))
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
SPACES = {  # x, y of red, green and blue; the exponent, None for the curve of sRGB
    "sRGB": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), None),
    "Adobe RGB": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256),
    "Display P3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), None),
    "linear": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), 1.0),
}


def rgb_profile(space: str) -> bytes:
    """A profile of one of ``SPACES``."""
    gamma = SPACES[space][1]
    colorants = dict(zip(("rXYZ", "gXYZ", "bXYZ"), map(xyz, to_xyz(space).T), strict=True))
    return profile(b"mntr", b"RGB ", b"XYZ ", **colorants, rTRC=curve(gamma), gTRC=curve(gamma), bTRC=curve(gamma))


def rgb_to_srgb(pixels: np.ndarray, space: str) -> np.ndarray:
    """What pixels ``[..., 3]`` in 0 … 255 of one of ``SPACES`` are in sRGB, not rounded."""
    light = decoded(pixels / 255, SPACES[space][1])
    return 255 * encoded(light @ (np.linalg.inv(to_xyz("sRGB")) @ to_xyz(space)).T)


def grey_profile(gamma: float | None) -> bytes:
    """A profile of grey with an exponent, None for the curve of sRGB."""
    return profile(b"mntr", b"GRAY", b"XYZ ", kTRC=curve(gamma))


def grey_to_srgb(values: np.ndarray, gamma: float | None) -> np.ndarray:
    """What grey in [0, 1] is in sRGB, 0 … 255, not rounded."""
    return 255 * encoded(decoded(values, gamma))


def press_profile() -> bytes:
    """A profile of a press: a table of its 16 full overprints (lut16Type), linear between them."""
    lab = press_lab(np.array(list(product((0, 1), repeat=4))))
    coded = np.rint((lab + np.array((0, 128, 128))) * (652.8, 256, 256)).astype(">u2")
    head = b"mft2" + bytes(4) + struct.pack(">BBBx9i", 4, 3, 2, *(65536 * np.eye(3, dtype=int).ravel()))
    line = struct.pack(">2H", 0, 65535)
    table = head + struct.pack(">2H", 2, 2) + 4 * line + coded.tobytes() + 3 * line
    return profile(b"prtr", b"CMYK", b"Lab ", A2B0=table)


def press_lab(inks: np.ndarray) -> np.ndarray:
    """L*, a*, b* of cyan, magenta, yellow and black ``[..., 4]`` in [0, 1]; a press does so only roughly."""
    return np.array((100, 0, 0)) + inks @ np.array(((-25, -15, -20), (-30, 30, -5), (-5, 0, 40), (-40, 0, 0)))


def press_to_srgb(inks: np.ndarray) -> np.ndarray:
    """What inks ``[..., 4]`` in 0 … 255 are in sRGB, not rounded."""
    lightness, a, b = np.moveaxis(press_lab(inks / 255), -1, 0)
    y = (lightness + 16) / 116
    roots = np.stack((y + a / 500, y, y - b / 200), axis=-1)
    light = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * D50
    return 255 * encoded(light @ np.linalg.inv(to_xyz("sRGB")).T)


def to_xyz(space: str) -> np.ndarray:
    """``[3, 3]``: light in one of ``SPACES`` to XYZ under D50, adapted from D65 by Bradford's transform."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in SPACES[space][0]]).T
    columns = columns * np.linalg.solve(columns, D65)
    return np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ D65)) @ BRADFORD @ columns


def decoded(values: np.ndarray, gamma: float | None) -> np.ndarray:
    """Values in [0, 1] to light (IEC 61966-2-1 for sRGB)."""
    if gamma is not None:
        return values**gamma
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    """Light to values of sRGB in [0, 1]; what is outside of that is clipped."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def curve(gamma: float | None) -> bytes:
    """A curveType: an exponent, or 1,024 entries of the curve of sRGB."""
    if gamma is not None:
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    entries = np.rint(65535 * decoded(np.linspace(0, 1, 1024), None)).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(entries)) + entries.tobytes()


def xyz(values: np.ndarray) -> bytes:
    """An XYZType."""
    return b"XYZ " + bytes(4) + struct.pack(">3i", *np.rint(65536 * values).astype(int))


def profile(kind: bytes, space: bytes, connection: bytes, **tags: bytes) -> bytes:
    """Header, table of tags and tags."""
    tags |= {
        "desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        "cprt": b"text" + bytes(4) + b"none\0",
        "wtpt": xyz(D50),
    }
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name.encode() + struct.pack(">2I", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x02400000, kind, space, connection)
    head += struct.pack(">6H4s28x", 2026, 1, 1, 0, 0, 0, b"acsp") + xyz(D50)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
