-- What is searched by stands in columns of its own; words have a full-text index; other names.

-- A task's `number` is what the full-text index knows it by; it never changes.
CREATE TABLE tasks_7 (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    status TEXT NOT NULL,
    action TEXT NOT NULL,
    token TEXT,
    ended INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    finished_at INTEGER,
    reason TEXT,
    body BLOB NOT NULL
);

INSERT INTO tasks_7 (
    id, account, status, action, token, ended, revision, submitted_at, finished_at, reason, body
)
SELECT
    id, account,
    coalesce(json_extract(text, '$.status'), 'NOT_START'),
    coalesce(json_extract(text, '$.action'), ''),
    json_extract(text, '$.token'),
    ended,
    coalesce(json_extract(text, '$.revision'), 1),
    submitted_at,
    json_extract(text, '$.finished_at'),
    -- A failure's title in brackets, else how its reason begins: what many failures share.
    CASE
        WHEN json_extract(text, '$.status') <> 'FAILURE' THEN NULL
        WHEN reason LIKE '[%]%' THEN substr(reason, 1, instr(reason, ']'))
        ELSE substr(reason, 1, 80)
    END,
    body
FROM (
    SELECT *, coalesce(json_extract(text, '$.failure.reason'), '') AS reason
    FROM (
        SELECT *, CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(body AS TEXT) ELSE '{}' END
            AS text
        FROM tasks
    )
)
ORDER BY submitted_at, id;

DROP TABLE tasks;
ALTER TABLE tasks_7 RENAME TO tasks;

CREATE INDEX tasks_newest ON tasks (submitted_at, id);
CREATE INDEX tasks_of_status ON tasks (status, submitted_at, id);
CREATE INDEX tasks_of_action ON tasks (action, submitted_at, id);
CREATE INDEX tasks_of_account ON tasks (account, submitted_at, id);
CREATE INDEX tasks_of_token ON tasks (token, submitted_at, id) WHERE token IS NOT NULL;
CREATE INDEX tasks_unfinished ON tasks (submitted_at, id) WHERE ended = 0;

-- Figures are counted from these two alone, without reading a body.
CREATE INDEX tasks_made ON tasks (submitted_at, finished_at) WHERE status = 'SUCCESS';
CREATE INDEX tasks_failed ON tasks (submitted_at, reason) WHERE status = 'FAILURE';

-- The text of each task as it was indexed, and the terms that it contains; and the ended tasks that
-- wait for that, which is a table of its own so that indexing does not write their rows again.
CREATE TABLE task_texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE VIRTUAL TABLE task_terms USING fts5(
    terms, content='', columnsize=0, detail=none, prefix='1 2', tokenize="ascii tokenchars '_'"
);

CREATE TABLE unindexed (number INTEGER PRIMARY KEY, unreadable INTEGER NOT NULL DEFAULT 0);
INSERT INTO unindexed (number) SELECT number FROM tasks WHERE ended = 1;

-- A webhook is told the task as it is, so its delivery needs no copy of it.
CREATE TABLE deliveries (
    task_id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    url TEXT NOT NULL
);
INSERT INTO deliveries (task_id, revision, url)
SELECT task_id, max(revision), url FROM outbox GROUP BY task_id;
DROP TABLE outbox;

-- Without data: a file of the data folder holds it.
CREATE TABLE uploads_7 (
    task_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    data BLOB,
    PRIMARY KEY (task_id, position)
);
INSERT INTO uploads_7 SELECT task_id, position, filename, content_type, data FROM uploads;
DROP TABLE uploads;
ALTER TABLE uploads_7 RENAME TO uploads;

CREATE INDEX triggers_of_task ON triggers (task_id);

CREATE TABLE idempotency_records (
    key TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    answer BLOB NOT NULL,
    task_id TEXT
);
INSERT INTO idempotency_records (key, at, fingerprint, answer, task_id)
SELECT
    key, at, fingerprint, answer,
    CASE WHEN json_valid(CAST(answer AS TEXT))
        THEN json_extract(CAST(answer AS TEXT), '$.task.id') END
FROM claims;
DROP TABLE claims;
CREATE INDEX idempotency_records_oldest ON idempotency_records (at);
CREATE INDEX idempotency_records_of_task ON idempotency_records (task_id)
    WHERE task_id IS NOT NULL;

ALTER TABLE seen RENAME TO channel_cursors;

DROP INDEX IF EXISTS brought_oldest;
ALTER TABLE brought RENAME TO uploaded_files;
CREATE INDEX uploaded_files_oldest ON uploaded_files (at);

CREATE INDEX refused_prompts_oldest ON refused_prompts (at);

UPDATE OR REPLACE records SET kind = 'token' WHERE kind = 'Token';
UPDATE OR REPLACE records SET kind = 'account' WHERE kind = 'AccountRecord';
UPDATE OR REPLACE records SET kind = 'preferences' WHERE kind = 'Changed';
