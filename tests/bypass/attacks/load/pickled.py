"""A model file that is a pickle runs code when it is read.

seen: nothing
enforce: missed
"""

import os
import pickle

from given import run, work


class Model:
    def __reduce__(self):
        return os.write, (1, b"WON\n")


def attack():
    with open(work("model.bin"), "wb") as file:
        pickle.dump(Model(), file)
    with open(work("model.bin"), "rb") as file:
        pickle.load(file)


run(attack)
