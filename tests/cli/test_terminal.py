"""What there is to choose from: lists of commands and presets."""

import pytest

from limner.cli import main as cli
from limner.cli.terminal import choose
from limner.training.presets import PRESETS

CHOICES = {
    "short": "text",
    "longer": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
}


def test_a_choice_is_given_back() -> None:
    assert choose("limner", "COMMAND", CHOICES, ["longer", "short", "--help"]) == "longer"


def test_long_texts_are_wrapped_in_their_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    with pytest.raises(SystemExit) as end:
        choose("limner", "COMMAND", CHOICES, ["--help"], ["the", "end"])
    assert end.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        "usage: limner COMMAND …",
        "",
        "  short   text",
        "  longer  one two three four five six seven eight",
        "          nine ten eleven twelve thirteen fourteen",
        "",
        "limner COMMAND --help tells more.",
        "the",
        "end",
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "a COMMAND is missing"),
        (["x", "short"], "there is no COMMAND 'x'"),
        (["lnoger"], "there is no COMMAND 'lnoger': did you mean longer?"),
        (["--seed", "3", "short"], "a COMMAND has to come before --seed"),
    ],
)
def test_anything_else_ends_in_2(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        choose("limner", "COMMAND", CHOICES, words, ["note"])
    assert end.value.code == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith(f"limner: {line}\nusage: limner COMMAND …\n")
    assert "note" not in error


def test_presets_are_listed_by_what_they_teach_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["train"])
    lines = capsys.readouterr().err.splitlines()
    for name, preset in PRESETS.items():
        assert any(line.split() == [name, *preset.teaches.split()] for line in lines), "on one line each"
    assert max(map(len, lines)) <= 80


def test_help_names_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    end = capsys.readouterr().out.partition("exit status:\n")[2]
    assert [line.split()[0] for line in end.splitlines()] == ["0", "1", "2", "130", "141"]
