"""The policy: an observation to a distribution over the next action, and the value of the state.

Time is folded into the batch everywhere except in the LSTM, which alone needs the order of steps.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from limner.actions import ActionSpace
from limner.models.blocks import reduced_precision
from limner.models.config import PolicyConfig
from limner.models.decoder import Decoder
from limner.models.pointer import PointerTorso
from limner.models.torsos import PaperTorso, SmallTorso
from limner.worlds.observation import Observation
from limner.worlds.proposals import Acted, Memory

TORSOS = {"small": SmallTorso, "paper": PaperTorso, "pointer": PointerTorso}


class Evaluated(NamedTuple):
    """Log-probability and entropy, ``float32[T, B]``, or ``[T, B, K]`` of K actions each; value, ``float32[T, B]``."""

    log_prob: Tensor
    entropy: Tensor
    value: Tensor


class Outlook(NamedTuple):
    """What a policy holds of N canvases."""

    place: tuple[int, Tensor] | None
    """Which part is the next place, and its log-probabilities ``float32[N, cells]``: see ``Decoder.next_place``."""
    value: Tensor
    """``float32[N]``."""
    memory: Memory


class Policy(nn.Module):
    """Observation → torso → (LSTM) → autoregressive decoder and value."""

    def __init__(
        self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int, conditional: bool = False
    ) -> None:
        """Pictures have ``channels`` and ``resolution`` pixels a side; a ``conditional`` policy is given a target."""
        super().__init__()
        self.blind, self.precision = config.blind, config.precision
        torso = TORSOS[config.network]
        self.torso = torso(actions, config, channels * (2 if conditional and not self.blind else 1), resolution)
        self.lstm = nn.LSTM(config.hidden, config.hidden) if config.lstm else None
        self.decoder = Decoder(actions, config)
        self.value = nn.Linear(config.hidden, 1)

    def act(
        self,
        observation: Observation,
        memory: Memory,
        generator: Generator,
        temperature: float = 1.0,
        count: int = 1,
        verb: int | None = None,
    ) -> Acted:
        """Draw ``count`` actions for each of N canvases, those of one canvas next to each other.

        ``memory`` is what the previous call returned. With a ``verb`` all actions have that verb.
        """
        core, places = self._see(observation)
        if self.lstm is not None:
            output, memory = self.lstm(core[None], memory)
            core = output[0]
        decoded = self.decoder.sample(core.repeat_interleave(count, dim=0), generator, temperature, places, verb)
        return Acted(decoded.actions, decoded.log_prob, memory)

    def outlook(self, observation: Observation, memory: Memory) -> Outlook:
        """What the policy holds of N canvases, before an action; ``memory`` as for ``act``."""
        core, places = self._see(observation)
        if self.lstm is not None:
            output, memory = self.lstm(core[None], memory)
            core = output[0]
        return Outlook(self.decoder.next_place(core, places), self.value(core).squeeze(-1), memory)

    def evaluate(self, observation: Observation, actions: Tensor) -> Evaluated:
        """Whole episodes: observation ``[T, B, …]`` and canonical ``actions`` int64[T, B, P].

        Or K actions in each state, ``int64[T, B, K, P]``.
        """
        (steps, batch), count = actions.shape[:2], actions.shape[2:-1].numel()
        core, places = self._see(Observation(*(x.flatten(0, 1) for x in observation)))
        if self.lstm is not None:
            core = self.lstm(core.view(steps, batch, -1))[0].flatten(0, 1)
        each = core if count == 1 else core.repeat_interleave(count, dim=0)
        decoded = self.decoder.evaluate(each, actions.flatten(0, -2), places)
        value = self.value(core).view(steps, batch)
        return Evaluated(decoded.log_prob.view(actions.shape[:-1]), decoded.entropy.view(actions.shape[:-1]), value)

    def _see(self, observation: Observation) -> tuple[Tensor, Tensor | None]:
        """What the torso makes of canvas and target as one picture, or of the target alone if blind: float32."""
        canvas, target = observation.canvas, observation.target
        if target.shape[1]:
            observation = observation._replace(canvas=target if self.blind else torch.cat([canvas, target], dim=1))
        device = canvas.device.type
        with torch.autocast(device, torch.bfloat16, enabled=reduced_precision(self.precision, device)):
            core, places = self.torso(observation)
        return core.float(), None if places is None else places.float()
