-- Plans are made once and kept, and what they are made of changes by the minute: tables are empty, and
-- full, and empty again. So nothing here leaves the planner a choice: what is looked up is looked up
-- row by row, by `= ANY` of an array, or by a LATERAL with OFFSET 0, and by no more than its key where
-- another index could be thought better.

-- Queues and groups. Each function that touches a queue enters it first: many may be in a queue at
-- once, but while a group is made or the queue is removed nobody else is.

CREATE FUNCTION ww.enter(p_tenant text, p_name text, p_alone boolean DEFAULT false) RETURNS ww.queue
LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue;
    v_queue bigint;
BEGIN
    LOOP
        IF p_alone THEN
            SELECT queue, pg_advisory_xact_lock(('ww.queue'::regclass::oid::bigint << 32) | (queue & 4294967295))
                INTO v_queue FROM ww.queue WHERE tenant = p_tenant AND name = p_name;
        ELSE
            SELECT queue, pg_advisory_xact_lock_shared(('ww.queue'::regclass::oid::bigint << 32) | (queue & 4294967295))
                INTO v_queue FROM ww.queue WHERE tenant = p_tenant AND name = p_name;
        END IF;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        -- While this waited it may have changed, or gone, or been made anew.
        SELECT * INTO q FROM ww.queue WHERE queue = v_queue;
        IF FOUND THEN
            RETURN q;
        END IF;
    END LOOP;
END $$;

-- The same where it has to be there.
CREATE FUNCTION ww.require(p_tenant text, p_name text, p_alone boolean DEFAULT false) RETURNS ww.queue
LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.enter(p_tenant, p_name, p_alone);
BEGIN
    IF q.queue IS NULL THEN
        RAISE EXCEPTION 'the queue is not declared' USING ERRCODE = 'WW006';
    END IF;
    RETURN q;
END $$;

CREATE FUNCTION ww.group_place(q ww.queue, p_group text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF p_group = '' THEN
        RETURN q.queue;
    END IF;
    RETURN (SELECT place FROM ww.place WHERE queue = q.queue AND name = p_group);
END $$;

-- Makes a queue, or answers the policy that it has.
CREATE FUNCTION ww.declare(
    p_tenant text, p_name text, p_policy text, p_max_priority bigint, p_max_attempts bigint, p_lease_ms bigint,
    p_backoff_ms bigint[], p_ttl_ms bigint, p_max_length bigint, p_drop_oldest boolean, p_dedupe_ms bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_there text;
    v_queue bigint;
BEGIN
    LOOP
        SELECT policy INTO v_there FROM ww.queue WHERE tenant = p_tenant AND name = p_name;
        IF FOUND THEN
            RETURN v_there;
        END IF;
        INSERT INTO ww.queue VALUES (
            nextval('ww.place_number'), p_tenant, p_name, false, p_policy, p_max_priority, p_max_attempts, p_lease_ms,
            p_backoff_ms, p_ttl_ms, p_max_length, p_drop_oldest, p_dedupe_ms
        ) ON CONFLICT (tenant, name) DO NOTHING RETURNING queue INTO v_queue;
        IF FOUND THEN
            INSERT INTO ww.place (place, queue, name) VALUES (v_queue, v_queue, '');
            RETURN p_policy;
        END IF;
    END LOOP;
END $$;

-- Makes a group, and lets it have all that is still there.
CREATE FUNCTION ww.make_group(p_tenant text, p_name text, p_group text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name, true);
    v_place bigint;
    v_now timestamptz;
BEGIN
    IF ww.group_place(q, p_group) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM ww.tick(q);
    v_now := clock_timestamp();
    INSERT INTO ww.place (place, queue, name) VALUES (nextval('ww.place_number'), q.queue, p_group)
        RETURNING place INTO v_place;
    UPDATE ww.queue SET several = true WHERE queue = q.queue AND NOT several;
    INSERT INTO ww.turn (seq, place, state, rank, recipient, used, size, wake_at, expires_at)
        SELECT seq, v_place, CASE WHEN due_at > v_now THEN 1 ELSE 0 END, 10 - priority, recipient, 0, length(body),
               CASE WHEN due_at > v_now THEN least(due_at, expires_at) ELSE expires_at END, expires_at
        FROM ww.message WHERE queue = q.queue AND (expires_at IS NULL OR expires_at > v_now);
END $$;

CREATE FUNCTION ww.depth(p_tenant text, p_name text, p_group text)
RETURNS TABLE (ready bigint, leased bigint, resting bigint, dead bigint) LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
    v_place bigint := ww.group_place(q, p_group);
    v_now timestamptz;
BEGIN
    PERFORM ww.tick(q);
    v_now := clock_timestamp();
    IF v_place IS NULL THEN
        RETURN QUERY SELECT count(*) FILTER (WHERE due_at <= v_now), 0::bigint, count(*) FILTER (WHERE due_at > v_now), 0::bigint
            FROM ww.message WHERE queue = q.queue AND (expires_at IS NULL OR expires_at > v_now);
        RETURN;
    END IF;
    -- One statement, so that all four are of one moment.
    RETURN QUERY SELECT
        (SELECT count(*) FROM ww.turn WHERE place = v_place AND state = 0), timed.leased, timed.resting,
        (SELECT count(*) FROM ww.letter WHERE place = v_place)
        FROM (SELECT count(*) FILTER (WHERE state = 2) AS leased, count(*) FILTER (WHERE state = 1) AS resting
              FROM ww.turn WHERE place = v_place AND wake_at IS NOT NULL) timed;
END $$;

-- Removes the ready messages, or the letters, of a group or of all (null).
CREATE FUNCTION ww.purge(p_tenant text, p_name text, p_group text, p_dead boolean) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
    v_place bigint;
    v_seqs bigint[];
    v_removed bigint := 0;
    v_here bigint;
BEGIN
    PERFORM ww.tick(q);
    FOR v_place IN SELECT place FROM ww.place WHERE queue = q.queue AND (p_group IS NULL OR name = p_group) ORDER BY place LOOP
        IF p_dead THEN
            DELETE FROM ww.letter WHERE place = v_place;
            GET DIAGNOSTICS v_here = ROW_COUNT;
        ELSE
            WITH gone AS (DELETE FROM ww.turn WHERE place = v_place AND state = 0 RETURNING seq)
                SELECT count(*), array_agg(seq) INTO v_here, v_seqs FROM gone;
            PERFORM ww.finish(q, v_seqs);
        END IF;
        v_removed := v_removed + v_here;
    END LOOP;
    RETURN v_removed;
END $$;

-- Removes a queue, and all that is known of it.
CREATE FUNCTION ww.remove(p_tenant text, p_name text, p_session int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name, true);
BEGIN
    DELETE FROM ww.turn WHERE seq = ANY (ARRAY(SELECT seq FROM ww.message WHERE queue = q.queue));
    DELETE FROM ww.message WHERE queue = q.queue;
    DELETE FROM ww.known WHERE queue = q.queue;
    DELETE FROM ww.letter WHERE queue = q.queue;
    DELETE FROM ww.dropped WHERE queue = q.queue;
    DELETE FROM ww.place WHERE queue = q.queue;
    DELETE FROM ww.queue WHERE queue = q.queue;
    PERFORM ww.tell(q, p_session);
END $$;

-- Tells the other processes that somebody may find something in a queue.
CREATE FUNCTION ww.tell(q ww.queue, p_session int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ww.session WHERE waits AND session IS DISTINCT FROM p_session) THEN
        PERFORM pg_notify('{channel}', q.tenant || '/' || q.name);
    END IF;
END $$;
