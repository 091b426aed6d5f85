"""What pages ask for: agents, programs, changes, paintings, downloads; and what is said where it cannot be had."""

from __future__ import annotations

import base64
import io
import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from studio_programs import random_program

from limner.programs.execution import execute
from limner.programs.program import Program
from limner.studio.server import make_app

HERE = "http://127.0.0.1:8017"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, unconditional_folder: Path) -> Path:
    """A folder with a run whose agent can be used, and one that has just begun."""
    folder = tmp_path_factory.mktemp("work") / "runs"
    config = json.loads(next(unconditional_folder.glob("checkpoints/*/manifest.json")).read_bytes())["training"]
    for name in ("mine", "begun"):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text(json.dumps(config))
    (folder / "mine" / "checkpoints").symlink_to(unconditional_folder / "checkpoints")
    rows = [{"update": i, "frames": 24 * i, "minutes": i / 4, "eval/mse": 1 / (i + 1)} for i in range(1000)]
    (folder / "mine" / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def app(runs: Path) -> Iterator[TestClient]:
    client = TestClient(make_app(runs, warm=[]), HERE, headers={"origin": HERE})
    with client:
        yield client


@pytest.fixture
def page(app: TestClient) -> TestClient:
    """A page of a new session."""
    app.cookies.clear()
    assert app.get("/").status_code == 200
    return app


def opened(page: TestClient, program: Program | None = None, **more: Any) -> str:
    """A document that is painted."""
    given = {"program": (program or random_program(6)).to_json()} | more
    return painted(page, page.post("/api/documents", json=given).json()["document"])


def painted(page: TestClient, name: str) -> str:
    """Wait until a document is painted, and no agent is at work."""
    for _ in range(1200):
        facts = page.get(f"/api/documents/{name}").json()["facts"]
        if facts["ready"] == facts["length"] and facts["job"] in ("", "ended") and facts["changes"] > 0:
            return name
        time.sleep(0.05)
    raise AssertionError(facts)


def photograph(width: int = 48, height: int = 32) -> bytes:
    file = io.BytesIO()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8)).resize((width, height)).save(file, "PNG")
    return file.getvalue()


def test_the_gallery_shows_agents_and_runs(page: TestClient) -> None:
    gallery = page.get("/api/gallery").json()
    agents = {agent["name"]: agent for agent in gallery["agents"]}
    assert agents["faces"]["conditional"]
    assert agents["faces"]["large"]
    assert not agents["mnist"]["conditional"]
    assert not agents["runs/mine"]["ships"]
    assert "runs/begun" not in agents
    assert {run["folder"]: run["state"] for run in gallery["runs"]}["runs/begun"] == "empty"
    curves = page.get("/api/curves", params={"run": "runs/mine"}).json()
    assert 300 <= len(curves["eval/mse"]) <= 400
    assert curves["eval/mse"][0] == [0, 1]


def test_samples_are_programs_and_their_pictures(page: TestClient) -> None:
    answer = page.post("/api/samples", json={"agent": "runs/mine", "count": 3, "seed": 1}).json()
    assert len(answer["samples"]) == 3
    sample = answer["samples"][0]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(sample["picture"]))))
    np.testing.assert_array_equal(shown, execute(Program.from_json(sample["program"]), 128)[..., 0])
    assert opened(page, Program.from_json(sample["program"]))


def test_a_program_is_opened_changed_and_saved(page: TestClient) -> None:
    program = random_program(6)
    name = opened(page, program)
    about = page.get(f"/api/documents/{name}").json()
    assert about["actions"] == program.actions.tolist()
    assert [part["name"] for part in about["parts"]] == list(program.space.names)
    assert {part["name"]: part.get("unit") for part in about["parts"]}["pressure"] == "%"
    changed = page.post(f"/api/documents/{name}/change", json={"do": "delete", "steps": [1, 4]}).json()
    assert changed["actions"] == program.actions[[0, 2, 3, 5]].tolist()
    assert page.post(f"/api/documents/{name}/change", json={"do": "undo"}).json()["actions"] == about["actions"]
    assert page.post(f"/api/documents/{name}/change", json={"do": "redo"}).json()["facts"]["length"] == 4
    saved = Program.from_json(page.get(f"/api/documents/{name}/drawing.json").text)
    assert saved.actions.tolist() == changed["actions"]
    picture = page.get(f"/api/documents/{name}/drawing.png", params={"size": 200})
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(picture.content))), execute(saved, 200))
    assert picture.headers["content-disposition"] == 'attachment; filename="drawing.png"'
    assert page.get(f"/api/documents/{name}/drawing.svg").text.startswith("<")
    assert page.get(f"/api/documents/{name}/drawing.gif").content[:3] == b"GIF"


