"""The article's training script, the reference for `digitcli train`.

    python keras_train.py MNIST.npz

It is mended where today's Keras refuses it: AveragePooling2D wants its pool_size, the data are read
from a file instead of downloaded. All else is as in R. Alake, "Understanding and Implementing
LeNet-5 CNN Architecture (Deep Learning)", Towards Data Science, 2020: the validation pictures are
among the training pictures, Adam, five epochs, batches of 32.
"""

import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras

with np.load(sys.argv[1]) as data:
    train_x, train_y, test_x, test_y = (
        data[name] for name in ("x_train", "y_train", "x_test", "y_test")
    )
train_x = train_x / 255.0
test_x = test_x / 255.0
train_x = tf.expand_dims(train_x, 3)
test_x = tf.expand_dims(test_x, 3)
val_x = train_x[:5000]
val_y = train_y[:5000]

lenet_5_model = keras.models.Sequential(
    [
        keras.layers.Conv2D(
            6,
            kernel_size=5,
            strides=1,
            activation="tanh",
            input_shape=train_x[0].shape,
            padding="same",
        ),
        keras.layers.AveragePooling2D(pool_size=2),
        keras.layers.Conv2D(16, kernel_size=5, strides=1, activation="tanh", padding="valid"),
        keras.layers.AveragePooling2D(pool_size=2),
        keras.layers.Conv2D(120, kernel_size=5, strides=1, activation="tanh", padding="valid"),
        keras.layers.Flatten(),
        keras.layers.Dense(84, activation="tanh"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
lenet_5_model.compile(
    optimizer="adam", loss=keras.losses.sparse_categorical_crossentropy, metrics=["accuracy"]
)
lenet_5_model.fit(train_x, train_y, epochs=5, validation_data=(val_x, val_y))
loss, accuracy = lenet_5_model.evaluate(test_x, test_y)
print(f"test loss {loss:.4f} accuracy {accuracy:.4f}")
