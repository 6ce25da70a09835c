"""Answers for people, a line each, so that they come as they are ready and no path is ever cut."""

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
    """Lay out answers for a console: the digit, how sure it is, the path, what speaks against it.

    Below it the likeliest digits and what the network saw, where these were asked for.
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
    confidence = "–" if prediction.confidence is None else f"{prediction.confidence:.2%}"
    line = Text.assemble((f"{digit:>5}", style), f"{confidence:>12}  ", printable(path))
    if prediction.reason is not None:
        status = prediction.status.value.replace("_", " ")
        line.append(f"  {status}: {printable(prediction.reason)}", style)
    return line
