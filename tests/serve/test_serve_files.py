"""Hostile files over HTTP (S1), the memory of those that decode them (S2), and what all the care costs (S14)."""

import asyncio
import base64
import io
import random
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from serve_kit import Running, Start, b64, check_leaks

from got_ocr.errors import GotOcrError
from got_ocr.serve import problems

CODES = {kind.code for kind in problems._every(GotOcrError)}
SECONDS = 10


def save(image: Image.Image, form: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    found = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", found)


def bare_png(width: int, height: int, *more: bytes, depth: int = 8, color: int = 2, data: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IDAT", data or zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + body + chunk(b"IEND", b"")


def seeds() -> dict[str, bytes]:
    noise = Image.effect_noise((60, 40), 80)
    colour = Image.merge("RGB", [noise, noise.rotate(180), noise])
    files = {
        "png": save(colour, "PNG"),
        "png16": save(Image.new("I;16", (60, 40), 40000), "PNG"),
        "pngp": save(colour.quantize(16), "PNG"),
        "jpeg": save(colour, "JPEG"),
        "progressive": save(colour, "JPEG", progressive=True),
        "cmyk": save(colour.convert("CMYK"), "JPEG"),
        "gif": save(colour.quantize(16), "GIF", save_all=True, append_images=[colour.quantize(8)]),
        "bmp": save(colour, "BMP"),
        "webp": save(colour, "WEBP"),
        "tiff": save(colour, "TIFF", compression="tiff_lzw", save_all=True, append_images=[noise]),
        "pdf": save(colour, "PDF"),
    }
    return files


def mutants(rng: random.Random) -> dict[str, bytes]:
    """Cut, flip, blow up and graft every seed."""
    made: dict[str, bytes] = {}
    for name, data in seeds().items():
        made[name] = data
        for part in (4, 12, len(data) // 3, len(data) // 2, len(data) - 3):
            made[f"{name} cut at {part}"] = data[:part]
        for at in range(6):
            flipped = bytearray(data)
            for _ in range(1 + 3 * at):
                flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            made[f"{name} flipped {at}"] = bytes(flipped)
        made[f"{name} followed"] = data + rng.randbytes(500)
        made[f"{name} preceded"] = rng.randbytes(7) + data
        made[f"{name} zeroed"] = data[:30] + b"\0" * (len(data) - 30)
        made[f"{name} of ones"] = data[:30] + b"\xff" * (len(data) - 30)
    return made


def special() -> dict[str, bytes]:
    made = {
        "empty": b"\0",
        "text": b"just words",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"/>',
        "html": b"<!doctype html><script>alert(1)</script>",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "psd": b"8BPS\0\1" + b"\0" * 40,
        "ico": b"\0\0\1\0\1\0\x10\x10\0\0" + b"\0" * 40,
        "zip": b"PK\x03\x04" + b"\0" * 40,
        "fits": b"SIMPLE  =                    T" + b" " * 80,
        "gif of no size": b"GIF89a\0\0\0\0\0\0\0;",
        "a bomb": bare_png(60_000, 60_000),
        "a long bomb": bare_png(100_000, 10),
        "a bomb of 1 bit": bare_png(29_000, 29_000, depth=1, color=0),
        "0 wide": bare_png(0, 10),
        "1 x 1": bare_png(1, 1, data=zlib.compress(b"\0\0\0\0")),
        "1 x 10000": bare_png(1, 10_000),
        "a bad crc": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0), 0),
        "no depth": bare_png(64, 64, depth=77),
        "a text bomb": bare_png(64, 64, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 50_000_000))),
        "a profile bomb": bare_png(64, 64, chunk(b"iCCP", b"k\0\0" + zlib.compress(b"\0" * 50_000_000))),
        "bad exif": save(Image.new("RGB", (64, 64)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
        "png and html": save(Image.new("RGB", (64, 64)), "PNG") + b"<script>alert(1)</script>",
        "png and zip": save(Image.new("RGB", (64, 64)), "PNG") + b"PK\x03\x04PK\x05\x06" + b"\0" * 18,
        "pdf header": b"%PDF-1.7\n",
        "pdf junk": b"%PDF-1.7\n" + bytes(range(256)) * 20,
        "tiff in circles": b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + b"\0" * 20,
        "tiff of many": b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 100,
        "bmp of much": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 29_999, 29_999, 1, 24, 0, 0, 0, 0, 0, 0),
        "jpeg of much": b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9",
        "webp of much": b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 8,
        "avif head": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf" + b"\0" * 40,
    }
    made.update(pdf_cases())
    return made


