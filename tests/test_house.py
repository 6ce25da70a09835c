"""The house stands: imports go down, and heavy libraries stay in the rooms they belong to."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import digitcli

PACKAGE = Path(digitcli.__file__).parent

# From the bottom up. A file may import what lies below its floor, and what is in its own room.
FLOORS = [
    {"_version", "architectures", "atomic", "errors", "prediction", "process", "training.recipe"},
    {"inputs", "networks", "weights_folder"},
    {"datasets", "parallel", "runtime"},
    {"preprocessing"},
    {"evaluation", "inference", "synthesis"},
    {"export", "output", "training"},
    {"cli"},
]
# On one floor: who knows whom.
NEIGHBOURS = {
    ("atomic", "errors"),
    ("training.recipe", "errors"),
    ("export", "training"),
    ("evaluation", "inference"),
    ("parallel", "worker"),
}
# The library's face shows what lies below it, and the command's entry opens the door of the top.
OUTSIDE = ("", "__main__")

# Who may import what, and nobody else.
KERAS = {"networks", "training", "export", "cli.load_tensorflow"}
HEAVY = {
    "tensorflow": KERAS,
    "keras": KERAS,
    "h5py": {"networks"},
    "ai_edge_litert": {"runtime"},
    "matplotlib": {"output.plots"},
    "jinja2": {"output.html"},
    "PIL": {"inputs", "inference", "synthesis"},
    "cv2": {"process", "inputs", "preprocessing", "synthesis", "training", "output"},
}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names(module: str) -> list[str]:
    """A module's own name and those of the rooms around it, the most exact first."""
    return [module.rsplit(".", cut)[0] for cut in range(module.count(".") + 1)]


def room_of(module: str) -> tuple[int, str]:
    """The floor and the room of a module; the most exact name decides."""
    for name in names(module):
        for level, rooms in enumerate(FLOORS):
            if name in rooms:
                return level, name
    raise AssertionError(f"{module} is in no room of the house")


def imports(path: Path) -> set[str]:
    """All that a file imports, at whatever level: modules, and names in them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return found


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
FILES = {module: path for module, path in PATHS.items() if module not in OUTSIDE}


def imported_files(module: str) -> set[str]:
    """The modules of digitcli, not their packages, that a module imports."""
    ours = {name.removeprefix("digitcli.") for name in imports(PATHS[module])}
    return {name for name in ours & set(FILES) if PATHS[name].name != "__init__.py"}


def wrong_import(module: str, imported: str) -> str | None:
    """What is wrong with an import, if anything."""
    (floor, room), (below, other) = room_of(module), room_of(imported)
    if below > floor:
        return f"{module} imports {imported}, a floor up"
    if below == floor and room != other and (room, other) not in NEIGHBOURS:
        return f"{module} imports {imported}, across the floor"
    return None


@pytest.mark.parametrize("module", FILES)
def test_imports_only_go_down(module: str) -> None:
    assert not [w for name in imported_files(module) if (w := wrong_import(module, name))]


def test_an_import_that_does_not_go_down_is_noticed() -> None:
    assert wrong_import("inputs.decoding", "parallel")
    assert wrong_import("training.run", "output.plots")
    assert wrong_import("training.recipe", "training.run")
    assert not wrong_import("training.run", "training.recipe")


def circles(graph: dict[str, set[str]]) -> set[str]:
    """The modules that lie on or lead only into circles: what is left when all others are gone."""
    left = dict(graph)
    while done := [name for name, known in left.items() if not known & set(left)]:
        for name in done:
            del left[name]
    return set(left)


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"a", "b", "c"}
    assert circles({module: imported_files(module) for module in FILES}) == set()


@pytest.mark.parametrize("library", HEAVY)
def test_heavy_libraries_stay_in_their_rooms(library: str) -> None:
    users = {
        module
        for module, path in PATHS.items()
        if any(name.partition(".")[0] == library for name in imports(path))
    }
    assert users
    assert not [user for user in users if not HEAVY[library] & set(names(user))]


# What workers are doing, and what a search of folders has found so far.
CHANGING = {"Task", "Worker", "Tally"}


def records(path: Path) -> dict[str, dict[str, bool]]:
    """The data classes of a file, and the options of each."""
    return {
        node.name: {
            str(option.arg): ast.literal_eval(option.value) for option in decorator.keywords
        }
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "dataclass"
    }


def test_records_have_slots_and_stay_as_they_are() -> None:
    found = {name: options for path in FILES.values() for name, options in records(path).items()}
    assert len(found) > 20
    assert {name for name, options in found.items() if not options.get("slots")} == set()
    assert {name for name, options in found.items() if not options.get("frozen")} == CHANGING


def test_packages_import_nothing() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        if path.parent != PACKAGE:
            assert path.read_text() == "", f"{path} is not empty"


def test_the_ground_floor_needs_no_numpy() -> None:
    ground = ", ".join(f"digitcli.{name}" for name in sorted(FLOORS[0]))
    assert heavy_after(f"import {ground}") == set()


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
    return ({"numpy"} | set(HEAVY)) & set(loaded.split())


def command(*args: str) -> str:
    return f"sys.argv = {['digitcli', *args]!r}; from digitcli.__main__ import main; main()"


@pytest.mark.parametrize(
    "name",
    [[], ["classify"], ["evaluate"], ["export"], ["info"], ["inspect"], ["train"]],
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
