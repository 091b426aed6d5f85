"""``limner paint``: an agent paints a picture of any size."""

import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from limner.cli.files import prepare_folder, write_painting
from limner.cli.stopping import stoppable
from limner.cli.terminal import progress_bar
from limner.worlds.validation import require_range


@dataclass(frozen=True)
class Paint:
    """Let an agent paint a picture of any size: painted.png, program.json and painting.gif in a folder."""

    image: tyro.conf.Positional[Path]
    """A picture: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, or HEIC with the extra heif."""
    agent: str = "faces"
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    search: float | None = None
    """Seconds of search for the whole picture; 0 lets the policy paint alone. 60 unless --sweeps is given."""
    sweeps: int | None = None
    """Sweeps of refinement for each patch, in place of seconds: such a search repeats bit for bit."""
    detail: int = 8
    """Patches along each side at the finest level: 1, 2, 4, 8 or 16. More see more, with more strokes."""
    size: int = 1024
    """Pixels along the longer side of painted.png, for which the program is executed anew."""
    seed: int = 0
    """Seed of actions and search. Without search, or with sweeps, the same seed paints the same."""
    threads: int = 2
    """Threads that render and search."""
    out: Path = Path("painting")
    """Folder for the results. Stopped by Ctrl-C, SIGTERM or SIGHUP, they show what was painted so far."""

    def run(self) -> None:
        """Look, paint, write."""
        from limner.agents.agent import load_agent
        from limner.data.decoding import open_picture
        from limner.inference.draw import DrawOptions
        from limner.inference.paint import canvas_shape, paint
        from limner.programs.frame import Frame

        require_range("--size", self.size, 64, 4096, " pixels")
        search = (60.0 if self.sweeps is None else 0.0) if self.search is None else self.search
        options = DrawOptions(seconds=search, sweeps=self.sweeps, seed=self.seed, threads=self.threads)
        options.check()
        prepare_folder(self.out)
        image = open_picture(self.image)
        frame = Frame(*image.size)
        agent = load_agent(self.agent)
        picture = frame.lay(image, *canvas_shape(agent, self.detail))
        paintings = paint(agent, picture, self.detail, options)
        painting = next(paintings)
        with stoppable() as stop:
            started, taken = time.perf_counter(), 0.0
            with progress_bar("painting") as report, suppress(KeyboardInterrupt):
                for painting in paintings:
                    taken = time.perf_counter() - started
                    report(*((taken, max(taken, search)) if search else (painting.done, painting.total)))
                stop.wait()
            with progress_bar("executing") as report:
                write_painting(self.out, replace(painting.program, frame=frame), self.size, report)
        print(f"{self.out}: {len(painting.program)} strokes")
        if search and taken > search + max(1.0, 0.2 * search):
            least = f"--detail {self.detail} takes {taken:.0f} s here, with as little search as can be"
            print(f"limner: --search {search:g} was exceeded: {least}", file=sys.stderr)
        if stop.asked:
            print(f"limner: stopped after {painting.done} of {painting.total} patches", file=sys.stderr)
            raise KeyboardInterrupt
