"""The detector: a small U-Net that finds the ink of digits in an image, and their middles.

O. Ronneberger, P. Fischer, T. Brox: U-Net. MICCAI 2015. It takes the image at 128×128 and halves it
four times, so that at 8×8 it sees the whole image at once: that a line is part of a grid, that a
stroke is part of a digit. On the way up the finer maps are added, not appended as in the article,
which halves the work.
"""

import keras
from keras import layers

from digitcli.architectures import DETECTOR_CHANNELS, DETECTOR_SIDE


def build() -> keras.Model:
    """Build the detector with fresh weights.

    Its input is float32 (n, 128, 128, 4), as `preprocessing.detection.network_input` makes it. Its
    output is two maps of probabilities, (n, 128, 128, 2): that a pixel is a digit's ink, and that
    it lies in the middle of a digit, which separates neighbouring digits.
    """
    image = layers.Input((DETECTOR_SIDE, DETECTOR_SIDE, DETECTOR_CHANNELS))
    maps = _convolve(image, 8)
    finer = []
    for width in (24, 40, 48, 48):
        finer.append(maps)
        maps = _convolve(_convolve(maps, width, strides=2), width)
    maps = _convolve(maps, 48)
    for skipped in reversed(finer):
        width = skipped.shape[-1]
        maps = layers.Conv2DTranspose(width, 2, strides=2, kernel_initializer="he_normal")(maps)
        maps = _convolve(layers.Add()([maps, skipped]), width)
    probabilities = layers.Conv2D(2, 1, activation="sigmoid")(maps)
    return keras.Model(image, probabilities, name="detector")


def _convolve(maps: keras.KerasTensor, width: int, strides: int = 1) -> keras.KerasTensor:
    return layers.Conv2D(
        width, 3, strides=strides, padding="same", activation="relu", kernel_initializer="he_normal"
    )(maps)
