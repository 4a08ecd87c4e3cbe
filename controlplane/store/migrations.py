"""The SQLite schema: one script per version, counted by `PRAGMA user_version`. Scripts that landed never change."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE workload (
        workload   TEXT PRIMARY KEY,
        mode       TEXT NOT NULL,
        first_seen REAL NOT NULL,
        last_seen  REAL NOT NULL
    ) STRICT;

    CREATE TABLE instance (
        number       INTEGER PRIMARY KEY,
        id           TEXT NOT NULL UNIQUE,
        workload     TEXT NOT NULL,
        first_seen   REAL NOT NULL,
        last_seen    REAL NOT NULL,
        epoch        TEXT NOT NULL,
        sequence     INTEGER NOT NULL,
        mode         TEXT NOT NULL,
        acknowledged TEXT NOT NULL,
        coverage     TEXT NOT NULL,
        exit_status  INTEGER NOT NULL,
        rejected     INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX instance_of_workload ON instance (workload);

    CREATE TABLE entry (
        workload   TEXT NOT NULL,
        dimension  TEXT NOT NULL,
        value      TEXT NOT NULL,
        label      TEXT NOT NULL,
        first_seen REAL NOT NULL,
        last_seen  REAL NOT NULL,
        count      INTEGER NOT NULL,
        sessions   INTEGER NOT NULL,
        instances  TEXT NOT NULL,
        source     TEXT NOT NULL,
        standing   TEXT NOT NULL,
        PRIMARY KEY (workload, dimension, value)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE version (
        workload TEXT NOT NULL,
        kind     TEXT NOT NULL,
        version  INTEGER NOT NULL,
        PRIMARY KEY (workload, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE capability (
        workload    TEXT NOT NULL,
        kind        TEXT NOT NULL,
        members     TEXT NOT NULL,
        surveyed_at REAL NOT NULL,
        complete    INTEGER NOT NULL,
        PRIMARY KEY (workload, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE finding (
        workload TEXT NOT NULL,
        position INTEGER NOT NULL,
        id       TEXT NOT NULL,
        kind     TEXT NOT NULL,
        reference TEXT NOT NULL,
        version  INTEGER NOT NULL,
        held     INTEGER NOT NULL,
        used     INTEGER NOT NULL,
        latent   INTEGER NOT NULL,
        examples TEXT NOT NULL,
        tripwire TEXT NOT NULL,
        armed    INTEGER NOT NULL,
        reason   TEXT NOT NULL,
        sentence TEXT NOT NULL,
        since    REAL NOT NULL,
        PRIMARY KEY (workload, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE series (
        series TEXT PRIMARY KEY,
        number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE alert (
        number     INTEGER PRIMARY KEY,
        id         TEXT NOT NULL UNIQUE,
        workload   TEXT NOT NULL,
        time       REAL NOT NULL,
        last_seen  REAL NOT NULL,
        agent      TEXT NOT NULL,
        tripwire   TEXT NOT NULL,
        crossed    TEXT NOT NULL,
        behaviour  TEXT NOT NULL,
        ancestry   TEXT NOT NULL,
        verdict    TEXT NOT NULL,
        techniques TEXT NOT NULL,
        rank       INTEGER NOT NULL,
        sentence   TEXT NOT NULL,
        count      INTEGER NOT NULL,
        trace_id   TEXT NOT NULL,
        approved   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX alert_of_workload ON alert (workload, last_seen);
    CREATE INDEX alert_by_time ON alert (last_seen);

    CREATE TABLE mode_change (
        number   INTEGER PRIMARY KEY,
        workload TEXT NOT NULL,
        time     REAL NOT NULL,
        mode     TEXT NOT NULL,
        by       TEXT NOT NULL,
        forced   INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX mode_change_of_workload ON mode_change (workload);

    CREATE TABLE binary (
        sha256      TEXT PRIMARY KEY,
        path        TEXT NOT NULL,
        build_id    TEXT NOT NULL,
        soname      TEXT NOT NULL,
        needed      TEXT NOT NULL,
        interpreter TEXT NOT NULL,
        linkage     TEXT NOT NULL,
        size        INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE join_token (
        token_sha256 TEXT PRIMARY KEY,
        workload     TEXT NOT NULL,
        instance     TEXT NOT NULL,
        mode         TEXT NOT NULL,
        expires      REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    # A token that nobody redeems is the only trace of its run: when it was issued is when the run began.
    """
    ALTER TABLE join_token ADD COLUMN issued REAL NOT NULL DEFAULT 0;
    UPDATE join_token SET issued = max(expires - 600, 0);
    CREATE INDEX join_token_of_workload ON join_token (workload, issued);
    """,
    # What is in force by init's own word, who is contained, what was ordered and why, and what enforce denies.
    """
    ALTER TABLE instance ADD COLUMN containment TEXT NOT NULL DEFAULT 'free';
    ALTER TABLE instance ADD COLUMN in_force_since REAL NOT NULL DEFAULT 0;
    ALTER TABLE instance ADD COLUMN refused TEXT NOT NULL DEFAULT '';
    ALTER TABLE instance ADD COLUMN lapsed REAL NOT NULL DEFAULT 0;

    CREATE TABLE denial (
        workload   TEXT NOT NULL,
        behaviour  TEXT NOT NULL,
        first_seen REAL NOT NULL,
        last_seen  REAL NOT NULL,
        count      INTEGER NOT NULL,
        denied     INTEGER NOT NULL,
        PRIMARY KEY (workload, behaviour)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE containment (
        workload    TEXT NOT NULL,
        instance    TEXT NOT NULL,
        containment TEXT NOT NULL,
        PRIMARY KEY (workload, instance)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ordered (
        number   INTEGER PRIMARY KEY,
        workload TEXT NOT NULL,
        time     REAL NOT NULL,
        act      TEXT NOT NULL,
        instance TEXT NOT NULL,
        by       TEXT NOT NULL,
        reason   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX ordered_of_workload ON ordered (workload);
    """,
    # What authorities declare and their logs cover; a log's day is a session of what is learned from it.
    """
    ALTER TABLE workload ADD COLUMN apart TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE mode_change ADD COLUMN reference TEXT NOT NULL DEFAULT '';

    CREATE TABLE declaration (
        authority TEXT NOT NULL,
        scope     TEXT NOT NULL,
        taken_at  REAL NOT NULL,
        links     TEXT NOT NULL,
        faults    TEXT NOT NULL,
        PRIMARY KEY (authority, scope)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE declared_grant (
        authority TEXT NOT NULL,
        scope     TEXT NOT NULL,
        position  INTEGER NOT NULL,
        held      TEXT NOT NULL,
        PRIMARY KEY (authority, scope, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE log (
        source    TEXT NOT NULL,
        scope     TEXT NOT NULL,
        since     REAL NOT NULL,
        until     REAL NOT NULL,
        events    INTEGER NOT NULL,
        seen      TEXT NOT NULL,
        unmapped  TEXT NOT NULL,
        malformed INTEGER NOT NULL,
        PRIMARY KEY (source, scope)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE log_day (
        workload   TEXT NOT NULL,
        id         TEXT NOT NULL,
        first_seen REAL NOT NULL,
        last_seen  REAL NOT NULL,
        events     INTEGER NOT NULL,
        lost       INTEGER NOT NULL,
        PRIMARY KEY (workload, id)
    ) STRICT, WITHOUT ROWID;

    -- 64 bits of a hash of the log's name and the event's id.
    CREATE TABLE taken_event (
        id INTEGER PRIMARY KEY
    ) STRICT;
    """,
    # A destination on loopback that the workload itself may have listened at belongs to its own listeners from now on,
    # whatever its number. A workload that was learned with one has it in scope by the new name, beside the old.
    """
    INSERT INTO entry (workload, dimension, value, label, first_seen, last_seen, count, sessions, instances, source,
                       standing)
    SELECT workload, dimension, '<own>:0/tcp', '', min(first_seen), max(last_seen), sum(count), max(sessions),
           min(instances), min(source), 'learned'
    FROM entry AS contacted
    WHERE dimension = 'destination' AND standing != 'provisional'
      AND (value GLOB '127.*:[0-9]*/tcp' OR value GLOB '[[]::1]:[0-9]*/tcp')
      AND CAST(replace(replace(value, rtrim(value, replace(value, ':', '')), ''), '/tcp', '') AS INTEGER) >= 32768
      AND EXISTS (SELECT 1 FROM entry AS listened WHERE listened.workload = contacted.workload
                  AND listened.dimension = 'listener' AND listened.value = '0/tcp')
    GROUP BY workload, dimension;
    UPDATE version SET version = version + 1 WHERE kind = 'envelope'
    AND workload IN (SELECT workload FROM entry WHERE dimension = 'destination' AND value = '<own>:0/tcp');
    """,
)
