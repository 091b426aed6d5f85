"""A pointer network: locations are chosen by the features of the picture there (Vinyals et al. 2015).

Beside its vector the torso gives a map of feature vectors, and a location head computes a query: the logit of a cell is
the product of query and features there, plus a smooth function of the place. Where the grid is finer than the map, the
cells that share a place of the map have a query each. Where cells do not divide the picture evenly (``Part.sights``),
the map is laid out like the grid (``Lookup``).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.models.blocks import Conditioning
from limner.models.config import PolicyConfig
from limner.worlds.observation import Observation

MAP = 16
"""Places along each side of the map."""
WAVES = 4
"""Largest number of half waves along an axis of the smooth function."""


class PointerTorso(nn.Module):
    """Three convolutions down to 4×4 and two hidden layers give the vector; the first two convolutions the map.

    A learned bias per channel and place takes the part of coordinate planes.
    """

    def __init__(self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int) -> None:
        super().__init__()
        width, stride = config.channels, resolution // MAP
        self.first = nn.Conv2d(channels, width, 2 * stride, stride, stride // 2)
        self.place = nn.Parameter(torch.zeros(width, MAP, MAP))
        self.second = nn.Conv2d(width, 2 * width, 4, 2, 1)
        self.third = nn.Conv2d(2 * width, 2 * width, 4, 2, 1)
        self.conditioning = Conditioning(actions, config.noise, config.hidden)
        self.hidden = nn.Linear(2 * width * 16, config.hidden)
        self.output = nn.Linear(config.hidden, config.hidden)
        self.up = nn.Conv2d(2 * width, width, 3, padding=1)
        self.across = nn.Conv2d(width, width, 1)
        self.smooth = nn.Conv2d(width, width, 3, padding=1)
        sights = _sights(actions)
        self.lookup = None if sights is None else Lookup(sights, channels, width, resolution)

    def forward(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Observations of N canvases to vectors ``[N, hidden]`` and maps ``[N, channels, MAP²]``."""
        fine = F.relu(self.first(observation.canvas) + self.place)
        middle = F.relu(self.second(fine))
        coarse = F.relu(self.third(middle))
        x = F.relu(self.hidden(coarse.flatten(1)) + self.conditioning(observation))
        x = F.relu(self.output(x))
        places = F.interpolate(self.up(middle), scale_factor=2) + self.across(fine)
        if self.lookup is not None:
            places = self.lookup(places, observation.canvas)
        places = F.relu(self.smooth(F.relu(places)))
        return x, places.flatten(2)


class PointerHead(nn.Module):
    """Logits of the cells of a grid from a vector and a map."""

    waves: Tensor

    def __init__(self, inputs: int, features: int, grid: int) -> None:
        super().__init__()
        self.features, self.spread = features, grid // MAP
        self.query = nn.Linear(inputs, features * self.spread**2)
        waves = smooth_functions(grid)
        self.place = nn.Linear(inputs, len(waves))
        nn.init.normal_(self.query.weight, std=0.01)
        for zero in (self.query.bias, self.place.weight, self.place.bias):
            nn.init.zeros_(zero)
        self.register_buffer("waves", waves, persistent=False)

    def forward(self, z: Tensor, places: Tensor) -> Tensor:
        """``float32[N·K, inputs]`` and maps ``float32[N, features, MAP²]`` to logits ``float32[N·K, grid²]``."""
        queries = self.query(z).view(len(places), -1, self.features)
        products = torch.bmm(queries, places).view(-1, self.spread**2, MAP, MAP)
        logits: Tensor = F.pixel_shuffle(products, self.spread).flatten(1) + self.place(z) @ self.waves
        return logits

    def features_at(self, places: Tensor, cells: Tensor) -> Tensor:
        """Features ``float32[N·K, features]`` of ``cells`` int64[N·K], in maps ``float32[N, features, MAP²]``."""
        side = self.spread * MAP
        there = cells // side // self.spread * MAP + cells % side // self.spread
        index = there.view(len(places), 1, -1).expand(-1, self.features, -1)
        return places.gather(2, index).transpose(1, 2).flatten(0, 1)


class Lookup(nn.Module):
    """Lays a map of the picture out like the cells of a grid: each place holds the features where its cells are seen.

    Cells may be smaller than places of the map, so it is joined with a map that is twice as fine, and a learned bias
    per channel and cell tells cells apart. Only the window that contains all cells is used.
    """

    at: Tensor

    def __init__(self, sights: Tensor, channels: int, width: int, resolution: int) -> None:
        """``sights`` float32[MAP, MAP, 2] are (x, y) in [0, 1] of pictures of ``channels`` and ``resolution``."""
        super().__init__()
        at, stride = sights * MAP, resolution // (2 * MAP)
        first, last = at.amin((0, 1)).sub(1).floor().clamp(min=0), at.amax((0, 1)).add(1).ceil().clamp(max=MAP)
        (self.left, self.top), (self.right, self.bottom) = first.int().tolist(), last.int().tolist()
        self.register_buffer("at", (at - first) / (last - first) * 2 - 1, persistent=False)
        self.detail = nn.Conv2d(channels, width // 2, 2 * stride, stride, stride // 2)
        self.join = nn.Conv2d(width // 2, width, 3, padding=1)
        self.cell = nn.Parameter(torch.zeros(width, MAP, MAP))

    def forward(self, places: Tensor, canvas: Tensor) -> Tensor:
        """Maps ``[N, width, MAP, MAP]`` of a ``canvas`` float32[N, C, R, R], laid out like the grid."""
        detail = self.join(self._window(F.relu(self.detail(canvas)), 2))
        fine = F.relu(F.interpolate(self._window(places, 1), scale_factor=2) + detail)
        found: Tensor = F.grid_sample(fine.float(), self.at.expand(len(canvas), -1, -1, -1), align_corners=False)
        return found + self.cell

    def _window(self, places: Tensor, scale: int) -> Tensor:  # of a map with scale · MAP places a side
        return places[..., scale * self.top : scale * self.bottom, scale * self.left : scale * self.right]


def _sights(actions: ActionSpace) -> Tensor | None:
    """Mean ``Part.sights`` of the cells of each place of the map, ``float32[MAP, MAP, 2]``; None without sights."""
    for part in actions.parts:
        if part.sights is not None and part.grid is not None:
            spread = part.grid[0] // MAP
            return torch.tensor(part.sights).view(MAP, spread, MAP, spread, 2).mean((1, 3))
    return None


def smooth_functions(grid: int) -> Tensor:
    """Sines and cosines of up to ``WAVES`` half waves, along each axis and their products: ``float32[W, grid²]``."""
    at = (torch.arange(grid) + 0.5) / grid * math.pi
    axis = torch.stack([wave(at * k) for k in range(1, WAVES + 1) for wave in (torch.sin, torch.cos)])
    rows, columns = axis[:, :, None].expand(-1, -1, grid), axis[:, None, :].expand(-1, grid, -1)
    products = axis[:, None, :, None] * axis[None, :, None, :]
    return torch.cat([rows, columns, products.flatten(0, 1)]).flatten(1)
