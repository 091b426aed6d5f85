"""``limner brushes``: what the brushes that are installed paint."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from limner.cli.files import check_file
from limner.files import write_atomic
from limner.worlds.validation import require


@dataclass(frozen=True)
class Brushes:
    """Paint a stroke with every brush, or with those whose names contain a word: a sheet with their names."""

    words: tyro.conf.Positional[tuple[str, ...]] = ()
    """Parts of names, such as classic/ or pencil. None: all brushes."""
    out: Path = Path("brushes.png")
    """What to write: a PNG file."""

    def run(self) -> None:
        """Find, paint, write."""
        require(self.out.suffix.lower() == ".png", f"cannot write {self.out}: the name must end in .png")
        from limner.export.brushes import brush_sheet, find_brushes
        from limner.export.picture import png

        names = find_brushes(self.words)
        check_file(self.out)
        sheet, refused = brush_sheet(names)
        write_atomic(self.out, png(sheet))
        print(f"{self.out}: {len(names) - len(refused)} brushes")
        for reason in refused:
            print(reason)
