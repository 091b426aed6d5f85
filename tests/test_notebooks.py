"""The notebooks run from start to end on small budgets, and are stored without what they show."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
SMALL = {
    "sample_digits": "COUNT = 4",
    "paint_a_photograph": "SECONDS = 0.5\nSTROKES = 4\nDETAIL = 1",
    "a_new_world": "MINUTES = 0.01\nPICTURES = 60",
}
SHOWN = {
    "sample_digits": ["text/html", "image/png", "image/png"],
    "paint_a_photograph": ["text/html", "image/png", "image/png", "image/png"],
    "a_new_world": ["image/png", "text/html", "image/png"],
}
"""What the results of cells are shown as, the richest of each."""
TEXT = {"text/plain"}


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.ipynb")))
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    (settings,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    names = [line.partition(" = ")[0] for line in settings.source.splitlines()]
    assert names == [line.partition(" = ")[0] for line in SMALL[name].splitlines()]
    settings.source = SMALL[name]
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    results = [{*output.data} - TEXT for output in outputs if output.output_type == "execute_result"]
    assert [sorted(kinds)[-1] for kinds in results if kinds] == SHOWN[name]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_stored_without_results(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
