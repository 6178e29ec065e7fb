"""`/v1/jobs`: documents that take their time. What is another's looks as if it were not there. Knows no running of jobs."""

from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from got_ocr.serve.asking import make_ask
from got_ocr.serve.desk import Desk, visit_of
from got_ocr.serve.flow import until_gone
from got_ocr.serve.jobs import Jobs, ended
from got_ocr.serve.jobstore import Job
from got_ocr.serve.pages import RENDERED_POLICY
from got_ocr.serve.problems import InvalidField, InvalidRequest, NotFinished, NotFound
from got_ocr.serve.schemas import JobRequest, validate

FORMATS = ("json", "txt", "md", "html")
PARTIAL = ("false", "true")


class JobRoutes:
    """Answer what has to do with jobs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def _jobs(self) -> Jobs:
        jobs = self._desk.service.jobs
        if jobs is None:
            raise NotFound
        return jobs

    async def create(self, request: Request) -> Response:
        """Take a document to be read page by page; the answer names the job to ask after."""
        desk, jobs = self._desk, self._jobs
        async with AsyncExitStack() as stack:
            visitor = await stack.enter_async_context(desk.visit(request))
            received = await desk.intake.receive(request, visitor.hold)
            upload = {"image": "upload"} if received.files else {}
            asked = validate(JobRequest, {**received.fields, **upload})
            make_ask(asked, desk.service.settings)
            if len(received.files) > 1:
                raise InvalidRequest("a job has one document", param="image")
            texts = [] if received.files else [("image", asked.image)]
            work = desk.intake.pictures(texts, received.files, visitor.hold)
            (file,) = await until_gone(request.receive, work)
            kept = asked.model_copy(update={"image": ""})
            job = await jobs.create(visitor.owner, kept, visitor.hold.read(file))
            headers = {"location": f"/v1/jobs/{job.id}", **desk.ignored(JobRequest, received.fields)}
        return JSONResponse(_told(job), status_code=202, headers=headers)

    async def list(self, request: Request) -> Response:
        """List one's jobs, the newest first."""
        jobs = await self._jobs.of(visit_of(request).owner)
        return JSONResponse({"object": "list", "data": [_told(job) for job in jobs]})

    async def get(self, request: Request) -> Response:
        """Say how far a job is."""
        return JSONResponse(_told(await self._found(request)))

    async def cancel(self, request: Request) -> Response:
        """End a job; results that it has stay."""
        job = await self._jobs.cancel(request.path_params["job"], visit_of(request).owner)
        return JSONResponse(_told(job))

    async def delete(self, request: Request) -> Response:
        """End and forget a job."""
        await self._jobs.delete(request.path_params["job"], visit_of(request).owner)
        return Response(status_code=204)

    async def result(self, request: Request) -> Response:
        """Give a job's results: `format` is json, txt, md or html; `partial=true` gives what there is by now."""
        form, partial = _choice(request, "format", FORMATS), _choice(request, "partial", PARTIAL)
        job = await self._found(request)
        if not ended(job) and partial == "false":
            raise NotFinished("the job is not finished yet; partial=true gives what there is")
        readings = await self._jobs.results(job.id)
        text = "\n\n".join(reading["text"] for reading in readings)
        if form == "json":
            truncated = any(reading["truncated"] for reading in readings)
            return JSONResponse({**_told(job), "text": text, "truncated": truncated, "readings": readings})
        if form == "txt":
            return PlainTextResponse(text)
        return await self._drawn(request, text, form)

    async def _drawn(self, request: Request, text: str, form: str) -> Response:
        desk = self._desk
        async with desk.visit(request) as visitor:
            work = desk.draw(text, kind="auto", to=form, title="Reading", hold=visitor.hold)
            drawn = await until_gone(request.receive, work)
        kind = "text/html" if form == "html" else "text/markdown"
        return Response(drawn.content, media_type=kind, headers={"content-security-policy": RENDERED_POLICY})

    async def _found(self, request: Request) -> Job:
        return await self._jobs.get(request.path_params["job"], visit_of(request).owner)


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """Read a word from the address; the first choice where none is given. Raises InvalidField."""
    given = request.query_params.getlist(name) or [choices[0]]
    if len(given) > 1 or given[0] not in choices:
        raise InvalidField(f"{name} is one of {', '.join(choices)}", param=name)
    return given[0]


def _told(job: Job) -> dict[str, Any]:
    """Write what a client may know of a job."""
    error = {"code": job.code, "message": job.message} if job.code else None
    return {
        "id": job.id,
        "object": "job",
        "status": job.status,
        "created_at": round(job.created, 3),
        "updated_at": round(job.updated, 3),
        "pages_total": job.pages,
        "pages_done": job.done,
        "pages_failed": job.failed,
        "error": error,
    }