def pdf_cases() -> dict[str, bytes]:
    def document(page: str, more: str = "", root: str = "") -> bytes:
        return (
            f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R {root}>>endobj\n"
            f"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R {page}>>endobj\n"
            f"{more}\ntrailer<</Root 1 0 R>>\n"
        ).encode()

    small = "/MediaBox[0 0 100 50]"
    return {
        "pdf poster": document("/MediaBox[0 0 14400 14400]"),
        "pdf huge": document("/MediaBox[0 0 1e9 1e9]"),
        "pdf upside down": document("/MediaBox[100 50 0 0]"),
        "pdf of a point": document("/MediaBox[0 0 1 1]"),
        "pdf of no area": document("/MediaBox[0 0 0 0]"),
        "pdf turned": document(small + "/Rotate 90"),
        "pdf turned oddly": document(small + "/Rotate 45"),
        "pdf in units": document(small + "/UserUnit 1000"),
        "pdf cropped": document(small + "/CropBox[-500 -500 5000 5000]"),
        "pdf with script": document(small, root="/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
        "pdf that launches": document(small, root="/OpenAction<</S/Launch/F(/bin/sh)>>"),
        "pdf that calls": document(small, root="/OpenAction<</S/URI/URI(http://127.0.0.1/)>>"),
        "pdf of itself": document(small + "/Contents 3 0 R"),
        "pdf in circles": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>\n",
        "pdf of no page": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n",
        "pdf that lies": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 999999999>>endobj\ntrailer<</Root 1 0 R>>\n",
    }


def corpus() -> dict[str, bytes]:
    return {**mutants(random.Random(1)), **special()}


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus()) >= 150


def send(running: Running, files: dict[str, bytes]) -> dict[str, tuple[int, str, float]]:
    """Give (status, code, seconds) of every file."""

    async def run() -> dict[str, tuple[int, str, float]]:
        turns = asyncio.Semaphore(3)
        async with httpx.AsyncClient(base_url=running.url, timeout=60) as client:

            async def one(data: bytes) -> tuple[int, str, float]:
                async with turns:
                    began = time.monotonic()
                    answer = await client.post("/v1/ocr", json={"image": b64(data)})
                    check_leaks(answer.content)
                    told = answer.json()
                    code = told["error"]["code"] if "error" in told else ""
                    return answer.status_code, code, time.monotonic() - began

            found = await asyncio.gather(*(one(data) for data in files.values()))
        return dict(zip(files, found, strict=True))

    return asyncio.run(run())


def test_hostile_files_are_read_or_refused(shared: Running) -> None:
    """No 5xx, no dead model, a code from the one list, in time."""
    found = send(shared, corpus())
    wrong = {
        name: said
        for name, said in found.items()
        if said[0] not in (200, 413, 415, 422) or (said[0] != 200 and said[1] not in CODES) or said[2] > SECONDS
    }
    assert wrong == {}
    assert shared.metric("got_ocr_model_restarts") == 0
    assert shared.metric("got_ocr_bytes_held") == 0
    expected = {
        "svg": "unsupported_image_format",
        "eps": "unsupported_image_format",
        "zip": "unsupported_image_format",
        "a bomb": "image_too_many_pixels",
        "a long bomb": "image_too_many_pixels",
        "1 x 1": "image_too_small",
        "pdf junk": "pdf_corrupt",
        "pdf of no page": "pdf_corrupt",
        "pdf in circles": "page_render_failed",
        "png cut at 4": "unsupported_image_format",
    }
    assert {name: found[name][1] for name in expected} == expected
    for good in (
        "png",
        "jpeg",
        "gif",
        "tiff",
        "pdf",
        "png and html",
        "bad exif",
        "pdf with script",
        "pdf that launches",
    ):
        assert found[good][0] == 200, good


@pytest.mark.slow
def test_more_hostile_files(shared: Running) -> None:
    """Another two thousand mutants."""
    for seed in range(2, 15):
        found = send(shared, mutants(random.Random(seed)))
        wrong = {name: said for name, said in found.items() if said[0] not in (200, 413, 415, 422) or said[2] > SECONDS}
        assert wrong == {}, seed


def test_files_of_the_libraries_own_tests(shared: Running) -> None:
    """Read whatever collections of odd files this machine has."""
    folders = [Path(found) for found in ("/usr/share/pillow-tests", "/usr/share/pngsuite", "tests/corpus")]
    files = {str(path): path.read_bytes() for folder in folders if folder.is_dir() for path in folder.rglob("*.*")}
    if not files:
        pytest.skip("no collection of odd files is installed here")
    assert all(status < 500 for status, _, _ in send(shared, files).values())


