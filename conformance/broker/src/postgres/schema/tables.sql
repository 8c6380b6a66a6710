-- `ww.` stands for the schema that the tables are in. Times are the server's alone.

CREATE TABLE ww.about (
    program text NOT NULL,
    version int NOT NULL
);
INSERT INTO ww.about (program, version) VALUES ('workwire', 0);

-- A queue, and its policy as it was declared.
CREATE SEQUENCE ww.place_number AS bigint;
CREATE TABLE ww.queue (
    queue bigint PRIMARY KEY,           -- also the number of its unnamed group
    tenant text NOT NULL,               -- '' is no tenant
    name text NOT NULL,
    several boolean NOT NULL,           -- whether it has named groups
    policy text NOT NULL,               -- JSON, as clients read it
    max_priority bigint NOT NULL,
    max_attempts bigint NOT NULL,
    lease_ms bigint NOT NULL,
    backoff_ms bigint[] NOT NULL,
    ttl_ms bigint,
    max_length bigint,
    drop_oldest boolean NOT NULL,
    dedupe_ms bigint NOT NULL,
    UNIQUE (tenant, name)
);

-- A group of a queue.
CREATE TABLE ww.place (
    place bigint PRIMARY KEY,
    queue bigint NOT NULL,
    name text NOT NULL,                 -- '' is the unnamed group
    UNIQUE (queue, name)
);

-- What was published. Written once and removed once: what changes on the way stands in `turn`.
CREATE SEQUENCE ww.message_number AS bigint;
CREATE TABLE ww.message (
    queue bigint NOT NULL,
    seq bigint NOT NULL,                -- the order of publication, never used twice
    id uuid NOT NULL,
    priority smallint NOT NULL,
    recipient text NOT NULL,            -- '' is nobody
    published_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    expires_at timestamptz,
    ttl_ms bigint,
    body bytea NOT NULL,
    PRIMARY KEY (queue, seq)
);
ALTER TABLE ww.message ALTER COLUMN body SET STORAGE EXTERNAL;
-- By the id first: what is looked up by queue and number has no other index than its key.
CREATE INDEX message_id ON ww.message (id, queue);

-- What a group has still to do with a message.
CREATE SEQUENCE ww.delivery_number AS bigint;
CREATE TABLE ww.turn (
    seq bigint NOT NULL,
    place bigint NOT NULL,
    state smallint NOT NULL,            -- 0 ready, 1 resting, 2 held
    rank smallint NOT NULL,             -- 10 less the priority
    recipient text NOT NULL,
    used int NOT NULL,                  -- attempts used up
    size int NOT NULL,                  -- bytes of the body
    wake_at timestamptz,                -- when time changes its state: the lease or the rest ends, or it expires
    expires_at timestamptz,
    client bigint,                      -- who holds it: the session, and the client's number in it
    delivery bigint,                    -- never used twice
    reason bytea,                       -- of the last retry; UTF-8
    PRIMARY KEY (seq, place)
);
CREATE INDEX turn_ready ON ww.turn (place, recipient, rank, seq) WHERE state = 0;
CREATE INDEX turn_wake ON ww.turn (place, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX turn_held ON ww.turn (client) WHERE state = 2;

-- The ids that a queue knows.
CREATE TABLE ww.known (
    queue bigint NOT NULL,
    id uuid NOT NULL,
    forget_at timestamptz NOT NULL,
    PRIMARY KEY (queue, id)
);
CREATE INDEX known_forget ON ww.known (forget_at);

-- What was given up, whole.
CREATE TABLE ww.letter (
    letter bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of dying
    queue bigint NOT NULL,
    place bigint NOT NULL,
    id uuid NOT NULL,
    priority smallint NOT NULL,
    recipient text NOT NULL,
    ttl_ms bigint,
    published_at timestamptz NOT NULL,
    attempts int NOT NULL,
    reason bytea NOT NULL,              -- UTF-8
    died_at timestamptz NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE ww.letter ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX letter_queue ON ww.letter (queue, letter);
CREATE INDEX letter_place ON ww.letter (place, letter);
CREATE INDEX letter_id ON ww.letter (queue, id, letter);

-- How many messages were dropped for their expiry since the last sweep.
CREATE TABLE ww.dropped (
    queue bigint NOT NULL,
    number bigint NOT NULL
);
CREATE INDEX dropped_queue ON ww.dropped (queue);

-- The processes that use this. Each holds an advisory lock for as long as it lives.
CREATE TABLE ww.session (
    session int GENERATED ALWAYS AS IDENTITY (MAXVALUE 2147483647 CYCLE) PRIMARY KEY,
    waits boolean NOT NULL,             -- whether somebody in it waits for messages
    began_at timestamptz NOT NULL
);

-- Who is there.
CREATE TABLE ww.agent (
    tenant text NOT NULL,
    agent text NOT NULL,
    arrived_at timestamptz NOT NULL,
    said_us bigint NOT NULL,            -- the update's own time, microseconds since 1970
    report bytea NOT NULL,              -- the last update, JSON in UTF-8
    PRIMARY KEY (tenant, agent)
);

-- Rows live for moments, so what they leave behind is cleared early.
ALTER TABLE ww.turn SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE ww.message SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE ww.known SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
