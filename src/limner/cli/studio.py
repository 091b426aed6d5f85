"""``limner studio``: a web application of one's own, to watch agents paint and change what they paint."""

from dataclasses import dataclass
from pathlib import Path

from limner.cli.stopping import stoppable


@dataclass(frozen=True)
class Studio:
    """Serve the studio: watch agents paint, step through programs, change them (needs the extra studio)."""

    port: int = 8017
    """Port to serve at; 0 takes any that is free."""
    host: str = "127.0.0.1"
    """Name or address to serve at. Beyond this machine, as with 0.0.0.0, the address that is printed holds a token
    without which nobody is served."""
    browser: bool = True
    """Open the studio in a browser."""
    runs: Path = Path("runs")
    """Folder of runs, at any depth, whose agents and curves are offered."""

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        try:
            from limner.studio.server import serve
        except ImportError as error:
            if (error.name or "").split(".")[0] not in ("starlette", "uvicorn", "websockets"):
                raise
            raise ImportError("limner studio needs more packages: pip install 'limner[studio]'") from None
        with stoppable():
            serve(self.host, self.port, self.runs, self.browser, lambda address: print(address, flush=True))
