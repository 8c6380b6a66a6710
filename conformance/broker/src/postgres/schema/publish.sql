-- From the publisher into the tables.

-- Stores many, in their order. A queue is named once, in p_tenants and p_names; p_which says which
-- one of them each message is for. Codes: 0 stored, 1 duplicate, 2 full (detail: the most), 3 priority
-- out of range (detail: the highest), 4 no such queue. p_session is null for who is no session.
CREATE FUNCTION ww.publish(
    p_session int, p_tenants text[], p_names text[], p_which int[], p_ids uuid[], p_priorities bigint[], p_ttls bigint[],
    p_delays bigint[], p_recipients text[], p_bodies bytea[]
) RETURNS TABLE (item int, code int, detail bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q ww.queue;
    i int;
    k int;
    v_now timestamptz;
    v_length bigint;
    v_priority bigint;
    v_ttl bigint;
    v_due timestamptz;
    v_expires timestamptz;
    v_seq bigint;
    v_stored boolean;
BEGIN
    FOR k IN 1 .. cardinality(p_names) LOOP
        q := ww.enter(p_tenants[k], p_names[k]);
        v_stored := false;
        v_length := NULL;
        IF q.max_length IS NOT NULL THEN
            v_length := ww.lock_length(q);
        END IF;
        v_now := clock_timestamp();
        FOR i IN 1 .. cardinality(p_which) LOOP
            CONTINUE WHEN p_which[i] <> k;
            item := i;
            detail := 0;
            IF q.queue IS NULL THEN
                code := 4;
                RETURN NEXT;
                CONTINUE;
            END IF;
            v_priority := coalesce(p_priorities[i], (q.max_priority + 1) / 2);
            IF v_priority NOT BETWEEN 1 AND q.max_priority THEN
                code := 3;
                detail := q.max_priority;
                RETURN NEXT;
                CONTINUE;
            END IF;
            IF v_length >= q.max_length THEN
                IF q.dedupe_ms > 0 AND (SELECT forget_at FROM ww.known WHERE queue = q.queue AND id = p_ids[i]) > v_now THEN
                    code := 1;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                IF NOT (q.drop_oldest AND ww.drop_oldest(q)) THEN
                    code := 2;
                    detail := q.max_length;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
                v_length := v_length - 1;
            END IF;
            IF q.dedupe_ms > 0 THEN
                INSERT INTO ww.known AS there (queue, id, forget_at)
                    VALUES (q.queue, p_ids[i], v_now + q.dedupe_ms * interval '1 ms')
                    ON CONFLICT ON CONSTRAINT known_pkey DO UPDATE SET forget_at = excluded.forget_at WHERE there.forget_at <= v_now;
                IF NOT FOUND THEN
                    code := 1;
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            END IF;
            v_ttl := least(p_ttls[i], q.ttl_ms);
            v_due := v_now + coalesce(p_delays[i], 0) * interval '1 ms';
            v_expires := v_now + v_ttl * interval '1 ms';
            v_seq := nextval('ww.message_number');
            INSERT INTO ww.message (seq, queue, id, priority, recipient, published_at, due_at, expires_at, ttl_ms, body)
                VALUES (v_seq, q.queue, p_ids[i], v_priority, p_recipients[i], v_now, v_due, v_expires, v_ttl, p_bodies[i]);
            IF q.several THEN
                INSERT INTO ww.turn (seq, place, state, rank, recipient, used, size, wake_at, expires_at)
                    SELECT v_seq, place, CASE WHEN v_due > v_now THEN 1 ELSE 0 END, 10 - v_priority, p_recipients[i], 0,
                           length(p_bodies[i]), CASE WHEN v_due > v_now THEN least(v_due, v_expires) ELSE v_expires END, v_expires
                    FROM ww.place WHERE queue = q.queue;
            ELSE
                INSERT INTO ww.turn (seq, place, state, rank, recipient, used, size, wake_at, expires_at)
                    VALUES (v_seq, q.queue, CASE WHEN v_due > v_now THEN 1 ELSE 0 END, 10 - v_priority, p_recipients[i], 0,
                            length(p_bodies[i]), CASE WHEN v_due > v_now THEN least(v_due, v_expires) ELSE v_expires END, v_expires);
            END IF;
            v_length := v_length + 1;
            v_stored := true;
            code := 0;
            RETURN NEXT;
        END LOOP;
        IF v_stored THEN
            IF p_session IS NULL THEN
                -- Nobody knows when this transaction ends, and who will be waiting by then.
                PERFORM pg_notify('{channel}', q.tenant || '/' || q.name);
            ELSE
                PERFORM ww.tell(q, p_session);
            END IF;
        END IF;
    END LOOP;
END $$;

-- Lets nobody else make a bounded queue longer, and says how long it is.
CREATE FUNCTION ww.lock_length(q ww.queue) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('ww.queue'::regclass::oid::int, (q.queue & 2147483647)::int);
    PERFORM ww.tick(q);
    RETURN (SELECT count(*) FROM (SELECT 1 FROM ww.message WHERE queue = q.queue LIMIT q.max_length) there);
END $$;

-- Drops the first published message that nobody holds, for all groups. False where there is none.
CREATE FUNCTION ww.drop_oldest(q ww.queue) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint;
    v_held boolean;
BEGIN
    FOR v_seq IN SELECT seq FROM ww.message WHERE queue = q.queue ORDER BY seq LOOP
        -- Whoever takes it at this moment is waited for.
        PERFORM 1 FROM ww.turn WHERE seq = v_seq ORDER BY place FOR UPDATE;
        SELECT bool_or(state = 2) INTO v_held FROM ww.turn WHERE seq = v_seq;
        IF v_held IS FALSE THEN
            DELETE FROM ww.turn WHERE seq = v_seq;
            DELETE FROM ww.message WHERE queue = q.queue AND seq = v_seq;
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;
