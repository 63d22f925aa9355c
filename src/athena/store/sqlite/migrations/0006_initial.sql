-- The schema as it was before there were migrations. Older versions lacked some of these tables.

CREATE TABLE IF NOT EXISTS tasks (
    id VARCHAR(32) NOT NULL,
    account VARCHAR(32) NOT NULL,
    ended INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS uploads (
    task_id VARCHAR(32) NOT NULL,
    position INTEGER NOT NULL,
    filename VARCHAR(200) NOT NULL,
    content_type VARCHAR(100) NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (task_id, position)
);

CREATE TABLE IF NOT EXISTS outbox (
    task_id VARCHAR(32) NOT NULL,
    revision INTEGER NOT NULL,
    url VARCHAR(2000) NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (task_id, revision)
);

CREATE TABLE IF NOT EXISTS refused_prompts (
    task_id VARCHAR(32) NOT NULL,
    at INTEGER NOT NULL,
    prompt VARCHAR NOT NULL,
    said VARCHAR NOT NULL,
    PRIMARY KEY (task_id)
);

CREATE TABLE IF NOT EXISTS triggers (
    "trigger" VARCHAR(20) NOT NULL,
    task_id VARCHAR(32) NOT NULL,
    PRIMARY KEY ("trigger", task_id)
);

CREATE TABLE IF NOT EXISTS records (
    kind VARCHAR(40) NOT NULL,
    id VARCHAR(64) NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE IF NOT EXISTS claims (
    "key" VARCHAR(400) NOT NULL,
    at INTEGER NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    answer BLOB NOT NULL,
    PRIMARY KEY ("key")
);

CREATE TABLE IF NOT EXISTS seen (
    channel VARCHAR(32) NOT NULL,
    message VARCHAR(32) NOT NULL,
    PRIMARY KEY (channel)
);

CREATE TABLE IF NOT EXISTS brought (
    name VARCHAR(400) NOT NULL,
    account VARCHAR(32) NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE IF NOT EXISTS usage (
    token VARCHAR(40) NOT NULL,
    day INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (token, day)
);