def test_every_kind_of_edit(page: TestClient) -> None:
    program = random_program(5)
    space, rows = program.space, program.actions.tolist()
    name = opened(page, program)

    def edit(**values: Any) -> list[list[int]]:
        answer = page.post(f"/api/documents/{name}/change", json=values).json()
        page.post(f"/api/documents/{name}/change", json={"do": "undo"})
        return answer["actions"]

    size, start = space.index("size"), space.index("start")
    found = edit(do="set", steps=[0, 2], values={"size": 5})
    assert [row[size] for row in found] == [5, rows[1][size], 5, rows[3][size], rows[4][size]]
    assert edit(do="place", step=1, part="start", x=0.999, y=0)[1][start] == 31
    assert edit(do="place", step=1, part="start", x=-1, y=2)[1][start] == 31 * 32
    assert edit(do="shift", steps=[0], x=0, y=0)[0] == rows[0]
    moved = divmod(edit(do="shift", steps=[0], x=1 / 32, y=0)[0][start], 32)
    assert moved == (rows[0][start] // 32, min(31, rows[0][start] % 32 + 1))
    assert edit(do="move", step=0, to=3) == [rows[i] for i in (1, 2, 3, 0, 4)]
    assert edit(do="move", step=4, to=0) == [rows[i] for i in (4, 0, 1, 2, 3)]
    assert edit(do="insert", at=5, action=rows[0]) == [*rows, rows[0]]
    assert edit(do="copy", step=1) == [rows[i] for i in (0, 1, 1, 2, 3, 4)]
    assert edit(do="cut", at=2) == rows[:2]
    page.post(f"/api/documents/{name}/change", json={"do": "choose", "setting": "brush", "name": "classic/charcoal"})
    assert page.get(f"/api/documents/{name}").json()["renderer"]["brush"] == "classic/charcoal"
    copy = page.post("/api/documents", json={"copy": name, "count": 3}).json()["document"]
    assert page.get(f"/api/documents/{copy}").json()["facts"]["length"] == 3


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"do": "burn"}, "do is 'burn': must be one of set, "),
        ({}, "do is None"),
        ({"do": ["set"]}, "do is "),
        ({"do": "set", "steps": [0], "values": {"size": 6}}, "size is 6: must be a whole number in 0 … 5"),
        ({"do": "set", "steps": [0], "values": {"size": True}}, "size is True"),
        ({"do": "set", "steps": [0], "values": {"taste": 0}}, "part is 'taste': must be one of start, "),
        ({"do": "set", "steps": [9], "values": {"size": 0}}, "steps is [9]: must be one or more"),
        ({"do": "set", "steps": [], "values": {"size": 0}}, "steps is []"),
        ({"do": "place", "step": 0, "part": "size", "x": 0, "y": 0}, "part is 'size': must be a place"),
        ({"do": "place", "step": 0, "part": "end", "x": 1e9, "y": 0}, "x is 1000000000.0: must be a share"),
        ({"do": "insert", "at": 0, "action": [1, 2]}, "an action has 8 parts"),
        ({"do": "insert", "at": 0, "action": [2**70]}, "must be a list of whole numbers"),
        ({"do": "choose", "setting": "canvas", "name": "9"}, "there is no choice"),
        ({"do": "choose", "setting": "brush", "name": "/etc/passwd"}, "no brush of that name is installed"),
        ({"do": "undo"}, "there is nothing to undo"),
        ([], "the request must be an object"),
    ],
)
def test_edits_that_cannot_be_are_refused(page: TestClient, edit: Any, problem: str) -> None:
    name = opened(page)
    before = page.get(f"/api/documents/{name}").json()
    answer = page.post(f"/api/documents/{name}/change", json=edit)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]
    assert page.get(f"/api/documents/{name}").json() == before


