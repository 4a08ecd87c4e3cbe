"""Records out of JSON text, however it is laid out and cut into chunks, and whatever is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources import splitting
from controlplane.sources.splitting import BEGIN, Broken, Mark, Records

VALUES: list[Any] = [
    {"a": 1, "b": {"c": [1, {"d": 'br{ck"t]s'}]}},
    {"a": "\\", "items2": []},
    {"a": "\u2028ü\U0001f600 " + "x" * 500},
    {"deep": json.loads("[" * 20 + "]" * 20)},
    {"n": None, "t": [True, -1.5e3, "\n{"]},
]
LINE_BY_LINE = b"\n".join(json.dumps(each).encode() for each in VALUES)


def chunks(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def split(text: bytes, size: int = 1 << 18, start: Mark = BEGIN) -> list[tuple[bytes | Broken, Mark]]:
    records = Records(iter(chunks(text[start.offset :], size)), start)
    return [(record, records.mark) for record in records]


def values(found: list[tuple[bytes | Broken, Mark]]) -> list[Any]:
    """What was found, the members of a list that came as one record among them."""
    result: list[Any] = []
    for record, _ in found:
        if isinstance(record, Broken):
            result.append(record)
            continue
        value = json.loads(record)
        members = value if isinstance(value, list) else value.get("items")
        result += [value] if members is None else members
    return result


def layouts(members: list[Any]) -> dict[str, bytes]:
    listed = {"kind": "EventList", "metadata": {"a": []}, "items": members, "z": [{}], "more": "]}"}
    texts = {
        "lines": "\n".join(map(json.dumps, members)),
        "windows lines": "\r\n".join(map(json.dumps, members)) + "\r\n\r\n",
        "concatenated": "".join(map(json.dumps, members)),
        "indented one after another": "\n".join(json.dumps(each, indent=1) for each in members),
        "sequence": "".join(f"\x1e{json.dumps(each)}\n" for each in members),
        "array": json.dumps(members),
        "array by lines": "[\n" + ",\n".join(map(json.dumps, members)) + "\n]\n",
        "indented array": json.dumps(members, indent=2),
        "list": json.dumps(listed),
        "indented list": json.dumps(listed, indent=1),
        "two lists": json.dumps({"items": members[:2]}) + json.dumps({"items": members[2:]}, indent=1),
        "byte order mark": "\ufeff" + json.dumps(listed),
        "unescaped": "\n".join(json.dumps(each, ensure_ascii=False) for each in members[:2] + members[3:]),
    }
    return {name: text.encode() for name, text in texts.items()}


@pytest.mark.parametrize("size", [1, 2, 3, 17, 1 << 18])
@pytest.mark.parametrize("name", layouts(VALUES))
def test_every_layout_yields_its_records_however_it_is_cut_into_chunks(name: str, size: int) -> None:
    expected = VALUES[:2] + VALUES[3:] if name == "unescaped" else VALUES
    assert values(split(layouts(VALUES)[name], size)) == expected


@pytest.mark.parametrize("name", layouts(VALUES))
def test_reading_goes_on_from_each_mark_as_if_it_had_never_stopped(name: str) -> None:
    text = layouts(VALUES)[name]
    whole = split(text, 7)
    for number, (_, mark) in enumerate(whole, 1):
        assert Mark.parse(str(mark)) == mark
        assert split(text, 7, mark) == whole[number:]


@pytest.mark.parametrize("text", ["", "7", "x/between", "-1/between", "1/sideways", "²/lines", f"{10**30}/lines"])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Mark.parse(text)


@pytest.mark.parametrize(
    "bad",
    [
        b'{"a":{"b',
        b'{"a":[',
        b'{"a":',
        b'{"a":1,',
        b'":1}}',
        b'{"a":{"b":1}',
        b'{"a":1',
        b"{",
        b"\x00\xff\xfe",
        b"}}]]",
        b"null",
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 18])
def test_one_bad_line_in_front_costs_no_other(bad: bytes, size: int) -> None:
    found = values(split(bad + b"\n" + LINE_BY_LINE, size))
    assert [each for each in found if not isinstance(each, Broken)] == VALUES
    assert len(found) == len(VALUES) + 1


def test_a_bad_line_in_the_midst_is_handed_out_alone() -> None:
    lines = LINE_BY_LINE.split(b"\n")
    found = split(b"\n".join([*lines[:2], b'{"a":[', *lines[2:]]))
    assert [record for record, _ in found] == [*lines[:2], b'{"a":[', *lines[2:]]


@pytest.mark.parametrize("size", [1, 1 << 18])
def test_a_list_that_is_cut_off_keeps_what_came_before(size: int) -> None:
    text = json.dumps({"items": VALUES}, indent=1).encode()
    at = text.index(b'"deep"')
    assert values(split(text[:at], size)) == [*VALUES[:3], Broken("cut off within a record")]


def test_after_a_list_that_breaks_off_the_next_line_is_read() -> None:
    text = b'{"items":[\n' + b",\n".join(LINE_BY_LINE.split(b"\n")[:2]) + b"\n" + LINE_BY_LINE
    assert values(split(text)) == [*VALUES[:2], Broken("members without a comma between them"), *VALUES]
    text = b'[{"a":[1}]\n' + LINE_BY_LINE
    assert values(split(text)) == [Broken("brackets that do not match"), *VALUES]


@pytest.mark.parametrize("size", [1 << 10, 1 << 18])
@pytest.mark.parametrize(
    "large",
    [b'{"a":"%s"}' % (b"x" * 40_000), b'{"a":[%s]}' % b",".join([b"{}"] * 20_000), b'{"a":%s}' % (b"1" * 40_000)],
)
def test_a_record_that_is_too_large_is_passed_over(large: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MAX_VALUE", 10_000)
    monkeypatch.setattr(splitting, "MAX_LINE", 1_000)
    found = split(b'{"items":[{"b":1},' + large + b',{"b":2}]}', size)
    assert [record if isinstance(record, bytes) else type(record) for record, _ in found] in (
        [b'{"b":1}', Broken, b'{"b":2}'],
        [b'{"b":1}', large, b'{"b":2}'],  # it was read at once, and cost nothing
    )


def test_members_of_a_refused_list_are_counted_each() -> None:
    text = json.dumps({"kind": "PodList", "items": VALUES}, indent=1).encode()
    records = Records(iter([text]), BEGIN, lambda kind, version: f"a {kind}" if kind else "")
    assert list(records) == [Broken("a PodList")] * len(VALUES)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text('abc"\\{[\n', max_size=4), json_values, max_size=3)


@given(st.lists(objects, max_size=4), st.integers(1, 9), st.sampled_from([None, 0, 1]), st.booleans())
def test_any_objects_survive(members: list[Any], size: int, indent: int | None, listed: bool) -> None:
    document = {"kind": "EventList", "items": members} if listed else members
    assert values(split(json.dumps(document, indent=indent).encode(), size)) == members


@pytest.mark.fuzz
@given(st.text('{}[]",:\\\n a1', max_size=60), st.integers(1, 9))
def test_any_text_ends_and_no_line_that_is_a_record_after_a_blank_start_is_lost(noise: str, size: int) -> None:
    text = noise.encode() + b"\n" + b'{"kept":1}\n{"kept":2}\n'
    found = split(text, size)
    assert len(found) <= len(text)
    assert [mark.offset for _, mark in found] == sorted(mark.offset for _, mark in found)
