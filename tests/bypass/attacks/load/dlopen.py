"""A library is loaded by dlopen.

seen: load
enforce: prevented
"""

import ctypes

from given import given, run

run(lambda: ctypes.CDLL(given("DENIED_LIBRARY")))
