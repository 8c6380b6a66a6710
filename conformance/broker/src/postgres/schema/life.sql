-- A message between being published and being gone.

-- What becomes of messages that a group has no more: where no group has them, they are gone.
CREATE FUNCTION ww.finish(q ww.queue, p_seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_seqs IS NULL THEN
        RETURN;
    END IF;
    IF q.several THEN
        -- Two groups may end their turns at the same moment: the later one finds that it is the last.
        PERFORM 1 FROM ww.message WHERE queue = q.queue AND seq = ANY (p_seqs) ORDER BY seq FOR UPDATE;
        DELETE FROM ww.message WHERE queue = q.queue AND seq = ANY (p_seqs)
            AND (SELECT 1 FROM ww.turn WHERE turn.seq = message.seq LIMIT 1) IS NULL;
    ELSE
        DELETE FROM ww.message WHERE queue = q.queue AND seq = ANY (p_seqs);
    END IF;
END $$;

-- Ends held deliveries of one group whose rows are locked. How: 0 given back, 1 retried, 2 given up,
-- 3 lease ended, 4 client lost. What has no attempt left dies of it; with attempts left, what has
-- expired is dropped; all else rests until it is due, or is ready.
CREATE FUNCTION ww.come_back(
    q ww.queue, p_place bigint, p_seqs bigint[], p_hows int[], p_dues timestamptz[], p_ats timestamptz[], p_reasons bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    i record;
    t record;
    v_gone bigint[];
    v_expired bigint := 0;
    v_reason bytea;
BEGIN
    FOR i IN SELECT * FROM unnest(p_seqs, p_hows, p_dues, p_ats, p_reasons) u (seq, how, due, at, reason) LOOP
        SELECT used, used + 1 AS attempt, expires_at, reason INTO t FROM ww.turn WHERE seq = i.seq AND place = p_place;
        CONTINUE WHEN NOT FOUND;
        v_reason := coalesce(i.reason, t.reason);
        IF i.how = 2 OR (i.how <> 0 AND t.attempt >= q.max_attempts) THEN
            INSERT INTO ww.letter (queue, place, id, priority, recipient, ttl_ms, published_at, attempts, reason, died_at, body)
                SELECT queue, p_place, id, priority, recipient, ttl_ms, published_at, t.attempt,
                       coalesce(v_reason, convert_to(CASE i.how
                           WHEN 1 THEN 'attempts used up: ' || t.attempt || ' deliveries ended in retry'
                           WHEN 2 THEN 'given up at delivery ' || t.attempt || ', without a reason'
                           WHEN 3 THEN 'attempts used up: the lease of delivery ' || t.attempt || ' expired'
                           ELSE 'attempts used up: the connection was lost during delivery ' || t.attempt
                       END, 'UTF8')), i.at, body
                FROM ww.message WHERE queue = q.queue AND seq = i.seq;
            v_gone := v_gone || i.seq;
        ELSIF t.expires_at <= i.at THEN
            v_expired := v_expired + 1;
            v_gone := v_gone || i.seq;
        ELSE
            UPDATE ww.turn SET
                state = CASE WHEN i.due > i.at THEN 1 ELSE 0 END,
                wake_at = CASE WHEN i.due > i.at THEN least(i.due, t.expires_at) ELSE t.expires_at END,
                used = CASE WHEN i.how = 0 THEN t.used ELSE t.attempt END,
                reason = v_reason, client = NULL, delivery = NULL
                WHERE seq = i.seq AND place = p_place;
        END IF;
    END LOOP;
    IF v_gone IS NOT NULL THEN
        DELETE FROM ww.turn WHERE seq = ANY (v_gone) AND place = p_place;
        PERFORM ww.finish(q, v_gone);
    END IF;
    IF v_expired > 0 THEN
        INSERT INTO ww.dropped (queue, number) VALUES (q.queue, v_expired);
    END IF;
END $$;

-- Brings one group to the present: leases that ended, rests that ended, messages that expired. Rows
-- that somebody has in hand are left to him. Of very many it does 20 000, so that it ends in time.
CREATE FUNCTION ww.tick_place(q ww.queue, p_place bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_count int;
    v_held bigint[];
    v_ends timestamptz[];
    v_expired bigint[];
    v_due bigint[];
BEGIN
    FOR part IN 1 .. 20 LOOP
        EXIT WHEN NOT EXISTS (SELECT 1 FROM ww.turn WHERE place = p_place AND wake_at <= v_now);
        SELECT count(*),
               array_agg(seq ORDER BY wake_at, delivery, rank, seq) FILTER (WHERE state = 2),
               array_agg(wake_at ORDER BY wake_at, delivery, rank, seq) FILTER (WHERE state = 2),
               array_agg(seq) FILTER (WHERE state < 2 AND expires_at <= v_now),
               array_agg(seq) FILTER (WHERE state = 1 AND (expires_at IS NULL OR expires_at > v_now))
        INTO v_count, v_held, v_ends, v_expired, v_due
        FROM (SELECT seq, state, rank, wake_at, expires_at, delivery FROM ww.turn
              WHERE place = p_place AND wake_at <= v_now ORDER BY wake_at LIMIT 1000 FOR UPDATE SKIP LOCKED) due;
        IF v_held IS NOT NULL THEN
            -- What becomes of it became of it when the lease ended, not when somebody looked.
            PERFORM ww.come_back(q, p_place, v_held, array_fill(3, ARRAY[cardinality(v_held)]), v_ends, v_ends, NULL);
        END IF;
        IF v_expired IS NOT NULL THEN
            DELETE FROM ww.turn WHERE seq = ANY (v_expired) AND place = p_place;
            PERFORM ww.finish(q, v_expired);
            INSERT INTO ww.dropped (queue, number) VALUES (q.queue, cardinality(v_expired));
        END IF;
        IF v_due IS NOT NULL THEN
            UPDATE ww.turn SET state = 0, wake_at = expires_at WHERE seq = ANY (v_due) AND place = p_place;
        END IF;
        EXIT WHEN v_count = 0;
    END LOOP;
END $$;

CREATE FUNCTION ww.tick(q ww.queue) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_place bigint;
BEGIN
    IF q.several THEN
        FOR v_place IN SELECT place FROM ww.place WHERE queue = q.queue ORDER BY place LOOP
            PERFORM ww.tick_place(q, v_place);
        END LOOP;
    ELSE
        PERFORM ww.tick_place(q, q.queue);
    END IF;
END $$;

-- How many messages were dropped for their expiry since this was asked last.
CREATE FUNCTION ww.sweep(p_tenant text, p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
    v_number bigint;
BEGIN
    PERFORM ww.tick(q);
    WITH told AS (DELETE FROM ww.dropped WHERE queue = q.queue RETURNING number)
        SELECT coalesce(sum(number), 0) INTO v_number FROM told;
    RETURN v_number;
END $$;

-- What has to be done though nobody asks for it: everywhere, but never by two at once, and never for
-- long. What is left over is done the next time.
CREATE FUNCTION ww.keep_house() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r record;
    q ww.queue;
    v_now timestamptz := clock_timestamp();
    v_until timestamptz := v_now + interval '2 s';
    v_count int;
BEGIN
    IF NOT pg_try_advisory_xact_lock('ww.about'::regclass::oid::bigint) THEN
        RETURN;
    END IF;
    FOR r IN SELECT queue.tenant, queue.name, place.place FROM ww.place JOIN ww.queue USING (queue)
             WHERE (SELECT min(wake_at) FROM ww.turn WHERE turn.place = place.place AND wake_at IS NOT NULL) <= v_now LOOP
        q := ww.enter(r.tenant, r.name);
        IF q.queue IS NOT NULL THEN
            PERFORM ww.tick_place(q, r.place);
        END IF;
        EXIT WHEN clock_timestamp() > v_until;
    END LOOP;
    LOOP
        DELETE FROM ww.known WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM ww.known WHERE forget_at <= v_now ORDER BY forget_at LIMIT 10000 FOR UPDATE SKIP LOCKED));
        GET DIAGNOSTICS v_count = ROW_COUNT;
        EXIT WHEN v_count < 10000 OR clock_timestamp() > v_until + interval '2 s';
    END LOOP;
    DELETE FROM ww.agent WHERE arrived_at < v_now - interval '30 days';
END $$;
