"""``limner paint``: an agent paints pictures of any size."""

import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from limner.cli.files import check_folder, load_program, write_painting
from limner.cli.stopping import stoppable
from limner.cli.terminal import progress_bar
from limner.cli.wishes import Wishes
from limner.worlds.validation import require, require_range

if TYPE_CHECKING:
    from limner.agents.agent import Agent
    from limner.inference.draw import DrawOptions
    from limner.programs.program import Program


@dataclass(frozen=True)
class Paint:
    """Paint pictures of any size, by search or by an agent alone: painted.png, program.json, painting.gif."""

    images: tyro.conf.Positional[tuple[Path, ...]]
    """Pictures (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, or HEIC with the extra heif), or folders of them. Of
    several each has a folder in --out. Or a video file, which is painted as a film."""
    film: bool = False
    """The pictures of a folder are the frames of a film: strokes stay where nothing changes."""
    agent: str | None = None
    """Name of an agent that comes with Limner, or folder of a run or checkpoint. faces, or that of --continue."""
    search: float | None = None
    """Seconds of search for each picture, or frame of a film; 0 lets the policy paint alone. 60 unless --sweeps is
    given, 1 for each frame of a film."""
    sweeps: int | None = None
    """Sweeps over all strokes, or those of each patch, in place of seconds: such a search repeats bit for bit."""
    strokes: int | None = None
    """Number of strokes, exactly. None: as many as bring the picture closer and as there is time for."""
    detail: int | None = None
    """Patches along each side at the finest level: 1, 2, 4, 8 or 16. More see more, with more strokes. 8, or what
    --strokes needs without search, or that of --continue."""
    wishes: tyro.conf.OmitArgPrefixes[Wishes] = field(default_factory=Wishes)
    start: Annotated[Path | None, tyro.conf.arg(name="continue")] = None
    """A program.json of this picture, to go on from with more strokes or in another region."""
    revise: bool = False
    """The search may change and replace the strokes of --continue as well."""
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
        from limner.data.archive import Archive
        from limner.data.film import is_video
        from limner.inference.draw import DrawOptions

        require_range("--size", self.size, 64, 4096, " pixels")
        require(len(self.images) > 0, "there is nothing to paint: name a picture")
        film = self.film or is_video(self.images[0])
        search = (0.0 if self.sweeps is not None else 1.0 if film else 60.0) if self.search is None else self.search
        options = DrawOptions(seconds=search, sweeps=self.sweeps, seed=self.seed, threads=self.threads)
        options.check()
        check_folder(self.out)
        if film:
            self._paint_film(options)
            return
        images: list[Path] = []
        for given in self.images:
            images += [given / name for name in Archive(given).names] if given.is_dir() else [given]
        require(not self.revise or self.start is not None, "--revise is for --continue: name the program")
        alone = images == list(self.images[:1])
        require(alone or self.start is None, f"--continue is for one picture, not for {len(images)}")
        start = None if self.start is None else load_program(self.start, None)
        agent = load_agent(self.agent or (start.agent if start else "faces"))
        if alone:
            self._paint(images[0], self.out, agent, options, start)
            return
        failed = 0
        for image, name in zip(images, _names(images), strict=True):
            try:
                self._paint(image, self.out / name, agent, options)
            except (ValueError, OSError) as error:
                failed += 1
                print(f"limner: {error}", file=sys.stderr)
        require(not failed, f"{failed} of {len(images)} pictures could not be painted")

    def _paint(
        self, path: Path, out: Path, agent: "Agent", options: "DrawOptions", start: "Program | None" = None
    ) -> None:
        from limner.data.decoding import open_picture
        from limner.inference.paint import canvas_shape, paint
        from limner.programs.frame import Frame

        image = open_picture(path)
        frame = Frame(*image.size)
        require(start is None or start.frame == frame, f"{self.start} was not painted from a picture like {path}")
        detail = self._detail(agent, options, start)
        side, channels = canvas_shape(agent, detail)
        asked = self.wishes.options(agent, frame, side, self.size, self.strokes, start)
        asked = replace(asked, revise=self.revise)
        picture = frame.lay(image, side, channels, asked.style.paper)
        paintings = paint(agent, picture, detail, options, asked)
        painting = next(paintings)
        with stoppable() as stop:
            started, taken = time.perf_counter(), 0.0
            with progress_bar("painting") as report, suppress(KeyboardInterrupt):
                for painting in paintings:
                    taken, search = time.perf_counter() - started, options.seconds
                    report(*((taken, max(taken, search)) if search else (painting.done, 1.0)))
                stop.wait()
            with progress_bar("executing") as report:
                write_painting(out, painting.program, self.size, report)
        print(f"{out}: {len(painting.program)} strokes")
        if options.seconds and taken > options.seconds + max(1.0, 0.2 * options.seconds):
            least = f"--detail {detail} takes {taken:.0f} s here, with as little search as can be"
            print(f"limner: --search {options.seconds:g} was exceeded: {least}", file=sys.stderr)
        if stop.asked:
            print(f"limner: stopped after {painting.done:.0%} of the work", file=sys.stderr)
            raise KeyboardInterrupt

    def _paint_film(self, options: "DrawOptions") -> None:
        from limner.agents.agent import load_agent
        from limner.cli.film import Film
        from limner.data.film import is_video

        path, *others = self.images
        require(not others, f"a film is painted alone, not with {', '.join(map(str, others))}")
        require(path.is_dir() or is_video(path), f"--film: {path} is no folder of pictures and no video file")
        require(self.start is None, "--continue is for a picture, not for a film")
        agent = load_agent(self.agent or "faces")
        detail = self._detail(agent, options)
        Film(path, self.out, self.size, agent, detail, options, self.wishes, self.strokes).paint()

    def _detail(self, agent: "Agent", options: "DrawOptions", start: "Program | None" = None) -> int:
        from limner.inference.paint import enough_detail

        if start is not None and self.detail is None:
            return max(1, int(start.renderer["canvas"]) // agent.config.renderer.canvas)
        if self.strokes is not None and self.detail is None and not options.searches:
            return enough_detail(agent, self.strokes)
        return 8 if self.detail is None else self.detail


def _names(images: list[Path]) -> list[str]:
    """A folder for each picture, named like it, with its ending where two would be alike."""
    stems = [image.stem for image in images]
    names = [image.stem if stems.count(image.stem) == 1 else image.name for image in images]
    return [name if names.count(name) == 1 else f"{i}-{name}" for i, name in enumerate(names)]
