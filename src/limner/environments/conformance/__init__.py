"""Conformance checks for renderers and environments, to be run on one's own.

    from limner.environments.conformance import check_environment, check_renderer, check_vector_environment

    check_renderer(lambda batch: MyRenderer(batch=batch))
    check_environment(lambda: PaintEnv(MyRenderer(), render_mode="rgb_array"))
    check_vector_environment(lambda n: PaintVectorEnv(n, MyRenderer(batch=n)), lambda: PaintEnv(MyRenderer()))

A promise is one function, stated by its docstring: ``pytest.mark.parametrize("promise", RENDERER)`` makes each a test
of its own. Most say that doing X has no effect: the same actions are executed with and without X, and everything
returned must be equal, bit for bit. Every promise makes what it checks anew.
"""

from limner.environments.conformance.environments import ENVIRONMENT, VECTOR_ENVIRONMENT, MakeSingle, MakeVector
from limner.environments.conformance.promises import check
from limner.environments.conformance.renderers import RENDERER, MakeRenderer

__all__ = [
    "ENVIRONMENT",
    "RENDERER",
    "VECTOR_ENVIRONMENT",
    "check_environment",
    "check_renderer",
    "check_vector_environment",
]


def check_renderer(make: MakeRenderer, seed: int = 0) -> None:
    """Raise ``AssertionError`` listing every promise of ``Renderer`` that ``make(batch)`` breaks."""
    check(RENDERER, (make,), seed)


def check_environment(make: MakeSingle, seed: int = 0) -> None:
    """Raise ``AssertionError`` listing every promise of ``PaintEnv`` that the environment ``make()`` breaks.

    Rendering is checked when ``make()`` sets a ``render_mode``.
    """
    check(ENVIRONMENT, (make,), seed)


def check_vector_environment(make: MakeVector, make_single: MakeSingle, seed: int = 0) -> None:
    """Raise ``AssertionError`` listing every promise of ``PaintVectorEnv`` that ``make(num_envs)`` breaks.

    ``make_single()`` is the environment that each of its rows must equal.
    """
    check(VECTOR_ENVIRONMENT, (make, make_single), seed)
