"""What a reader of the article would write for many pictures.

Usage: ``python keras_folder.py NETWORK.keras FOLDER``.
"""

import sys
from pathlib import Path

import numpy as np
from keras.models import load_model
from PIL import Image

BATCH = 256

network = load_model(sys.argv[1])
paths = sorted(Path(sys.argv[2]).iterdir())
for start in range(0, len(paths), BATCH):
    batch = paths[start : start + BATCH]
    pictures = (
        np.stack([np.asarray(Image.open(path).convert("L").resize((28, 28))) for path in batch])
        / 255
    )
    for path, probabilities in zip(
        batch, network.predict_on_batch(pictures[..., np.newaxis]), strict=True
    ):
        print(path, np.argmax(probabilities), sep="\t")