def test_programs_that_cannot_be_opened(page: TestClient, tmp_path: Path) -> None:
    def problem(text: Any) -> str:
        answer = page.post("/api/documents", json={"program": text})
        assert answer.status_code == 400
        return str(answer.json()["error"])

    brush = tmp_path / "own.myb"
    text = random_program(1).to_json()
    assert "no brush of that name is installed" in problem(text.replace("classic/pen", str(brush)))
    assert "must be the text" in problem(7)
    assert "not JSON" in problem("{")
    assert "nested too deeply" in problem("[" * 100_000)
    assert "20000 at most" in problem(random_program(20_001).to_json(one_line=True))
    assert page.post("/api/documents", content=b"[" * 100_000).status_code == 400
    assert page.post("/api/documents", content=b"\xff").status_code == 400


def test_strokes_are_picked_on_the_canvas(page: TestClient) -> None:
    program = random_program(4)
    name = opened(page, program)
    place = {"x": 0.5, "y": 0.5, "count": 4}
    seen = page.get(f"/api/documents/{name}/at", params=place).json()
    pictures = [execute(Program(program.renderer, program.actions[:i]), 512)[256, 256].astype(int) for i in range(5)]
    changed = [i for i in range(4) if np.abs(pictures[i + 1] - pictures[i]).max() > 60]
    assert seen["step"] is not None or not changed
    assert not changed or seen["step"] >= changed[-1]
    for wrong in ({"x": "nan"}, {"x": 2}, {"count": -1}, {"count": "1e3"}, {"y": ""}):
        assert page.get(f"/api/documents/{name}/at", params=place | wrong).status_code == 400


def test_an_agent_paints_stops_and_goes_on(page: TestClient) -> None:
    picture = page.post("/api/pictures", content=photograph()).json()
    assert (picture["width"], picture["height"]) == (48, 32)
    wanted = {"agent": "faces", "picture": picture["picture"], "strokes": 12, "detail": 1}
    name = painted(page, page.post("/api/paintings", json=wanted).json()["document"])
    about = page.get(f"/api/documents/{name}").json()
    assert about["facts"]["end"] == "done"
    assert len(about["actions"]) == 12
    assert about["frame"] == pytest.approx([0, 1 / 6, 1, 5 / 6], abs=1e-3)
    errors = page.get(f"/api/documents/{name}/errors").json()
    assert errors["counts"] == list(range(13))
    assert errors["errors"][12] < errors["errors"][0]
    more = {"agent": "faces", "strokes": 5, "region": [0, 0, 0.5, 0.5]}
    assert page.post(f"/api/documents/{name}/go-on", json=more).status_code == 200
    painted(page, name)
    after = page.get(f"/api/documents/{name}").json()
    assert len(after["actions"]) == 17, after["facts"]
    long = {"agent": "faces", "strokes": 900, "seconds": 600}
    assert page.post(f"/api/documents/{name}/go-on", json=long).status_code == 200
    again = page.post(f"/api/documents/{name}/go-on", json=long)
    assert "painting already" in again.json()["error"]
    assert "stop it first" in page.post(f"/api/documents/{name}/change", json={"do": "cut", "at": 0}).json()["error"]
    page.post(f"/api/documents/{name}/stop")
    painted(page, name)
    assert page.get(f"/api/documents/{name}").json()["facts"]["end"] == "stopped"


def test_where_an_agent_would_go_on(page: TestClient) -> None:
    sample = page.post("/api/samples", json={"agent": "mnist", "count": 1}).json()["samples"][0]
    name = opened(page, Program.from_json(sample["program"]))
    seen = page.get(f"/api/documents/{name}/outlook", params={"agent": "mnist", "count": 4}).json()
    assert np.asarray(seen["places"]).shape == (32, 32)
    assert np.sum(seen["places"]) == pytest.approx(1, abs=1e-2)
    assert isinstance(seen["value"], float)
    prior = page.get(f"/api/documents/{name}/outlook", params={"agent": "omniglot-prior", "count": 4})
    assert "another renderer" in prior.json()["error"]


def frame_of(data: bytes) -> tuple[dict[str, Any], Image.Image | None]:
    (length,) = struct.unpack(">I", data[:4])
    header = json.loads(data[4 : 4 + length])
    return header, Image.open(io.BytesIO(data[4 + length :])) if data[4 + length :] else None


