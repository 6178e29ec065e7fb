"""Compile the kernels while the package is installed or packed. Without a compiler the package works without them."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelsHook(BuildHookInterface[Any]):
    """Build the library beside its sources and put it into the wheel, which then is for this kind of machine alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; a failure is told and changes nothing else. version: `standard` or `editable`."""
        if self.target_name != "wheel":
            return
        builder = _load(Path(self.root) / "src" / "got_ocr" / "model" / "native" / "build.py")
        library = builder.compile_library()
        if library is None:
            self.app.display_warning(
                "no compiled kernels (no C++ compiler, or another kind of machine): reading will be slower"
            )
        elif version == "standard":
            build_data["artifacts"].append(str(library.relative_to(self.root)))
            build_data["pure_python"] = False
            build_data["tag"] = "py3-none-linux_x86_64"


def _load(path: Path) -> Any:
    """Import one file: the package itself cannot be imported while it is built."""
    spec = importlib.util.spec_from_file_location("got_ocr_kernels_build", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
