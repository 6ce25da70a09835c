"""``digitcli info``: versions and where the weights come from."""

import contextlib
import json
import platform
import sys
from typing import Annotated

import typer

from digitcli._version import __version__
from digitcli.cli.options import ColorOption, WeightsOption
from digitcli.errors import ExitCode
from digitcli.output.console import Color, complain, console
from digitcli.output.text import printable

LIBRARIES = (
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "tensorflow",
    "keras",
)


def info(
    weights: WeightsOption = "lenet5",
    json_: Annotated[
        bool, typer.Option("--json", help="Print the weights' card as it is.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of classify's records.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check that what digitcli needs is here and works."),
    ] = False,
    color: ColorOption = Color.AUTO,
) -> ExitCode:
    """Show versions, the network's layers as the article lists them, and the weights' card."""
    if schema:
        from digitcli.output.records import json_schema

        print(json.dumps(json_schema(), indent=2))
        return ExitCode.OK
    if check:
        return _check(weights, as_json=json_)
    from digitcli.output.model_card import draw_card, draw_layers
    from digitcli.weights_folder import open_weights

    bundle = open_weights(weights)
    if json_:
        sys.stdout.write(bundle.card.to_json())
        return ExitCode.OK
    out = console(color)
    out.print(f"digitcli {__version__}, Python {sys.version.split()[0]}")
    out.print(", ".join(f"{name} {_version(name)}" for name in LIBRARIES))
    out.print()
    draw_layers(out, bundle.card.architecture)
    out.print()
    draw_card(out, bundle)
    return ExitCode.OK


def _check(weights: str, *, as_json: bool) -> ExitCode:
    """Show what was found, without Rich, which may be missing."""
    from digitcli.inference.self_check import check_everything
    from digitcli.process import settle_libraries

    with contextlib.suppress(ImportError):  # of OpenCV: it is among the findings
        settle_libraries()
    python = sys.version.split()[0]
    findings = []
    if not as_json:
        print(f"digitcli {__version__}, Python {python}, {platform.platform()}")
    for finding in check_everything(weights):
        findings.append(finding)
        if not as_json:
            detail = printable(finding.detail)
            print(f"{finding.status:7}  {printable(finding.name):22}  {detail}", flush=True)
    bad = [finding.name for finding in findings if finding.is_bad]
    if as_json:
        content = {
            "ok": not bad,
            "digitcli": __version__,
            "python": python,
            "platform": platform.platform(),
            "checks": [finding._asdict() for finding in findings],
        }
        print(json.dumps(content, indent=2))
    if bad:
        complain(f"not as it should be: {', '.join(bad)}")
    return ExitCode.UNUSABLE if bad else ExitCode.OK


def _version(library: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
