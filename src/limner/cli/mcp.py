"""``limner mcp``: a drawing hand for language models."""

import sys
from dataclasses import dataclass
from pathlib import Path

from limner.worlds.validation import require_range


@dataclass(frozen=True)
class Mcp:
    """Serve drawing tools to a language model over standard input and output (Model Context Protocol)."""

    pictures: Path | None = None
    """Folder of pictures that may be painted from. None: only those that the client sends."""
    out: Path = Path("drawings")
    """Folder that drawings are saved in. Files that are there already are not replaced."""
    threads: int = 2
    """Threads that search."""

    def run(self) -> None:
        """Serve until the client leaves."""
        require_range("--threads", self.threads, 1, 1024)
        from limner.mcp.folders import DrawingFolder, PictureFolder

        folders = PictureFolder(self.pictures), DrawingFolder(self.out)
        try:
            from limner.mcp.server import serve
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("limner"):
                raise
            raise ImportError("limner mcp needs the package mcp: pip install 'limner[mcp]'") from error
        from limner.mcp.easel import Easel

        if sys.stdin.isatty():
            print("limner: waiting for a client's messages on standard input: see docs/mcp.md", file=sys.stderr)
        serve(Easel(*folders, self.threads))
