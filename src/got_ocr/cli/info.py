"""`got-ocr info`: version, devices, models found."""

import argparse
import json
import platform


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("info", help="print version, devices and the models found")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    import torch

    from got_ocr import __version__, hub

    devices = ["cpu"] + [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    devices += ["mps"] if torch.backends.mps.is_available() else []
    models = [{"name": m.name, "origin": m.origin, "path": str(m.path)} for m in hub.found_models()]
    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "devices": devices,
        "models": models,
    }
    if args.json:
        print(json.dumps(facts, indent=1))
        return 0
    for key in ("version", "python", "torch", "threads"):
        print(f"{key:8} {facts[key]}")
    for device in devices:
        print(f"device   {device}")
    for model in models:
        print(f"model    {model['name']} ({model['origin']}) {model['path']}")
    print("`got-ocr read` takes the first model unless --model names another." if models else "no model was found")
    return 0
