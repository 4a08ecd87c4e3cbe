"""A secret is read.

seen: open
enforce: prevented
"""

from given import given, run, show

run(lambda: show(given("SECRET")))
