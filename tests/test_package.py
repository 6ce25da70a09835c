"""What is built is what a user needs and no more.

It works where nothing else is installed, with TensorFlow and without.
"""

import email
import os
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest
from documents import ROOT, blocks

import digitcli as library
from digitcli.weights_folder import open_weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel built from it."""
    place = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", place, ROOT)
    [sdist], [wheel] = place.glob("*.tar.gz"), place.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def clean(built, tmp_path_factory):
    """The command in a fresh environment, in a folder that holds nothing but the samples."""
    place = tmp_path_factory.mktemp("clean")
    return installed(place, f"python3 -m venv small && small/bin/pip install --quiet {built[1]}")


@pytest.fixture(scope="module")
def small(built, tmp_path_factory):
    """The same without TensorFlow, by docs/install.md's command."""
    command = command_without_tensorflow()
    place = tmp_path_factory.mktemp("small")
    return installed(place, command.replace("--no-deps . ", f"--no-deps {built[1]} "))


def command_without_tensorflow():
    [command] = [block for block in blocks("bash") if block.startswith("python3 -m venv small ")]
    return command.rstrip()


def installed(place, command):
    run("bash", "-c", command.replace("python3", sys.executable, 1), cwd=place)
    (place / "samples").symlink_to(ROOT / "tests" / "samples")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def digitcli(*args):
        return subprocess.run(
            [place / "small/bin/digitcli", *args],
            cwd=place,
            env=env,
            text=True,
            capture_output=True,
        )

    return digitcli


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_package_weights_and_data_and_nothing_else(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = {n for n in wheel.namelist() if ".dist-info/" not in n and ".data/" not in n}
    here = [
        path
        for room in ("digitcli", "weights")
        for path in (ROOT / room).rglob("*")
        if path.is_file()
    ]
    ours = {path.relative_to(ROOT).as_posix() for path in here if path.parent.name != "__pycache__"}
    assert names == {re.sub("^weights/", "digitcli/weights/", name) for name in ours}
    assert {
        "digitcli/py.typed",
        "digitcli/datasets/mnist.npz",
        "digitcli/output/templates/report.html",
        *(f"digitcli/synthesis/drawings/{n}.txt" for n in ("digits", "negatives", "detector")),
    } <= names
    assert {
        f"digitcli/weights/{name}/model.tflite" for name in ("detector", "lenet5", "lenet5-1998")
    } <= names


def test_the_wheel_puts_completions_and_man_pages_where_shells_look(built):
    with zipfile.ZipFile(built[1]) as wheel:
        shared = {n.partition(".data/data/")[2] for n in wheel.namelist() if ".data/" in n}
    package = ROOT / "digitcli"
    files = (path for path in (package / "share").rglob("*") if path.is_file())
    assert shared == {path.relative_to(package).as_posix() for path in files}
    assert {
        "share/bash-completion/completions/digitcli",
        "share/zsh/site-functions/_digitcli",
        "share/fish/vendor_completions.d/digitcli.fish",
        "share/man/man1/digitcli.1",
    } <= shared


def test_licences_travel_along(built):
    about = metadata(built)
    assert about["License-Expression"] == "MIT AND CC-BY-SA-3.0"
    assert about["Author"] == "digitcli contributors"
    files = about.get_all("License-File")
    assert files == ["LICENSE", "digitcli/datasets/MNIST.txt", "weights/LICENSE.txt"]
    with zipfile.ZipFile(built[1]) as wheel:
        for file in files:
            [name] = [n for n in wheel.namelist() if n.endswith(f".dist-info/licenses/{file}")]
            assert wheel.read(name) == (ROOT / file).read_bytes()


def test_the_sdist_holds_what_builds_and_tests_it(built):
    with tarfile.open(built[0]) as sdist:
        tops = {name.split("/")[1] for name in sdist.getnames()}
    assert tops == {
        "digitcli",
        "weights",
        "tests",
        "docs",
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "PKG-INFO",
        ".gitignore",
    }


def test_the_version_stands_in_one_place(built):
    assert metadata(built)["Version"] == library.__version__
    holders = [
        path
        for path in (ROOT / "digitcli").rglob("*.py")
        if re.search(r"^__version__ = ", path.read_text(), re.M)
    ]
    assert holders == [ROOT / "digitcli" / "_version.py"]
    assert not re.search(r"^version\s*=", (ROOT / "pyproject.toml").read_text(), re.M)


def test_a_clean_environment_reads_and_trains(clean):
    assert_reads_the_samples(clean)
    done = clean("export", "-o", "it.keras")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote it.keras\n", "")
    done = clean("train", "--epochs", "1", "--no-augment", "-o", "mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert clean("classify", "-w", "mine", "samples/7-red-marker.png").stdout.split("\t")[1] == "7"


def test_the_command_without_tensorflow_installs_all_else(built):
    [names] = re.findall(
        r"small/bin/pip install --quiet (?!--no-deps)(.*)$", command_without_tensorflow()
    )
    wanted = {
        re.match(r"[\w-]+", text)[0]
        for text in metadata(built).get_all("Requires-Dist")
        if "extra" not in text
    }
    assert {re.match(r"[\w-]+", name.strip("'"))[0] for name in names.split()} == wanted - {
        "tensorflow"
    }


def test_without_tensorflow_pictures_are_read_and_measured(small):
    assert_reads_the_samples(small)
    assert "tensorflow not installed" in small("info").stdout
    done = small("evaluate", "--report", "report.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{open_weights('lenet5').card.metrics['test_errors']} of 10,000" in done.stdout
    for options in ([], ["--png", "i.png"], ["--html", "i.html"]):
        done = small("inspect", "samples/4-chalk.jpg", *options)
        assert (done.returncode, done.stderr) == (0, "")
    done = small("export", "-f", "tflite", "-o", "it.tflite")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote it.tflite\n", "")
    done = small("info", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "missing  tensorflow " in done.stdout


@pytest.mark.parametrize(
    "line", ["train", "export -o it.keras", "export -f saved-model -o it", "export -f onnx -o it"]
)
def test_without_tensorflow_what_needs_it_says_what_to_install(line, small):
    done = small(*line.split())
    assert (done.returncode, done.stdout) == (3, "")
    assert (
        done.stderr
        == "digitcli: this needs TensorFlow, which is not installed: pip install tensorflow\n"
    )


def assert_reads_the_samples(digitcli):
    done = digitcli("classify", "-f", "jsonl", "--top", "3", "samples")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "tests" / "golden" / "classify-samples.jsonl").read_text(
        encoding="utf-8"
    )


def metadata(built):
    with zipfile.ZipFile(built[1]) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(wheel.read(name))
