"""``digitcli classify``: read the digits in pictures."""

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from digitcli._version import __version__
from digitcli.atomic import open_stream
from digitcli.cli.options import (
    AsIsOption,
    ColorOption,
    Invert,
    InvertOption,
    JobsOption,
    MaxPixelsOption,
    MinConfidenceOption,
    TimeoutOption,
    WeightsOption,
    isolation_of_command,
)
from digitcli.cli.outputs import is_standard_output, spare_inputs
from digitcli.errors import DigitcliError, ExitCode
from digitcli.inputs.discovery import refuse_listed_input
from digitcli.inputs.source import MAX_PIXELS, MAX_SECONDS
from digitcli.output.console import Color, complain, console
from digitcli.output.record_format import RecordFormat
from digitcli.output.writer import write_records
from digitcli.prediction import Status
from digitcli.weights_folder import MODEL

if TYPE_CHECKING:
    from digitcli.inference.classifier import Answer
    from digitcli.output.partial_records import PartialRecords
    from digitcli.output.records import Layout


def classify(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...", help="Pictures, folders of pictures, - for one picture on stdin."
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Go down into folders.")
    ] = False,
    files_from: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Read paths from FILE too, one a line; - is stdin."),
    ] = None,
    null: Annotated[
        bool, typer.Option("--null", "-0", help="The paths in FILE end in NUL.")
    ] = False,
    format_: Annotated[
        RecordFormat,
        typer.Option("--format", "-f", help="auto is a table on a terminal, else tsv."),
    ] = RecordFormat.AUTO,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to FILE; the records are in FILE.partial until all are there.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with FILE.partial; pictures read before are not again."
        ),
    ] = False,
    header: Annotated[
        bool, typer.Option("--header", help="Begin tsv with the names of the columns.")
    ] = False,
    print0: Annotated[
        bool,
        typer.Option("--print0", "-Z", help="End tsv and digit records in NUL, with raw paths."),
    ] = False,
    top: Annotated[
        int,
        typer.Option(
            min=0, max=10, metavar="K", help="List the K likeliest digits.", show_default=False
        ),
    ] = 0,
    min_confidence: MinConfidenceOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 also where a picture got no digit.")
    ] = False,
    as_is: AsIsOption = False,
    invert: InvertOption = Invert.AUTO,
    show: Annotated[bool, typer.Option("--show", help="Draw what the network saw.")] = False,
    weights: WeightsOption = "lenet5",
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    jobs: JobsOption = None,
    timeout: TimeoutOption = MAX_SECONDS,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Say on stderr where only the first of several pictures was read, and what was "
            "passed over.",
        ),
    ] = False,
    color: ColorOption = Color.AUTO,
) -> ExitCode:
    """Read the digit in each picture.

    Answers come in the order of the pictures, each as soon as it is there.
    What cannot be read is said on stderr and costs the others nothing.

    Exit status: 0 all read, 1 some failed, 2 wrong usage, 3 weights or output unusable.
    """
    given = paths or []
    if output is not None and is_standard_output(output):
        output = None
    on_terminal = output is None and sys.stdout.isatty()
    if format_ is RecordFormat.AUTO:
        format_ = RecordFormat.TABLE if on_terminal or show else _format_named(output)
    _check(given, files_from, format_, null=null, print0=print0, top=top, show=show)
    _check_output(output, format_, header=header, resume=resume)

    from digitcli.inference.classifier import Classifier
    from digitcli.inputs.discovery import Tally, find_sources
    from digitcli.parallel.cores import default_jobs
    from digitcli.process import settle_libraries

    settle_libraries()
    tally = Tally()
    chunks = find_sources(given, listing=files_from, null=null, recursive=recursive, tally=tally)
    classifier = Classifier(
        weights,
        as_is=as_is,
        invert=invert.value,
        min_confidence=min_confidence,
        top=top,
        max_pixels=max_pixels,
        with_canvas=show,
        with_note=verbose,
    )
    if output is not None:
        spare_inputs([output], [*given, *filter(None, [files_from])], [classifier.network.weights])
    if format_ is RecordFormat.TABLE:
        from digitcli.output.tables import table

        form = table(console(color if output is None else Color.NEVER))
    else:
        from digitcli.output.records import layout

        form = layout(format_, header=header, null=print0, top=top > 0, terminal=on_terminal)
    decisive = {
        "digitcli": __version__,
        "weights": classifier.network.card.files[MODEL],
        "--format": format_.value,
        "--header": header,
        "--print0": print0,
        "--top": top,
        "--min-confidence": classifier.min_confidence,
        "--as-is": as_is,
        "--invert": invert.value,
        "--max-pixels": max_pixels,
    }
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        partial = None
        if output is None:
            target = _Target(sys.stdout.fileno(), "standard output")
        elif (stream := open_stream(output)) is not None:
            stack.callback(os.close, stream)
            target = _Target(stream, str(output))
        else:
            from digitcli.output.partial_records import PartialRecords, record_reader

            reader = record_reader(format_, null=print0)
            partial = PartialRecords(output, form.head, reader, decisive)
            target = _Target(partial.open(resume=resume), str(partial.partial))
            stack.enter_context(_finished(partial))
            if output.exists():
                chunks = refuse_listed_input(output, chunks)
            chunks = partial.unanswered(chunks)
        answers = classifier.answer_all(
            chunks,
            jobs=jobs or default_jobs(),
            isolation=isolation_of_command(timeout, plain_too=jobs is not None),
        )
        answers = stack.enter_context(contextlib.closing(answers))
        # answers that run over the screen are progress enough
        if sys.stderr.isatty() and not on_terminal:
            from digitcli.output.progress import show_progress

            shown = show_progress(answers, tally, console(color, stderr=True))
            answers = stack.enter_context(contextlib.closing(shown))
        if partial is None or not partial.resumed:
            write_records(target.descriptor, [form.head], target.name)
        counts = _write(form, answers, target)
        if partial is not None:
            counts += partial.counts
    if verbose and tally.passed_over:
        from digitcli.inputs.discovery import describe_passed_over

        complain(f"passed over: {describe_passed_over(tally.passed_over)}")
    total = sum(counts.values())
    if total > 1 and sys.stderr.isatty():
        from digitcli.output.progress import summary

        print(summary(counts, time.monotonic() - started), file=sys.stderr)
    failed = counts[Status.ERROR] > 0 or (strict and counts[Status.OK] < total)
    return ExitCode.INPUT_FAILED if failed else ExitCode.OK


