"""The house holds: arrows point one way, third parties stay behind their fences, files and functions stay small."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src" / "got_ocr"
FILES = sorted(path for path in ROOT.rglob("*.py"))

# What each room may import of ours; the corridor's own order is tested by name below.
ROOMS = {
    "model": {"errors", "spec", "model"},
    "render": {"errors", "render"},
    "table": {"errors", "columns", "lines", "shrink", "spec", "table"},
    "music": {"columns", "lines", "music", "shrink", "spec", "table"},
    "chart": {"columns", "errors", "labels", "lines", "shrink", "spec", "table", "task", "chart"},
    "molecule": {"columns", "errors", "labels", "lines", "shrink", "spec", "table", "task", "molecule"},
    "geometry": {"columns", "errors", "labels", "lines", "shrink", "spec", "table", "task", "geometry"},
    "data": {"errors", "task", "data", "music", "table", "tokenizer"},
    "train": {"errors", "spec", "task", "tokenizer", "prompt", "pixels", "cut", "data", "model", "train"},
    "eval": {"errors", "task", "image", "data", "eval"},
    "batch": {"__version__", "errors", "task", "reading", "image", "document", "formats", "render", "batch"},
    "bench": {"errors", "spec", "task", "image", "cut", "pixels", "generate", "backends", "model", "bench"},
    "backends": {"errors", "spec", "pixels", "model", "backends"},
}
CORRIDOR = {
    "errors": set(),
    "spec": set(),
    "task": {"errors"},
    "reading": set(),
    "sampling": set(),
    "tokenizer": {"errors"},
    "drafts": {"tokenizer"},
    "prompt": {"errors", "task", "tokenizer"},
    "profiles": {"errors", "prompt"},
    "formats": {"errors"},
    "pixels": set(),
    "columns": set(),
    "shrink": set(),
    "ground": {"shrink"},
    "bend": set(),
    "lines": {"columns", "ground", "bend", "shrink", "spec"},
    "labels": {"lines", "spec", "task"},
    "drawings": {"chart", "geometry", "labels", "molecule", "spec"},
    "equations": {"lines"},
    "figure": {"lines", "shrink", "spec"},
    "frame": {"shrink", "task", "tiles"},
    "asked": {"generate", "table"},
    "generate": {"backends", "drafts", "errors", "reading", "sampling"},
    "engine": {"backends", "errors", "generate"},
    "predictor": {
        "backends",
        "cut",
        "engine",
        "errors",
        "generate",
        "hub",
        "pixels",
        "profiles",
        "prompt",
        "spec",
        "task",
        "tokenizer",
    },
    "jobs": {"document", "errors", "image", "profiles", "reading", "task"},
    "hub": {"errors", "spec"},
}
FENCES = {
    "transformers": (),
    "argparse": ("cli/",),
    "typer": (),
    "fastapi": ("serve/",),
    "pydantic": ("serve/",),
    "ray": ("scale/",),
    "onnx": ("export/", "backends/onnx"),
    "onnxruntime": ("backends/onnx",),
    "openvino": ("export/openvino", "backends/openvino"),
    "gguf": ("export/gguf", "backends/gguf"),
    "verovio": ("render/", "data/"),
    "rdkit": ("render/", "data/", "eval/"),
    "pikepdf": ("batch/searchable.py",),
    "pypdfium2": ("pdf.py",),
    "huggingface_hub": ("hub.py",),
    "tiktoken": ("tokenizer.py",),
    "tokenizers": ("data/vocabulary.py",),
    "rich": ("cli/",),
    "cv2": ("chart/", "geometry/", "molecule/", "table/", "drawings.py", "data/"),
    "triton": ("model/gpu/",),
}
NO_TORCH = ("data", "render", "eval", "chart", "geometry", "molecule")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """List the modules that a file imports at run time, anywhere in it (imports for type checkers left out)."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "got_ocr" else set()
            found |= inner or {node.module}
    return found


def ours(path: Path) -> set[str]:
    return {module.split(".")[1] for module in imports(path) if module.startswith("got_ocr.")}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rooms_import_only_what_they_may(room: str) -> None:
    wrong = {name(p): ours(p) - ROOMS[room] for p in FILES if name(p).startswith(f"{room}/")}
    assert {file: extra for file, extra in wrong.items() if extra} == {}


def test_corridor_points_one_way() -> None:
    wrong = {file: ours(ROOT / f"{file}.py") - allowed for file, allowed in CORRIDOR.items()}
    assert {file: extra for file, extra in wrong.items() if extra} == {}


def test_third_parties_stay_behind_their_fences() -> None:
    wrong = [
        (name(path), package)
        for path in FILES
        for package in {module.split(".")[0] for module in imports(path)} & set(FENCES)
        if not name(path).startswith(FENCES[package])
    ]
    assert wrong == []


def test_data_render_and_eval_need_no_torch() -> None:
    wrong = [
        name(p)
        for p in FILES
        if name(p).split("/")[0] in NO_TORCH and any(m.split(".")[0] == "torch" for m in imports(p))
    ]
    assert wrong == []


def test_only_the_command_line_prints() -> None:
    wrong = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            if called and not name(path).startswith("cli/"):
                wrong.append(f"{name(path)}:{node.lineno}")
    assert wrong == []


def test_nothing_dangerous_is_called() -> None:
    """No pickle, no eval, no remote code: weights are safetensors, answers are data."""
    calls = {"eval", "exec", "compile", "__import__"}
    modules = {"pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"}
    wrong = []
    for path in FILES:
        wrong += [f"{name(path)} imports {m}" for m in imports(path) if m.split(".")[0] in modules]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in calls:
                wrong.append(f"{name(path)}:{node.lineno} {node.func.id}")
            if isinstance(node.func, ast.Attribute):
                owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
                bad = (owner, node.func.attr) in {("torch", "load"), ("torch", "save"), ("yaml", "load")}
                trusting = any(k.arg in ("trust_remote_code", "allow_pickle") for k in node.keywords)
                wrong += [f"{name(path)}:{node.lineno}"] if bad or trusting else []
    assert wrong == []


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in FILES:
        lines = path.read_text("utf-8").count("\n")
        wrong += [f"{name(path)}: {lines} lines"] if lines > 400 else []
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                wrong += [f"{name(path)}:{node.name} {length} lines"] if length > 60 else []
    assert wrong == []


def test_every_module_and_public_name_says_what_it_is() -> None:
    wrong = []
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        wrong += [] if ast.get_docstring(tree) else [name(path)]
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                wrong.append(f"{name(path)}:{node.name}")
    assert wrong == []
