"""Errors that are reported to the user, each kind with its exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The command's exit status; scripts rely on these numbers."""

    OK = 0
    INPUT_FAILED = 1  # at least one input failed; the others were processed
    USAGE = 2
    UNUSABLE = 3  # the weights, the data set or the environment cannot be used
    INTERRUPTED = 130


class DigitcliError(Exception):
    """An error whose text is one line for the user: what happened, to which file, what to do."""

    exit_code = ExitCode.UNUSABLE


class ImageError(DigitcliError):
    """One image cannot be read; others can."""

    exit_code = ExitCode.INPUT_FAILED


class WeightsError(DigitcliError):
    """A weights folder is missing, damaged or not made for this version."""


class DataError(DigitcliError):
    """A data set is missing, damaged, too small or not labelled."""


class MissingLibraryError(DigitcliError):
    """A library that only this command needs is not installed."""


class OutputError(DigitcliError):
    """Output cannot be written where the user asked for it."""
