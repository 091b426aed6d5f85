"""The studio's answers to requests, in JSON; errors are ``{"error": one line}``."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from limner.data.decoding import measure
from limner.programs.program import Program
from limner.studio import asked
from limner.studio.agents import Agents
from limner.studio.description import actions_of, describe
from limner.studio.downloads import DOWNLOADS
from limner.studio.easel import Easel, ask
from limner.studio.edits import read_edit
from limner.studio.jobs import Busy, Jobs
from limner.studio.sessions import Missing, Session, Sessions
from limner.worlds.validation import expect_object

COOKIE = "limner-session"

Handler = Callable[["Api", Request, Session], Awaitable[Response]]


class Api:
    """What handlers need: agents, jobs, sessions."""

    def __init__(self, agents: Agents, sessions: Sessions, jobs: Callable[[], Jobs]) -> None:
        """``jobs`` gives what there is while the application runs."""
        self.agents, self.sessions, self._jobs = agents, sessions, jobs
        self.opening = threading.Semaphore(2)
        """Programs that are opened at a time."""
        self.executing = asyncio.Semaphore(1)
        """Pictures that are executed for downloads at a time."""

    @property
    def jobs(self) -> Jobs:
        """What agents do."""
        return self._jobs()

    def routes(self) -> list[Route]:
        """Of all handlers."""
        return [Route(path, self._endpoint(handler), methods=[method]) for method, path, handler in HANDLERS]

    def open(self, session: Session, program: Program, picture: bytes = b"", near: Easel | None = None) -> str:
        """A new easel for a program, painted in a thread; its name. The picture may be that of the easel ``near``."""
        easel = Easel(program, near.picture if near else picture)
        easel.goal = near.goal if near else None
        name = self.sessions.add(session, easel)

        def load() -> None:
            with self.opening:
                easel.open()

        threading.Thread(target=load, daemon=True).start()
        return name

    async def answer_of(self, session: Session, request: dict[str, Any], picture: bytes = b"") -> dict[str, Any]:
        """What an agent answers to something short; ``ValueError`` saying why it does not."""
        loop, answers = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]()

        def hear(answer: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(answers.put_nowait, answer)

        job = ask(self.jobs, session.key, request, picture, hear)
        try:
            answer = await answers.get()
            if "end" in answer:
                raise ValueError(answer["end"])
            return answer
        finally:
            job.stop()

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            session = self.sessions.find(request.cookies.get(COOKIE))
            if session is None:
                return _problem(401, "this page is older than the studio: load it again")
            try:
                return await handler(self, request, session)
            except Missing as error:
                return _problem(404, str(error))
            except Busy as error:
                return _problem(429, str(error))
            except (ValueError, RecursionError) as error:
                return _problem(400, " ".join(str(error).split()))

        return endpoint


async def gallery(api: Api, request: Request, session: Session) -> Response:
    """The agents, the runs, and the documents of the session."""
    agents, runs = await run_in_threadpool(lambda: (api.agents.listed(), api.agents.runs()))
    documents = [{"name": name} | _brief(easel) for name, easel in session.easels.items()]
    return JSONResponse({"agents": agents, "runs": runs, "documents": documents})


async def curves(api: Api, request: Request, session: Session) -> Response:
    """The log of a run as curves."""
    return JSONResponse(await run_in_threadpool(api.agents.curves, request.query_params.get("run")))


async def add_picture(api: Api, request: Request, session: Session) -> Response:
    """Keep a picture that a body holds."""
    content = await request.body()
    width, height = await run_in_threadpool(measure, content)
    return JSONResponse({"picture": session.add_picture(content), "width": width, "height": height})


async def samples(api: Api, request: Request, session: Session) -> Response:
    """Programs that an unconditional agent makes up, and pictures of them."""
    wanted = asked.sample(api.agents, await _json(request))
    texts = (await api.answer_of(session, wanted))["programs"]
    found = await run_in_threadpool(lambda: [{"program": text, "picture": _thumbnail(text)} for text in texts])
    return JSONResponse({"samples": found})


async def add_painting(api: Api, request: Request, session: Session) -> Response:
    """Let an agent paint a picture; the document that shows it."""
    values = await _json(request)
    wanted, picture = asked.painting(api.agents, values, None), session.picture(values.get("picture"))
    name = api.open(session, api.agents.blank(values.get("agent")), picture)
    easel = session.easels[name]
    try:
        easel.paint(api.jobs, session.key, wanted)
    except Busy:
        del session.easels[name]
        raise
    return JSONResponse({"document": name})


async def add_document(api: Api, request: Request, session: Session) -> Response:
    """Open a program: its text, or the first ``count`` actions of a document, or a blank one for an agent."""
    values = await _json(request)
    if "copy" in values:
        near = session.easel(str(values["copy"]))
        program = await run_in_threadpool(read_edit({"do": "cut", "at": values.get("count")})[0], near.document.program)
        return JSONResponse({"document": api.open(session, program, near=near)})
    if "blank" in values:
        program = await run_in_threadpool(api.agents.blank, values["blank"])
    else:
        program = await run_in_threadpool(asked.program, values.get("program"))
    picture = session.picture(values["picture"]) if values.get("picture") else b""
    return JSONResponse({"document": api.open(session, program, picture)})


async def document(api: Api, request: Request, session: Session) -> Response:
    """What is known of a document, with its actions."""
    easel = session.easel(request.path_params["name"])
    facts, program = easel.facts(), easel.document.program
    return JSONResponse(describe(program) | {"actions": actions_of(program), "facts": facts})


async def change(api: Api, request: Request, session: Session) -> Response:
    """Edit a document, undo or redo."""
    easel, values = session.easel(request.path_params["name"]), await _json(request)
    if easel.painting:
        raise ValueError("an agent is painting: stop it first")
    if values.get("do") in ("undo", "redo"):
        await run_in_threadpool(getattr(easel.document, values["do"]))
    else:
        await run_in_threadpool(easel.document.change, *read_edit(values))
    facts, program = easel.facts(), easel.document.program
    return JSONResponse({"actions": actions_of(program), "facts": facts})


async def go_on(api: Api, request: Request, session: Session) -> Response:
    """Let an agent go on with a document, everywhere or in a region."""
    easel, values = session.easel(request.path_params["name"]), await _json(request)
    if values.get("picture"):
        easel.picture = session.picture(values["picture"])
    if not easel.picture:
        raise ValueError("there is no picture to paint: choose one")
    program = easel.document.program
    wanted = asked.painting(api.agents, values, program)
    easel.paint(api.jobs, session.key, wanted)
    return JSONResponse({"facts": easel.facts()})


async def stop(api: Api, request: Request, session: Session) -> Response:
    """Stop the agent that paints a document."""
    easel = session.easel(request.path_params["name"])
    if easel.job is not None:
        easel.job.stop()
    return JSONResponse({"facts": easel.facts()})


async def close(api: Api, request: Request, session: Session) -> Response:
    """Close a document."""
    session.easel(request.path_params["name"]).close()
    del session.easels[request.path_params["name"]]
    return JSONResponse({})


async def at(api: Api, request: Request, session: Session) -> Response:
    """Which action is seen at a place of the canvas, and the box of what it paints."""
    easel, (x, y, count) = session.easel(request.path_params["name"]), asked.place(request.query_params)
    step = await run_in_threadpool(easel.document.topmost, x, y, count)
    box = None if step is None else await run_in_threadpool(easel.document.box, step)
    return JSONResponse({"step": step, "box": box})


async def errors(api: Api, request: Request, session: Session) -> Response:
    """The error of a document against its picture, over actions."""
    return JSONResponse(await run_in_threadpool(session.easel(request.path_params["name"]).errors))


async def outlook(api: Api, request: Request, session: Session) -> Response:
    """Where an agent would go on after so many actions."""
    easel = session.easel(request.path_params["name"])
    wanted = asked.outlook(api.agents, request.query_params, easel.document.program)
    return JSONResponse(await api.answer_of(session, wanted, easel.picture))


async def download(api: Api, request: Request, session: Session) -> Response:
    """A document as a file."""
    program, kind = session.easel(request.path_params["name"]).document.program, request.path_params["kind"]
    if kind not in DOWNLOADS:
        raise ValueError(f"kind must be one of {', '.join(DOWNLOADS)}")
    media, make = DOWNLOADS[kind]
    size = asked.size(request.query_params)
    async with api.executing:
        content = await run_in_threadpool(make, program, size)
    return Response(
        content, media_type=media, headers={"content-disposition": f'attachment; filename="drawing.{kind}"'}
    )


HANDLERS: list[tuple[str, str, Handler]] = [
    ("GET", "/api/gallery", gallery),
    ("GET", "/api/curves", curves),
    ("POST", "/api/pictures", add_picture),
    ("POST", "/api/samples", samples),
    ("POST", "/api/paintings", add_painting),
    ("POST", "/api/documents", add_document),
    ("GET", "/api/documents/{name}", document),
    ("DELETE", "/api/documents/{name}", close),
    ("POST", "/api/documents/{name}/change", change),
    ("POST", "/api/documents/{name}/go-on", go_on),
    ("POST", "/api/documents/{name}/stop", stop),
    ("GET", "/api/documents/{name}/at", at),
    ("GET", "/api/documents/{name}/errors", errors),
    ("GET", "/api/documents/{name}/outlook", outlook),
    ("GET", "/api/documents/{name}/drawing.{kind}", download),
]


async def _json(request: Request) -> dict[str, Any]:
    return expect_object(json.loads(await request.body() or b"null"), "the request")


def _brief(easel: Easel) -> dict[str, Any]:
    program = easel.document.program
    return {"title": program.title, "agent": program.agent, "facts": easel.facts()}


def _problem(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)


def _thumbnail(text: str) -> str:
    """A PNG of a program's picture, 128 pixels a side, in base64."""
    from limner.programs.execution import execute
    from limner.worlds.world import on_white

    picture, file = on_white(execute(Program.from_json(text), 128)), io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
