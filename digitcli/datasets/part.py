"""Which part of a data set is meant."""

from typing import Literal

Part = Literal["train", "test"]
