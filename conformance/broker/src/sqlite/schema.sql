-- A queue, and its policy as it was declared.
CREATE TABLE queue (
    queue INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,               -- '' is no tenant
    name TEXT NOT NULL,
    policy TEXT NOT NULL,               -- JSON
    UNIQUE (tenant, name)
) STRICT;

-- A group of a queue.
CREATE TABLE place (
    place INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    name TEXT NOT NULL,                 -- '' is the unnamed group
    UNIQUE (queue, name)
) STRICT;

-- All that is counted, close together: nearly every transaction changes some of it. Place 0 is no
-- group: its row holds the next number of a message (ready) and of a delivery (held).
CREATE TABLE tally (
    place INTEGER PRIMARY KEY,
    ready INTEGER NOT NULL DEFAULT 0,   -- how many messages are where for this group
    held INTEGER NOT NULL DEFAULT 0,
    resting INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0, -- dropped since the last sweep
    length INTEGER NOT NULL DEFAULT 0   -- of the whole queue, with its unnamed group: messages that some group has
) STRICT;
INSERT INTO tally (place, ready, held) VALUES (0, 1, 1);

-- What was published. Written once and removed once: what changes on the way stands in the small
-- tables below, so that taking a message does not write its body again.
CREATE TABLE message (
    seq INTEGER PRIMARY KEY,            -- the order of publication, never used twice
    queue INTEGER NOT NULL,
    id BLOB NOT NULL,
    priority INTEGER NOT NULL,
    recipient TEXT NOT NULL,            -- '' is nobody
    published_at INTEGER NOT NULL,      -- times are milliseconds since 1970
    due_at INTEGER NOT NULL,
    expires_at INTEGER,
    ttl_ms INTEGER,
    forget_at INTEGER NOT NULL,         -- until then its id is known
    body BLOB NOT NULL
) STRICT;

-- How many groups still have a message, where a queue has more than one group.
CREATE TABLE share (
    seq INTEGER PRIMARY KEY,
    turns INTEGER NOT NULL
) STRICT;

-- The ids that a queue knows: of the messages that are there, and of those published not long ago.
CREATE TABLE known (
    queue INTEGER NOT NULL,
    id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    forget_at INTEGER NOT NULL,
    PRIMARY KEY (queue, id, seq)
) STRICT, WITHOUT ROWID;

-- Ids whose messages are gone, in the order in which they are forgotten.
CREATE TABLE fading (
    forget_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    queue INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (forget_at, seq)
) STRICT, WITHOUT ROWID;

-- What can be fetched, stored in the order in which it is.
CREATE TABLE ready (
    place INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    rank INTEGER NOT NULL,              -- 10 less the priority
    seq INTEGER NOT NULL,
    used INTEGER NOT NULL,              -- attempts used up
    expires_at INTEGER,
    delivered_at INTEGER,
    reason TEXT,                        -- of the last retry
    PRIMARY KEY (place, recipient, rank, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX ready_expiry ON ready (expires_at) WHERE expires_at IS NOT NULL;

-- What rests until a time.
CREATE TABLE resting (
    place INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    wake_at INTEGER NOT NULL,           -- when it is due or expires, whichever comes first
    used INTEGER NOT NULL,
    delivered_at INTEGER,
    reason TEXT,
    PRIMARY KEY (place, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX resting_wake ON resting (wake_at);

-- What is in the hands of consumers.
CREATE TABLE held (
    place INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    client INTEGER NOT NULL,
    delivery INTEGER NOT NULL,          -- never used twice
    attempt INTEGER NOT NULL,
    until INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL,
    consumer TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (place, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_until ON held (until);

-- What was given up, whole.
CREATE TABLE letter (
    letter INTEGER PRIMARY KEY,         -- the order of dying
    queue INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id BLOB NOT NULL,
    priority INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    ttl_ms INTEGER,
    published_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    died_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX letter_queue ON letter (queue, letter);
CREATE INDEX letter_id ON letter (queue, id, letter);

-- What is done, where it is kept for a while.
CREATE TABLE finished (
    finished INTEGER PRIMARY KEY,       -- the order of being done
    queue INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id BLOB NOT NULL,
    priority INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    ttl_ms INTEGER,
    published_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    done_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX finished_at ON finished (done_at);
CREATE INDEX finished_id ON finished (queue, id, finished);

-- Who is there.
CREATE TABLE agent (
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    arrived_at INTEGER NOT NULL,
    report TEXT NOT NULL,               -- the last update, JSON
    PRIMARY KEY (tenant, agent)
) STRICT, WITHOUT ROWID;
