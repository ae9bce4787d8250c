"""The database's tables, as migrations. A migration is never edited once released; a change is a new one.

Feedback and impressions are append-only; what is current is a view. Times are TEXT, ISO 8601 in UTC with microseconds
and a `+00:00`, so that text order is time order. Lists and mappings are JSON text.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("scout")


def _run(db: Database, *statements: str) -> None:
    # One at a time: executescript would commit the migration's transaction.
    for statement in statements:
        db.execute(statement)


@migrations()
def m0001_items(db: Database) -> None:
    _run(
        db,
        """
        CREATE TABLE items (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,      -- the order of arrival, whatever the clock says
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            url TEXT NOT NULL DEFAULT '',
            text TEXT NOT NULL DEFAULT '',
            source TEXT NOT NULL,
            authors TEXT NOT NULL DEFAULT '[]',
            author_names TEXT NOT NULL DEFAULT '',      -- the same, joined by commas, for full-text search
            categories TEXT NOT NULL DEFAULT '[]',
            published TEXT,
            updated TEXT,
            version INTEGER NOT NULL DEFAULT 1,
            comment TEXT NOT NULL DEFAULT '',
            backlog INTEGER NOT NULL DEFAULT 0,
            first_seen TEXT NOT NULL,
            changed_at TEXT NOT NULL                    -- when a version was last recorded
        )
        """,
        "CREATE INDEX items_source ON items(source, seq)",
        "CREATE INDEX items_published ON items(published)",
        "CREATE INDEX items_first_seen ON items(first_seen)",
        """
        CREATE TABLE aliases (alias TEXT PRIMARY KEY, item_id TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE)
        WITHOUT ROWID
        """,
        "CREATE INDEX aliases_item ON aliases(item_id)",
        """
        CREATE TABLE item_sources (                     -- every source that brought an item
            item_id TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
            source TEXT NOT NULL,
            first_seen TEXT NOT NULL,
            PRIMARY KEY (item_id, source)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX item_sources_source ON item_sources(source, first_seen)",
        """
        CREATE TABLE item_versions (                    -- what a text was before it was replaced
            item_id TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            seen_at TEXT NOT NULL,
            PRIMARY KEY (item_id, seen_at)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE tombstones (id TEXT PRIMARY KEY, deleted_at TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '')
        WITHOUT ROWID
        """,
        """
        CREATE TABLE signals (
            item_id TEXT NOT NULL,                      -- may come before its item does
            kind TEXT NOT NULL,
            day TEXT NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (item_id, kind)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX signals_day ON signals(kind, day)",
        """
        CREATE TABLE releases (
            id TEXT PRIMARY KEY, author TEXT NOT NULL, published TEXT NOT NULL, url TEXT NOT NULL,
            tags TEXT NOT NULL DEFAULT '[]', verdict TEXT, first_seen TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE VIRTUAL TABLE items_fts USING fts5(title, text, author_names, content='items', content_rowid='seq', "
        "tokenize='porter unicode61 remove_diacritics 2')",
        """
        CREATE TRIGGER items_fts_insert AFTER INSERT ON items BEGIN
            INSERT INTO items_fts(rowid, title, text, author_names) VALUES (new.seq, new.title, new.text, new.author_names);
        END
        """,
        """
        CREATE TRIGGER items_fts_delete AFTER DELETE ON items BEGIN
            INSERT INTO items_fts(items_fts, rowid, title, text, author_names)
            VALUES ('delete', old.seq, old.title, old.text, old.author_names);
        END
        """,
        """
        CREATE TRIGGER items_fts_update AFTER UPDATE OF title, text, author_names ON items BEGIN
            INSERT INTO items_fts(items_fts, rowid, title, text, author_names)
            VALUES ('delete', old.seq, old.title, old.text, old.author_names);
            INSERT INTO items_fts(rowid, title, text, author_names) VALUES (new.seq, new.title, new.text, new.author_names);
        END
        """,
    )


@migrations()
def m0002_sources(db: Database) -> None:
    _run(
        db,
        """
        CREATE TABLE sources (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            url TEXT NOT NULL,
            title TEXT NOT NULL DEFAULT '',
            origin TEXT NOT NULL DEFAULT 'user',        -- default, user, opml
            added_at TEXT NOT NULL,
            paused INTEGER NOT NULL DEFAULT 0,
            gone INTEGER NOT NULL DEFAULT 0,            -- answered 410
            removed INTEGER NOT NULL DEFAULT 0,         -- a default that a user removed stays removed
            state TEXT NOT NULL DEFAULT '{}',           -- validators, watermark: the source's own memory
            failures INTEGER NOT NULL DEFAULT 0,        -- in a row
            last_poll TEXT, last_success TEXT, next_poll TEXT,
            cooling_until TEXT,                         -- Retry-After or backoff: not even `run` polls before
            outcome TEXT, message TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE polls (                            -- what became of every poll
            id INTEGER PRIMARY KEY,
            run TEXT, source TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL,
            outcome TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', status INTEGER,
            new INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE INDEX polls_source ON polls(source, started)",
        "CREATE INDEX polls_run ON polls(run)",
        """
        CREATE TABLE hosts (                            -- manners that outlive a process: one row a host or service
            name TEXT PRIMARY KEY,
            last_request TEXT,                          -- when the last request was allowed to start
            cooling_since TEXT, cooling_until TEXT
        ) WITHOUT ROWID
        """,
    )


@migrations()
def m0003_readers(db: Database) -> None:
    _run(
        db,
        """
        CREATE TABLE readers (
            name TEXT PRIMARY KEY, created TEXT NOT NULL,
            subjects TEXT,                              -- JSON list of slugs followed; NULL means all
            onboarded INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE feedback (                         -- append-only
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            reader TEXT NOT NULL, item_id TEXT NOT NULL,
            aspect TEXT NOT NULL,                       -- thumb, subject, saved, hidden; 'undo' takes row `undoes` back
            value TEXT NOT NULL DEFAULT '',
            reasons TEXT NOT NULL DEFAULT '[]',
            origin TEXT NOT NULL, at TEXT NOT NULL,
            token TEXT UNIQUE,                          -- a retried write lands once
            undoes INTEGER REFERENCES feedback(id)
        )
        """,
        "CREATE INDEX feedback_reader_item ON feedback(reader, item_id, aspect)",
        "CREATE INDEX feedback_undoes ON feedback(undoes) WHERE undoes IS NOT NULL",
        """
        CREATE VIEW feedback_live AS
        SELECT f.* FROM feedback f
        WHERE f.aspect != 'undo' AND NOT EXISTS (SELECT 1 FROM feedback u WHERE u.undoes = f.id)
        """,
        """
        CREATE VIEW feedback_current AS                 -- the newest live word on each aspect
        SELECT f.* FROM feedback_live f
        WHERE NOT EXISTS (SELECT 1 FROM feedback_live g
                          WHERE g.reader = f.reader AND g.item_id = f.item_id AND g.aspect = f.aspect AND g.id > f.id)
        """,
        """
        CREATE TRIGGER feedback_is_append_only BEFORE UPDATE ON feedback BEGIN
            SELECT RAISE(ABORT, 'feedback is append-only: undo it with another row');
        END
        """,
        """
        CREATE TABLE impressions (                      -- append-only
            reader TEXT NOT NULL, digest_date TEXT NOT NULL, item_id TEXT NOT NULL,
            position INTEGER NOT NULL, lane TEXT NOT NULL, propensity REAL NOT NULL, policy TEXT NOT NULL,
            PRIMARY KEY (reader, digest_date, item_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX impressions_item ON impressions(reader, item_id)",
    )


@migrations()
def m0004_triage(db: Database) -> None:
    _run(
        db,
        """
        CREATE TABLE policies (                         -- every version that decided anything
            version TEXT PRIMARY KEY, reader TEXT NOT NULL, recipe TEXT NOT NULL, made_at TEXT NOT NULL,
            training TEXT NOT NULL DEFAULT '',          -- fingerprint of what it was fitted on
            facts TEXT NOT NULL DEFAULT '{}',           -- JSON: thumbs, positives, agreement, thresholds
            weights BLOB NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX policies_reader ON policies(reader, made_at)",
        """
        CREATE TABLE champions (                        -- append-only; the newest row of a reader serves
            id INTEGER PRIMARY KEY, reader TEXT NOT NULL, version TEXT NOT NULL, at TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT ''
        )
        """,
        "CREATE INDEX champions_reader ON champions(reader, id)",
        """
        CREATE TABLE decisions (
            item_id TEXT NOT NULL, reader TEXT NOT NULL, policy TEXT NOT NULL,
            subject TEXT NOT NULL, subjects TEXT NOT NULL, probability REAL NOT NULL, lane TEXT NOT NULL,
            why TEXT NOT NULL DEFAULT '[]', made_at TEXT NOT NULL, run TEXT,
            PRIMARY KEY (item_id, reader)               -- the newest; which policy made it is in the row
        ) WITHOUT ROWID
        """,
        "CREATE INDEX decisions_reader_lane ON decisions(reader, lane)",
        """
        CREATE TABLE summaries (
            item_id TEXT NOT NULL, by TEXT NOT NULL, tldr TEXT NOT NULL, points TEXT NOT NULL DEFAULT '[]',
            text_hash TEXT NOT NULL, made_at TEXT NOT NULL,
            PRIMARY KEY (item_id, by)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE ledger (                           -- what is done, so that a killed run goes on where it was
            item_id TEXT NOT NULL, stage TEXT NOT NULL, reader TEXT NOT NULL DEFAULT '',
            policy TEXT NOT NULL DEFAULT '', prompt_hash TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '',
            done_at TEXT NOT NULL, run TEXT,
            PRIMARY KEY (item_id, stage, reader, policy, prompt_hash, model)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX ledger_stage ON ledger(stage, reader)",
    )


@migrations()
def m0005_digests(db: Database) -> None:
    _run(
        db,
        """
        CREATE TABLE digests (                          -- frozen once made
            reader TEXT NOT NULL, date TEXT NOT NULL, made_at TEXT NOT NULL, policy TEXT NOT NULL,
            cutoff INTEGER NOT NULL,                    -- the newest item it considered, as items.seq
            size INTEGER NOT NULL, snapshot TEXT NOT NULL, run TEXT,
            PRIMARY KEY (reader, date)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, started TEXT NOT NULL, finished TEXT,
            exit_code INTEGER, message TEXT NOT NULL DEFAULT '', stages TEXT NOT NULL DEFAULT '[]'
        ) WITHOUT ROWID
        """,
        "CREATE INDEX runs_started ON runs(started)",
        """
        CREATE TABLE jobs (                             -- long work that a page asked for
            id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, payload TEXT NOT NULL DEFAULT '{}',
            state TEXT NOT NULL DEFAULT 'queued',       -- queued, running, done, failed
            asked_at TEXT NOT NULL, started TEXT, finished TEXT,
            progress REAL NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT ''
        )
        """,
        "CREATE INDEX jobs_state ON jobs(state, id)",
    )


@migrations()
def m0006_research(db: Database) -> None:
    _run(
        db,
        "CREATE TABLE researches (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "item_id TEXT NOT NULL REFERENCES items(id) ON DELETE CASCADE, started TEXT NOT NULL, finished TEXT, brief TEXT, "
        "ending TEXT NOT NULL DEFAULT '', model TEXT NOT NULL DEFAULT '', prompt TEXT NOT NULL DEFAULT '', "
        "fence TEXT NOT NULL, message TEXT NOT NULL DEFAULT '')",
        "CREATE INDEX researches_item ON researches(item_id, id)",
        "CREATE TABLE research_steps (research INTEGER NOT NULL REFERENCES researches(id) ON DELETE CASCADE, "
        "number INTEGER NOT NULL, at TEXT NOT NULL, step TEXT NOT NULL, PRIMARY KEY (research, number)) WITHOUT ROWID",
    )
