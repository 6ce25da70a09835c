"""The house stands: imports go down, heavy libraries stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import digitcli

PACKAGE = Path(digitcli.__file__).parent

GROUND = ("architectures", "errors", "prediction", "bundle", "quiet", "writing", "training.recipe")
FLOORS = [
    GROUND,
    ("imaging",),
    ("inference", "datasets", "networks"),
    ("training", "evaluation", "output"),
    ("cli",),
]
# The library's face shows what lies below it, and the command's entry opens the door of the top
# floor.
OUTSIDE = ("", "__main__")
HEAVY = {
    "numpy",
    "PIL",
    "cv2",
    "ai_edge_litert",
    "tensorflow",
    "keras",
    "h5py",
    "matplotlib",
    "jinja2",
}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor(module: str) -> int:
    """The floor of a module; the most exact name decides, so training.recipe is on the ground."""
    names = [module.rsplit(".", cut)[0] for cut in range(module.count(".") + 1)]
    for name in names:
        for level, rooms in enumerate(FLOORS):
            if name in rooms:
                return level
    raise AssertionError(f"{module} is in no room of the house")


def imported(path: Path) -> set[str]:
    """The modules of digitcli that a file imports, at whatever level."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names.add(module)
            names |= {
                f"{module}.{alias.name}"
                for alias in node.names
                if (PACKAGE.parent / module.replace(".", "/")).is_dir()
            }
    return {name.removeprefix("digitcli.") for name in names if name.startswith("digitcli.")}


def sources() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if module_name(p) not in OUTSIDE]


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_imports_only_go_down(path: Path) -> None:
    here = module_name(path)
    modules = {module_name(p) for p in sources()}
    for name in imported(path) & modules:
        assert floor(name) <= floor(here), f"{here} imports {name}, a floor up"


def test_packages_import_nothing() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        if path.parent != PACKAGE:
            assert path.read_text() == "", f"{path} is not empty"


def test_the_ground_floor_needs_no_numpy() -> None:
    modules = ", ".join(
        f"digitcli.{name}" for name in GROUND if (PACKAGE / f"{name.replace('.', '/')}.py").exists()
    )
    assert heavy_after(f"import {modules}") == set()


def heavy_after(code: str) -> set[str]:
    """The heavy libraries that are loaded after running some code in a fresh process."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\ntry:\n {code}\nfinally:\n print('loaded:', *sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = done.stdout.splitlines()[-1]
    assert loaded.startswith("loaded:"), done.stderr
    return HEAVY & set(loaded.split())


def command(*args: str) -> str:
    return f"sys.argv = {['digitcli', *args]!r}; from digitcli.__main__ import main; main()"


@pytest.mark.parametrize(
    "name",
    [[], ["evaluate"], ["export"], ["info"], ["inspect"]],
    ids=lambda n: " ".join(n) or "digitcli",
)
def test_help_loads_nothing_heavy(name: list[str]) -> None:
    assert heavy_after(command(*name, "--help")) == set()


def test_importing_the_library_loads_nothing_heavy() -> None:
    assert heavy_after("import digitcli") == set()


def test_evaluate_loads_no_tensorflow() -> None:
    loaded = heavy_after(command("evaluate"))
    assert "ai_edge_litert" in loaded
    assert not loaded & {"tensorflow", "keras", "h5py", "matplotlib", "jinja2"}


@pytest.mark.parametrize(
    "files", [[], ["--html", "i.html", "--png", "i.png"]], ids=["drawn", "written"]
)
def test_inspect_loads_no_tensorflow(files: list[str], tmp_path: Path) -> None:
    picture = Path(__file__).parent / "samples" / "7-red-marker.png"
    loaded = heavy_after(
        command("inspect", str(picture), *(str(tmp_path / f) if "." in f else f for f in files))
    )
    assert "ai_edge_litert" in loaded
    assert not loaded & {"tensorflow", "keras", "h5py"}
    assert bool(loaded & {"matplotlib", "jinja2"}) == bool(files)
