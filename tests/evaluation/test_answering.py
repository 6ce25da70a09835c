from pathlib import Path

import numpy as np

from digitcli.datasets.labelled import LabelledFiles, LabelledImages
from digitcli.evaluation.answering import answer_again, answer_files, answer_images
from digitcli.inference.classifier import Classifier
from digitcli.inference.network import Network
from digitcli.inputs.source import Source
from digitcli.parallel.processes import Isolation
from digitcli.prediction import Status

SAMPLES = Path(__file__).parents[1] / "samples"
NAMES = ["4-chalk.jpg", "two-digits.jpg", "blank-page.png", "nowhere.png"]


def answered():
    classifier = Classifier(with_canvas=True, with_probabilities=True)
    sources = [Source(str(SAMPLES / name)) for name in NAMES]
    files = LabelledFiles("samples", sources, np.array([4, 2, 3, 1]))
    return answer_files(classifier, files, jobs=1, isolation=Isolation())


def test_what_the_image_speaks_against_speaks_against_any_networks_answer() -> None:
    first = answered()
    again = answer_again(Network("lenet5-1998"), first, min_confidence=0.0)
    statuses = [prediction.status for prediction in again.predictions]
    assert statuses == [Status.OK, Status.NO_DIGIT, Status.NO_DIGIT, Status.ERROR]
    assert [prediction.reason for prediction in again.predictions] == [
        prediction.reason for prediction in first.answers.predictions
    ]
    assert again.predictions[1].digit is None


def test_the_other_network_has_its_own_confidence_and_threshold() -> None:
    first = answered()
    [ours, *_] = first.answers.predictions
    [theirs, *_] = answer_again(Network("lenet5-1998"), first, min_confidence=1.0).predictions
    assert (theirs.status, theirs.best_guess) == (Status.UNSURE, 4)
    assert theirs.confidence != ours.confidence


def test_arrays_are_all_answered() -> None:
    blank = LabelledImages(np.zeros((3, 28, 28), np.uint8), np.array([1, 2, 3]))
    answers = answer_images(Network(), blank, with_digests=True)
    assert {prediction.status for prediction in answers.answers.predictions} == {Status.OK}
    assert len(set(answers.digests)) == 1