class _Target(NamedTuple):
    """Where the records go: a descriptor, and its name for errors."""

    descriptor: int
    name: str


@contextlib.contextmanager
def _finished(partial: "PartialRecords") -> Iterator[None]:
    """Rename the file at the end of the block; where the block fails, report what is kept."""
    kept = f"what was done is in {partial.partial}"
    if partial.can_resume:
        kept += ", --resume goes on with it"
    try:
        yield
    except DigitcliError as error:
        raise type(error)(f"{error}; {kept}" if partial.abandon() else str(error)) from error
    except BaseException:
        if partial.abandon():
            complain(f"stopped; {kept}")
        raise
    partial.finish()


def _write(form: "Layout", answers: Iterable[list["Answer"]], target: _Target) -> Counter[Status]:
    """Write all answers, and to stderr what is wrong with an image; count the statuses."""
    counts: Counter[Status] = Counter()
    between = ""
    for batch in answers:
        records = []
        for answer in batch:
            records.append(between + form.record(answer))
            between = form.between
            counts[answer.prediction.status] += 1
        write_records(target.descriptor, records, target.name)
        for answer in batch:
            if answer.prediction.status is Status.ERROR:
                complain(f"{answer.path}: {answer.prediction.reason}")
            elif answer.note:
                complain(f"{answer.path}: {answer.note}")
    write_records(target.descriptor, [form.tail], target.name)
    return counts


def _format_named(output: Path | None) -> RecordFormat:
    """Return the format that a file's ending asks for."""
    endings = {".csv": RecordFormat.CSV, ".json": RecordFormat.JSON}
    endings |= {".jsonl": RecordFormat.JSONL, ".ndjson": RecordFormat.JSONL}
    return endings.get(output.suffix.lower() if output else "", RecordFormat.TSV)


def _check_output(
    output: Path | None, format_: RecordFormat, *, header: bool, resume: bool
) -> None:
    if header and format_ not in (RecordFormat.TSV, RecordFormat.CSV):
        raise typer.BadParameter("--header goes with the format tsv; csv always has one")
    if resume and output is None:
        raise typer.BadParameter("--resume goes on with the file of --output, which is not given")
    if resume and format_ not in (RecordFormat.TSV, RecordFormat.CSV, RecordFormat.JSONL):
        raise typer.BadParameter("--resume goes with the formats tsv, csv and jsonl")


def _check(
    paths: list[str],
    files_from: str | None,
    format_: RecordFormat,
    *,
    null: bool,
    print0: bool,
    top: int,
    show: bool,
) -> None:
    """Refuse what contradicts itself."""
    from_stdin = paths.count("-") + (files_from == "-")
    if not paths and files_from is None:
        raise typer.BadParameter("give pictures, folders, - for stdin, or --files-from")
    if from_stdin > 1:
        raise typer.BadParameter("standard input can be read once only")
    if null and files_from is None:
        raise typer.BadParameter("--null is about --files-from, which is not given")
    if print0 and format_ not in (RecordFormat.TSV, RecordFormat.DIGIT):
        raise typer.BadParameter("--print0 goes with the formats tsv and digit")
    if top and format_ is RecordFormat.DIGIT:
        raise typer.BadParameter("--top has no place in the format digit")
    if show and format_ is not RecordFormat.TABLE:
        raise typer.BadParameter("--show draws in the table; give no other --format")
