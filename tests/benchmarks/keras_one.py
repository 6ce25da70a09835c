"""What a reader of the article would write: python keras_one.py NETWORK.keras PICTURE."""

import sys

import numpy as np
from keras.models import load_model
from PIL import Image

network = load_model(sys.argv[1])
picture = np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28))) / 255
print(network.predict(picture.reshape(1, 28, 28, 1), verbose=0).argmax())
