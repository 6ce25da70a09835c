"""Answers for people, one a line: each is printed when it is ready, and no path is cut."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from digitcli.inference.classifier import Answer
from digitcli.output.pictures import HalfBlocks
from digitcli.output.records import Layout
from digitcli.output.text import printable
from digitcli.prediction import Prediction, Status

_STYLES = {
    Status.OK: "bold green",
    Status.UNSURE: "yellow",
    Status.NO_DIGIT: "yellow",
    Status.ERROR: "red",
}


def table(console: Console) -> Layout:
    """Return the layout of answers for a console: digit, confidence, path, and why there is none.

    The likeliest digits and the network's input follow below, where these were requested.
    """

    def draw(answer: Answer) -> str:
        with console.capture() as drawn:
            console.print(_line(answer.path, answer.prediction), soft_wrap=True)
            for ranked in answer.prediction.top:
                console.print(Text(f"{ranked.digit:5d}{ranked.probability:12.2%}", style="dim"))
            if answer.canvas is not None:
                console.print(Padding(HalfBlocks(answer.canvas), (0, 0, 1, 2), expand=False))
        return drawn.get()

    with console.capture() as heading:
        console.print(Text("digit  confidence  picture", style="bold"))
    return Layout(draw, head=heading.get())


def _line(path: str, prediction: Prediction) -> Text:
    style = _STYLES[prediction.status]
    digit = "?" if prediction.digit is None else str(prediction.digit)
    is_of_digit = prediction.confidence is not None and prediction.status is not Status.NO_DIGIT
    confidence = f"{prediction.confidence:.2%}" if is_of_digit else "–"
    line = Text.assemble((f"{digit:>5}", style), f"{confidence:>12}  ", printable(path))
    if prediction.reason is not None:
        status = prediction.status.value.replace("_", " ")
        line.append(f"  {status}: {printable(prediction.reason)}", style)
    return line