def peak(pid: int) -> int:
    """Read the most memory that a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "progressive"])
def test_memory_of_the_largest_pictures(start: Start, mode: str) -> None:
    """At 49.9 megapixels: the decoder stays below 600 MB, the service grows by less than 50 MB."""
    size = (7064, 7064)
    if mode in ("CMYK", "progressive"):
        image = Image.new("CMYK" if mode == "CMYK" else "RGB", size, "white")
        data = save(image, "JPEG", progressive=mode == "progressive")
    else:
        data = save(Image.new(mode, size), "PNG", compress_level=1)
    running = start(decoders=1, decode_seconds=60)
    (decoder,) = running.children()["decode"]
    before = resident(running.process.pid)
    with running.client() as client:
        answer = client.post("/v1/ocr", json={"image": b64(data)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["readings"][0]["width"] == 7064
    grown = resident(running.process.pid) - before
    print(f"{mode}: decoder's peak {peak(decoder) / 1e6:.0f} MB, the service grew by {grown / 1e6:.0f} MB")
    assert peak(decoder) < 600e6
    assert grown < 50e6 + 2 * len(data)


def test_bombs_are_refused_at_once(shared: Running) -> None:
    """From the header alone: nothing is unpacked."""
    bombs = [bare_png(60_000, 60_000), bare_png(13_000, 13_000, data=zlib.compress(b"\0" * 13_001 * 1000))]
    took = []
    with shared.client() as client:
        client.post("/v1/ocr", json={"image": b64(bombs[0])})
        for bomb in bombs * 5:
            began = time.perf_counter()
            answer = client.post("/v1/ocr", json={"image": b64(bomb)})
            took.append(time.perf_counter() - began)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "image_too_many_pixels")
    print(f"bombs: {min(took) * 1000:.1f} ms at the least, {sorted(took)[len(took) // 2] * 1000:.1f} ms in the middle")
    assert min(took) < 0.05  # the least of several: what is measured is the work, not what else the machine does


def test_what_the_care_costs(shared: Running) -> None:
    """A JPEG of 2 megapixels: the whole way over HTTP against plain Pillow, the least of several."""
    image = Image.effect_noise((1632, 1224), 40).convert("RGB")
    data = save(image, "JPEG", quality=85)
    body = {"image": base64.b64encode(data).decode()}

    def plain() -> None:
        Image.open(io.BytesIO(data)).convert("RGB").load()

    with shared.client() as client:
        whole, alone = [], []
        for _ in range(15):
            began = time.perf_counter()
            assert client.post("/ocr", json=body).status_code == 200
            whole.append(time.perf_counter() - began)
            began = time.perf_counter()
            plain()
            alone.append(time.perf_counter() - began)
    print(f"whole way {min(whole) * 1000:.1f} ms, Pillow alone {min(alone) * 1000:.1f} ms")
    assert min(whole) - min(alone) < 0.1


def test_password_protected_documents(client: httpx.Client) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="making an encrypted PDF needs pikepdf")
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(save(Image.new("RGB", (80, 60), "white"), "PDF"))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="secret"))
    image = b64(out.getvalue())
    for password, status in ((None, 422), ("wrong", 422), ("secret", 200)):
        answer = client.post("/v1/ocr", json={"image": image, "password": password})
        assert answer.status_code == status
        if status != 200:
            assert answer.json()["error"]["code"] == "pdf_encrypted"


def test_too_many_pages_are_refused_and_a_range_is_read(start: Start) -> None:
    out = io.BytesIO()
    pages = [Image.new("1", (20, 20), 1) for _ in range(6)]
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    running = start(max_pages=5)
    with running.client() as client:
        refused = client.post("/ocr", json={"image": b64(out.getvalue())})
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_many_pages")
        assert len(client.post("/ocr", json={"image": b64(out.getvalue()), "pages": "2-6"}).json()["readings"]) == 5


def test_one_request_does_not_hold_everything(start: Start) -> None:
    """Pictures under multi_page are held decoded: what would be too much of them is refused."""
    image = b64(save(Image.new("L", (4000, 4000)), "PNG"))
    running = start(memory=120_000_000)
    with running.client() as client:
        assert client.post("/v1/ocr", json={"image": image}).status_code == 200
        answer = client.post("/v1/ocr", json={"images": [image] * 3, "multi_page": True})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert running.metric("got_ocr_bytes_held") == 0
