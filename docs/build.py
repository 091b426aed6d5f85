"""Builds the documentation site: every page of the repository, as it is, in one folder that needs no network.

    python docs/build.py [FOLDER]     # site, unless another is named

Pages keep the places that they have in the repository, so a link works there and in the site. Zensical builds them in
strict mode: a link or an anchor that leads nowhere ends the build, and FOLDER stays as it was. It is run in a temporary
folder, because it follows no symbolic links, keeps a cache, and would look for pages in everything else that is here.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/**/*.*",
    "recipes/*.*",
    "src/limner/agents/zoo/*/card.md",
    "src/limner/data/*.md",
    "src/limner/worlds/scenes/scenes.xml",
)
"""What pages consist of, and what they link to."""
OWN = ("zensical.toml", "build.py")
"""Files of the folder of the pages that only build them."""


def build(folder: Path) -> None:
    """Build the site into ``folder``, in place of what is there; ``CalledProcessError`` on any warning."""
    with TemporaryDirectory() as temporary:
        project = Path(temporary)
        for file in (file for pattern in PAGES for file in ROOT.glob(pattern)):
            if file.is_file() and file.name not in OWN:
                copy = project / "pages" / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        shutil.copyfile(ROOT / "docs/zensical.toml", project / "zensical.toml")
        (project / "src").symlink_to(ROOT / "src")  # what the reference is read from
        subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=project, check=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(project / "site", folder)


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
