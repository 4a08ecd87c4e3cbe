"""Python imports a module that the attacker wrote: code that is only data to the kernel.

seen: nothing
enforce: missed
"""

import os
import sys

from given import run, work


def write(text):
    with open(work("plugin.txt"), "w") as file:
        file.write(text)
    os.rename(work("plugin.txt"), work("plugin.old"))


def attack():
    write("print('WON')")
    os.rename(work("plugin.old"), work("plugin.py"))
    sys.path.insert(0, os.environ["WORK"])
    __import__("plugin")


run(attack, lambda: write(""))
