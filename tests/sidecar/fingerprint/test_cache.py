"""When a hash may be used again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.fingerprint.cache import FileKey, HashCache

KEY = FileKey(1, 2, 3, 4, 5)


def test_what_the_workload_cannot_write_is_kept_for_good():
    cache = HashCache()
    cache.put(KEY, "abc", writable=False, hashed_at=0.0)
    assert cache.get(KEY, writable=False, now=1e9) == "abc"


@pytest.mark.parametrize(("then", "now"), [(True, True), (True, False), (False, True)])
def test_what_was_or_is_writable_is_shared_for_a_moment_only(then, now):
    cache = HashCache(share_s=1.0)
    cache.put(KEY, "abc", writable=then, hashed_at=10.0)
    assert cache.get(KEY, writable=now, now=10.9) == "abc"
    assert cache.get(KEY, writable=now, now=11.0) is None
    assert cache.get(KEY, writable=now, now=9.0) is None


@pytest.mark.parametrize("field", ["device", "inode", "size", "mtime_ns", "ctime_ns"])
def test_another_state_of_the_file_is_another_key(field):
    cache = HashCache()
    cache.put(KEY, "abc", writable=False, hashed_at=0.0)
    values = {name: getattr(KEY, name) for name in KEY.__slots__}
    assert cache.get(FileKey(**(values | {field: 99})), writable=False, now=0.0) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60), st.integers(1, 5))
def test_it_is_the_least_recently_used_that_goes(story, entries):
    cache, model = HashCache(entries), []
    for put, number in story:
        key = FileKey(0, number, 0, 0, 0)
        if put:
            cache.put(key, str(number), writable=False, hashed_at=0.0)
        hit = cache.get(key, writable=False, now=0.0)
        assert (hit is not None) == (put or number in model)
        if hit is not None:
            model = [*(one for one in model if one != number), number][-entries:]
    assert len(cache) == len(model)
