"""The enumerations of protocol.h: what messages are, what holds for them, and what they list."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from sidecar.observe.header import HEADER

_KIND = HEADER.enums["kind"]
_FLAG = HEADER.enums["flag"]
_LEVEL = HEADER.enums["level"]
_STANCE = HEADER.enums["stance"]
_SURVEY = HEADER.enums["survey_kind"]


class Kind(IntEnum):
    """`enum inscope_kind`: what a message is."""

    HELLO = _KIND["HELLO"]
    WELCOME = _KIND["WELCOME"]
    REFUSED = _KIND["REFUSED"]
    PATTERNS = _KIND["PATTERNS"]
    ACTOR = _KIND["ACTOR"]
    KNOWN = _KIND["KNOWN"]
    MODE = _KIND["MODE"]
    VERDICT = _KIND["VERDICT"]
    EXEC = _KIND["EXEC"]
    IMAGE = _KIND["IMAGE"]
    LOAD = _KIND["LOAD"]
    CODE_MEMORY = _KIND["CODE_MEMORY"]
    OPEN = _KIND["OPEN"]
    CONNECT = _KIND["CONNECT"]
    BIND = _KIND["BIND"]
    LISTEN = _KIND["LISTEN"]
    SYSCALL = _KIND["SYSCALL"]
    EXIT = _KIND["EXIT"]
    COUNTERS = _KIND["COUNTERS"]
    SURVEY = _KIND["SURVEY"]
    BYE = _KIND["BYE"]
    PROCESS = _KIND["PROCESS"]
    MODE_IS = _KIND["MODE_IS"]
    REPEATED = _KIND["REPEATED"]


class Flag(IntFlag):
    """`enum inscope_flag`: what holds for a message besides its kind."""

    HAS_FD = _FLAG["HAS_FD"]
    TRUNCATED = _FLAG["TRUNCATED"]
    UNREADABLE = _FLAG["UNREADABLE"]
    DENIED = _FLAG["DENIED"]
    MISMATCH = _FLAG["MISMATCH"]
    FOREIGN = _FLAG["FOREIGN"]
    FAILED = _FLAG["FAILED"]
    GUARD = _FLAG["GUARD"]
    OWN = _FLAG["OWN"]
    CUT = _FLAG["CUT"]


class Level(IntEnum):
    """`enum inscope_level`: how many opens init reports."""

    OFF = _LEVEL["OFF"]
    WATCHED = _LEVEL["WATCHED"]
    ALL = _LEVEL["ALL"]


class Stance(IntEnum):
    """`enum inscope_stance`: what init does about acts that are not known."""

    WATCHES = _STANCE["WATCHES"]
    ENFORCES = _STANCE["ENFORCES"]
    QUARANTINES = _STANCE["QUARANTINES"]
    FREEZES = _STANCE["FREEZES"]


class SurveyKind(IntEnum):
    """`enum inscope_survey_kind`: what a SURVEY message lists."""

    EXECUTABLES = _SURVEY["SURVEY_EXECUTABLES"]
    LIBRARIES = _SURVEY["SURVEY_LIBRARIES"]
    SECRETS = _SURVEY["SURVEY_SECRETS"]
    WRITABLE_CODE = _SURVEY["SURVEY_WRITABLE_CODE"]
    EGRESS = _SURVEY["SURVEY_EGRESS"]
    PORTS = _SURVEY["SURVEY_PORTS"]
    SYSCALLS = _SURVEY["SURVEY_SYSCALLS"]