def test_frames_put_together_are_the_pictures(page: TestClient) -> None:
    program = random_program(6, color=False)
    name = opened(page, program)
    with page.websocket_connect("ws://127.0.0.1:8017/frames", headers={"origin": HERE}) as socket:
        socket.send_json({"watch": [name]})
        assert socket.receive_json()["facts"][name]["length"] == 6
        shown = Image.new("L", (512, 512), "red")
        for count in (6, 6, 2, 3, 0):
            socket.send_json({"frame": name, "count": count})
            header, part = frame_of(socket.receive_bytes())
            assert header["count"] == count
            if part is not None:
                shown.paste(part, (header["left"], header["top"]))
            exact = execute(Program(program.renderer, program.actions[:count]), 512)[..., 0]
            assert np.abs(np.asarray(shown).astype(int) - exact).max() <= 3
        page.post(f"/api/documents/{name}/change", json={"do": "cut", "at": 2})
        assert socket.receive_json()["facts"][name]["length"] == 2
        for wrong in ("", "{", "[]", '{"frame": 3}', '{"frame": "x", "count": null}', '{"watch": 5}'):
            socket.send_text(wrong)
            assert "no message" in socket.receive_json()["error"]
        socket.send_json({"frame": "another", "count": 0})
        assert socket.receive_json() == {"gone": "another"}


def test_documents_are_seen_by_nobody_else(page: TestClient) -> None:
    name = opened(page)
    picture = page.post("/api/pictures", content=photograph()).json()["picture"]
    page.cookies.clear()
    assert page.get(f"/api/documents/{name}").status_code == 401
    assert page.get("/").status_code == 200
    assert page.get("/api/gallery").json()["documents"] == []
    requests = [
        ("GET", ""),
        ("GET", "/at?x=0&y=0&count=0"),
        ("GET", "/drawing.png"),
        ("GET", "/errors"),
        ("DELETE", ""),
    ]
    requests += [("POST", "/change"), ("POST", "/stop"), ("POST", "/go-on")]
    for method, path in requests:
        assert page.request(method, f"/api/documents/{name}{path}", json={"do": "undo"}).status_code == 404
    assert page.post("/api/paintings", json={"agent": "faces", "picture": picture}).status_code == 404
    with page.websocket_connect("ws://127.0.0.1:8017/frames", headers={"origin": HERE}) as socket:
        socket.send_json({"watch": [name]})
        assert socket.receive_json()["facts"] == {}
        socket.send_json({"frame": name, "count": 0})
        assert socket.receive_json() == {"gone": name}


def test_no_more_documents_than_there_is_room_for(page: TestClient) -> None:
    names = [opened(page, random_program(1)) for _ in range(12)]
    refused = page.post("/api/documents", json={"program": random_program(1).to_json()})
    assert refused.status_code == 429
    assert "you have 12 documents open" in refused.json()["error"]
    for name in names:
        assert page.delete(f"/api/documents/{name}").status_code == 200
    opened(page)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%!PS-Adobe-3.0", b"\x89PNG\r\n\x1a\n" + bytes(50), bytes(1000)])
def test_what_is_no_picture_is_refused(page: TestClient, content: bytes) -> None:
    answer = page.post("/api/pictures", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_pictures_of_too_many_pixels_are_refused(page: TestClient) -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    answer = page.post("/api/pictures", content=bomb.getvalue())
    assert answer.status_code == 400
    assert "100 megapixels" in answer.json()["error"]


@pytest.mark.parametrize("name", ["..", "/etc", "runs/../..", "../runs/mine", "runs/begun", None, 3, "mnist/../faces"])
def test_agents_are_named_and_no_path_is_taken(page: TestClient, name: Any) -> None:
    for path in ("/api/samples", "/api/paintings", "/api/documents"):
        answer = page.post(path, json={"agent": name, "blank": name, "picture": "x"})
        assert answer.status_code == 400
        assert "there is no agent" in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page/..%2fserver.py", "/page//etc/passwd"]
)
def test_only_files_of_the_page_are_served(page: TestClient, path: str) -> None:
    assert page.get(path).status_code == 404
