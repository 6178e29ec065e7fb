"""`/v1/render`, `/v1/preview` and the web page itself. Static files come from a fixed table, never from a joined path.

What is rendered comes from a model, and so from whoever printed the picture: its page is given out in a sandbox.
"""

from contextlib import AsyncExitStack
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from got_ocr.errors import ImageDecodeFailed
from got_ocr.serve.desk import Desk
from got_ocr.serve.flow import until_gone
from got_ocr.serve.problems import InvalidField, InvalidRequest, NotFound
from got_ocr.serve.room import Hold
from got_ocr.serve.schemas import PreviewRequest, RenderRequest, validate

PREVIEW_SIDE = 1600
TYPES = {
    "html": "text/html",
    "fragment": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "md": "text/markdown",
}
# Nothing in a rendered page runs, loads, submits or navigates; only our page may show it in a frame.
RENDERED_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATIC = {
    "/": ("index.html", "text/html"),
    "/static/app.css": ("app.css", "text/css"),
    "/static/app.js": ("app.js", "text/javascript"),
    "/static/box.js": ("box.js", "text/javascript"),
    "/static/api.js": ("api.js", "text/javascript"),
    "/static/icon.svg": ("icon.svg", "image/svg+xml"),
}


class PageRoutes:
    """Answer browsers, and whoever wants a text drawn."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        folder = files("got_ocr.serve") / "static"
        self._static = {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in STATIC.items()}

    async def static(self, request: Request) -> Response:
        """Give the web page or one of its files."""
        found = self._static.get(request.url.path)
        if found is None:
            raise NotFound
        return Response(found[0], media_type=found[1], headers={"content-security-policy": PAGE_POLICY})

    async def render(self, request: Request) -> Response:
        """Draw a text: as a page, a fragment, SVG, PNG or Markdown. What cannot be drawn is shown as text, with a code in a header."""
        desk = self._desk
        async with AsyncExitStack() as stack:
            visitor = await stack.enter_async_context(desk.visit(request))
            received = await desk.intake.receive(request, visitor.hold)
            asked = validate(RenderRequest, received.fields)
            drawing = desk.draw(asked.text, kind=asked.kind, to=asked.to, title=asked.title, hold=visitor.hold)
            drawn = await until_gone(request.receive, drawing)
        headers = {"content-security-policy": RENDERED_POLICY, "x-render-kind": drawn.kind}
        if drawn.error is not None:
            headers["x-render-error"] = drawn.error
        return Response(drawn.content, media_type=TYPES.get(asked.to, "text/markdown"), headers=headers)

    async def preview(self, request: Request) -> Response:
        """Show one page of a document as a JPEG, upright as it is read; headers tell its size and how many pages there are."""
        desk = self._desk
        async with AsyncExitStack() as stack:
            visitor = await stack.enter_async_context(desk.visit(request))
            received = await desk.intake.receive(request, visitor.hold)
            upload = {"image": "upload"} if received.files else {}
            asked = validate(PreviewRequest, {**received.fields, **upload})
            if len(received.files) > 1:
                raise InvalidRequest("give one document", param="image")
            texts = [] if received.files else [("image", asked.image)]
            (file,) = await desk.intake.pictures(texts, received.files, visitor.hold)
            return await until_gone(request.receive, self._preview(file, asked, visitor.hold))

    async def _preview(self, file: int, asked: PreviewRequest, hold: Hold) -> Response:
        service = self._desk.service
        pages, _ = await service.reader.count(file, asked.password)
        if asked.page > pages:
            raise InvalidField(f"there is no such page: counted from 1, the last one is {pages}", param="page")
        target = hold.file()
        order = {
            "do": "preview",
            "page": asked.page,
            "side": PREVIEW_SIDE,
            "dpi": None,
            "password": asked.password,
            "reference": False,
            "unforeseen": "image_corrupt",
        }
        fatal = ImageDecodeFailed("the page takes more time or memory than allowed")
        answer = await service.decoders.run(order, [file, target], fatal)
        hold.grow(target)
        headers = {"x-pages": str(pages), "x-width": str(answer["width"]), "x-height": str(answer["height"])}
        return Response(hold.read(target), media_type="image/jpeg", headers=headers)
