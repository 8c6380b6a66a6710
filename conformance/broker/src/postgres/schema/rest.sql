-- Dead letters, presence, sessions.

CREATE FUNCTION ww.letters(p_tenant text, p_name text, p_group text, p_max bigint)
RETURNS TABLE (id uuid, body bytea, reason bytea, attempts int, priority int, died_ms bigint, group_name text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
BEGIN
    PERFORM ww.tick(q);
    RETURN QUERY
        SELECT l.id, l.body, l.reason, l.attempts, l.priority::int, floor(extract(epoch FROM l.died_at) * 1000)::bigint,
               (SELECT p.name FROM ww.place p WHERE p.place = l.place)
        FROM (
            SELECT letter, row_number() OVER o AS place_in, sum(size) OVER o AS total FROM (
                SELECT letter, length(body) AS size FROM ww.letter
                WHERE queue = q.queue AND (p_group IS NULL OR place = ww.group_place(q, p_group))
                ORDER BY letter LIMIT p_max) c WINDOW o AS (ORDER BY letter)) w
        CROSS JOIN LATERAL (SELECT * FROM ww.letter WHERE letter.letter = w.letter OFFSET 0) l
        WHERE w.total <= 8388608 OR w.place_in = 1 ORDER BY w.letter;
END $$;

-- Sends the oldest letter of an id back into its group, as new and at the end.
CREATE FUNCTION ww.replay(p_session int, p_tenant text, p_name text, p_group text, p_id uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
    l ww.letter;
    v_now timestamptz;
    v_seq bigint;
    v_expires timestamptz;
BEGIN
    PERFORM ww.tick(q);
    SELECT letter.* INTO l FROM ww.letter
        WHERE queue = q.queue AND id = p_id
          AND (p_group IS NULL OR place = (SELECT p.place FROM ww.place p WHERE p.queue = q.queue AND p.name = p_group))
        ORDER BY letter LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such letter' USING ERRCODE = 'WW066';
    END IF;
    IF q.max_length IS NOT NULL AND ww.lock_length(q) >= q.max_length THEN
        RAISE EXCEPTION 'the queue is full' USING ERRCODE = 'WW004';
    END IF;
    DELETE FROM ww.letter WHERE letter = l.letter;
    v_now := clock_timestamp();
    v_expires := v_now + l.ttl_ms * interval '1 ms';
    v_seq := nextval('ww.message_number');
    INSERT INTO ww.message (seq, queue, id, priority, recipient, published_at, due_at, expires_at, ttl_ms, body)
        VALUES (v_seq, q.queue, l.id, l.priority, l.recipient, v_now, v_now, v_expires, l.ttl_ms, l.body);
    INSERT INTO ww.turn (seq, place, state, rank, recipient, used, size, wake_at, expires_at)
        VALUES (v_seq, l.place, 0, 10 - l.priority, l.recipient, 0, length(l.body), v_expires, v_expires);
    PERFORM ww.tell(q, p_session);
END $$;

-- An update older than the last known changes nothing. Without a time of its own it is of now.
CREATE FUNCTION ww.heartbeat(p_tenant text, p_agent text, p_said_us bigint, p_report bytea) RETURNS void LANGUAGE sql AS $$
    INSERT INTO ww.agent AS known (tenant, agent, arrived_at, said_us, report)
    VALUES (p_tenant, p_agent, clock_timestamp(),
            coalesce(p_said_us, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), p_report)
    ON CONFLICT (tenant, agent) DO UPDATE
    SET arrived_at = excluded.arrived_at, said_us = excluded.said_us, report = excluded.report
    WHERE excluded.said_us >= known.said_us
$$;

CREATE FUNCTION ww.agents(p_tenant text, p_offline_after_ms bigint)
RETURNS TABLE (arrived_ms bigint, is_offline boolean, report bytea) LANGUAGE sql AS $$
    SELECT floor(extract(epoch FROM arrived_at) * 1000)::bigint,
           clock_timestamp() - arrived_at >= p_offline_after_ms * interval '1 ms', report
    FROM ww.agent WHERE tenant = p_tenant ORDER BY agent COLLATE "C"
$$;

-- A process begins, or is here again (p_session) after its connection was lost. Its session's lock
-- says for as long as it is held that the process lives; the connection before may hold it still.
CREATE FUNCTION ww.begin_session(p_session int, p_waits boolean) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_session int := p_session;
BEGIN
    IF v_session IS NULL THEN
        INSERT INTO ww.session (waits, began_at) VALUES (p_waits, clock_timestamp()) RETURNING session INTO v_session;
    ELSE
        INSERT INTO ww.session (session, waits, began_at) OVERRIDING SYSTEM VALUE VALUES (v_session, p_waits, clock_timestamp())
            ON CONFLICT (session) DO UPDATE SET waits = excluded.waits;
    END IF;
    RETURN v_session;
END $$;

-- False where another connection holds it.
CREATE FUNCTION ww.hold_session(p_session int) RETURNS boolean LANGUAGE sql AS $$
    SELECT pg_try_advisory_lock('ww.session'::regclass::oid::int, p_session)
$$;

-- The sessions whose process is gone.
CREATE FUNCTION ww.lost_sessions(p_session int) RETURNS SETOF int LANGUAGE sql AS $$
    SELECT session FROM ww.session
    WHERE session <> p_session AND pg_try_advisory_xact_lock('ww.session'::regclass::oid::int, session)
$$;

-- Ends a session, unless it lives after all, and brings back what its clients hold.
CREATE FUNCTION ww.end_session(p_session int, p_ended int, p_how int) RETURNS TABLE (tenant text, name text) LANGUAGE plpgsql AS $$
BEGIN
    IF p_session <> p_ended AND NOT pg_try_advisory_xact_lock('ww.session'::regclass::oid::int, p_ended) THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM ww.release(p_session, p_ended::bigint << 32, (p_ended::bigint << 32) + 4294967295, NULL, p_how);
    DELETE FROM ww.session s WHERE s.session = p_ended;
END $$;
