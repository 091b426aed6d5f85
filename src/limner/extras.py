"""Packages that only some commands need. An extra of Limner brings them: ``pip install "limner[train]"``."""

from importlib.util import find_spec

EXTRAS = {
    "train": ("tensorboard", "matplotlib", "jinja2", "skimage"),
    "pens": ("skimage", "scipy"),
}
"""What can be imported with an extra, as far as no other module asks for it."""


def require_extra(name: str, what: str) -> None:
    """``ImportError`` with the command that installs the extra ``name`` where it is missing; ``what`` needs it."""
    missing = [package for package in EXTRAS[name] if find_spec(package) is None]
    if missing:
        raise ImportError(f'{what} needs {" and ".join(missing)}: pip install "limner[{name}]"')
