"""The detector: a small U-Net (Ronneberger, Fischer, Brox 2015) that marks the ink of the digit in a picture.

It sees the picture at 128 x 128 and halves it four times, so that at 8 x 8 it knows what lies where
in the whole
picture: that a line is part of a grid, that a stroke is part of a digit. On the way up the finer
    maps are added, not
appended as the article does, which halves the work.
"""

import keras
from keras import layers

SIDE = 128
CHANNELS = 2  # see digitcli.preprocessing.detection.network_input


def build() -> keras.Model:
    """Give the untrained network: float32 (n, 128, 128, 2) in, the probability of ink (n, 128, 128, 1) out."""
    picture = layers.Input((SIDE, SIDE, CHANNELS))
    maps = _convolve(picture, 8)
    finer = []
    for width in (24, 40, 48, 48):
        finer.append(maps)
        maps = _convolve(_convolve(maps, width, strides=2), width)
    maps = _convolve(maps, 48)
    for skipped in reversed(finer):
        width = skipped.shape[-1]
        maps = layers.Conv2DTranspose(width, 2, strides=2, kernel_initializer="he_normal")(maps)
        maps = _convolve(layers.Add()([maps, skipped]), width)
    return keras.Model(picture, layers.Conv2D(1, 1, activation="sigmoid")(maps), name="detector")


def _convolve(maps: keras.KerasTensor, width: int, strides: int = 1) -> keras.KerasTensor:
    return layers.Conv2D(
        width, 3, strides=strides, padding="same", activation="relu", kernel_initializer="he_normal"
    )(maps)
