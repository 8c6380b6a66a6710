-- From the tables to a consumer, or before somebody's eyes. One answer carries 8 MiB of bodies at
-- most, but always one message.

-- The next messages of a group, locked: its own of a recipient ('' is nobody) and nobody's, in one order.
CREATE FUNCTION ww.pick(p_place bigint, p_recipient text, p_max bigint, p_now timestamptz) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    v_seqs bigint[];
    v_bytes bigint := 0;
    v_max bigint := p_max;
    v_state int;
BEGIN
    IF p_recipient = '' THEN
        -- Eight of the largest fit.
        IF v_max <= 8 THEN
            SELECT array_agg(seq) INTO v_seqs FROM (
                SELECT seq FROM ww.turn
                WHERE place = p_place AND recipient = '' AND state = 0 AND (wake_at IS NULL OR wake_at > p_now)
                ORDER BY rank, seq LIMIT v_max FOR UPDATE SKIP LOCKED) picked;
            RETURN v_seqs;
        END IF;
        -- No more are locked than will probably fit.
        SELECT greatest(count(*), 1) INTO v_max FROM (
            SELECT sum(size) OVER (ORDER BY rank, seq) AS total FROM (
                SELECT rank, seq, size FROM ww.turn
                WHERE place = p_place AND recipient = '' AND state = 0 AND (wake_at IS NULL OR wake_at > p_now)
                ORDER BY rank, seq LIMIT v_max) ahead) fitting
        WHERE total <= 8388608;
        WITH picked AS MATERIALIZED (
            SELECT rank, seq, size FROM ww.turn
            WHERE place = p_place AND recipient = '' AND state = 0 AND (wake_at IS NULL OR wake_at > p_now)
            ORDER BY rank, seq LIMIT v_max FOR UPDATE SKIP LOCKED
        ), reckoned AS (
            SELECT seq, row_number() OVER w AS place_in, sum(size) OVER w AS total FROM picked WINDOW w AS (ORDER BY rank, seq)
        )
        SELECT array_agg(seq ORDER BY place_in) INTO v_seqs FROM reckoned WHERE total <= 8388608 OR place_in = 1;
        RETURN v_seqs;
    END IF;
    FOR r IN SELECT * FROM (
                 (SELECT rank, seq, size FROM ww.turn
                  WHERE place = p_place AND recipient = '' AND state = 0 AND (wake_at IS NULL OR wake_at > p_now)
                  ORDER BY rank, seq)
                 UNION ALL
                 (SELECT rank, seq, size FROM ww.turn
                  WHERE place = p_place AND recipient = p_recipient AND state = 0 AND (wake_at IS NULL OR wake_at > p_now)
                  ORDER BY rank, seq)) both_orders
             ORDER BY rank, seq LOOP
        EXIT WHEN v_bytes + r.size > 8388608 AND v_bytes > 0;
        SELECT state INTO v_state FROM ww.turn WHERE seq = r.seq AND place = p_place FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN v_state IS DISTINCT FROM 0;
        v_seqs := v_seqs || r.seq;
        v_bytes := v_bytes + r.size;
        EXIT WHEN cardinality(v_seqs) >= v_max;
    END LOOP;
    RETURN v_seqs;
END $$;

-- Serves many fetches, in their order: those of one queue and group stand side by side. Codes: 0 a
-- delivery, 1 nothing (due_ms: when time brings the next change), 2 no such queue, 3 no such group, 4 not
-- looked, since what the others take is as much as one statement should carry: to be asked again.
CREATE FUNCTION ww.fetch(
    p_session int, p_tenants text[], p_names text[], p_groups text[], p_recipients text[], p_maxes bigint[], p_ids uuid[],
    p_clients bigint[]
) RETURNS TABLE (
    item int, code int, due_ms bigint, place bigint, seq bigint, delivery bigint, id uuid, priority int, attempt int, body bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q ww.queue;
    v_now timestamptz;
    v_next timestamptz;
    v_place bigint;
    v_seqs bigint[];
    v_until timestamptz;
    v_vain text[] := '{}';
    v_due bigint;
    v_bytes bigint := 0;
BEGIN
    FOR i IN 1 .. cardinality(p_names) LOOP
        item := i;
        due_ms := NULL;
        IF v_bytes >= 8388608 THEN
            code := 4;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF i = 1 OR p_names[i] <> p_names[i - 1] OR p_tenants[i] <> p_tenants[i - 1] OR p_groups[i] <> p_groups[i - 1] THEN
            v_vain := '{}';
            q := ww.enter(p_tenants[i], p_names[i]);
            IF q.queue IS NOT NULL THEN
                v_place := CASE WHEN p_groups[i] = '' THEN q.queue ELSE ww.group_place(q, p_groups[i]) END;
                v_now := clock_timestamp();
                IF EXISTS (SELECT 1 FROM ww.turn WHERE place = v_place AND wake_at <= v_now) THEN
                    PERFORM ww.tick_place(q, v_place);
                END IF;
            END IF;
        END IF;
        IF q.queue IS NULL OR v_place IS NULL THEN
            code := CASE WHEN q.queue IS NULL THEN 2 ELSE 3 END;
            RETURN NEXT;
            CONTINUE;
        END IF;
        -- Who wants what somebody just wanted in vain need not look.
        IF p_ids[i] IS NULL AND p_recipients[i] = ANY (v_vain) THEN
            code := 1;
            due_ms := v_due;
            RETURN NEXT;
            CONTINUE;
        END IF;
        FOR again IN 1 .. 3 LOOP
            v_now := clock_timestamp();
            IF p_ids[i] IS NULL AND p_maxes[i] = 1 AND p_recipients[i] = '' THEN
                SELECT ARRAY[seq] INTO v_seqs FROM ww.turn
                    WHERE place = v_place AND recipient = '' AND state = 0 AND (wake_at IS NULL OR wake_at > v_now)
                    ORDER BY rank, seq LIMIT 1 FOR UPDATE SKIP LOCKED;
            ELSIF p_ids[i] IS NULL THEN
                v_seqs := ww.pick(v_place, p_recipients[i], p_maxes[i], v_now);
            ELSE
                SELECT array_agg(seq) INTO v_seqs FROM (
                    SELECT t.seq FROM ww.message m CROSS JOIN LATERAL (
                        SELECT turn.seq, state, wake_at FROM ww.turn
                        WHERE turn.seq = m.seq AND turn.place = v_place OFFSET 0 FOR UPDATE SKIP LOCKED) t
                    WHERE m.queue = q.queue AND m.id = p_ids[i] AND m.recipient IN ('', p_recipients[i]) AND t.state = 0
                      AND (t.wake_at IS NULL OR t.wake_at > v_now)
                    ORDER BY m.seq LIMIT 1) picked;
            END IF;
            EXIT WHEN v_seqs IS NOT NULL;
            SELECT min(wake_at) INTO v_next FROM ww.turn WHERE place = v_place AND wake_at IS NOT NULL;
            EXIT WHEN v_next IS NULL OR v_next > v_now;
            -- Its time has come, and somebody else sees to that just now: he is waited for.
            PERFORM 1 FROM ww.turn WHERE place = v_place AND wake_at <= v_now ORDER BY wake_at LIMIT 1 FOR UPDATE;
            PERFORM ww.tick_place(q, v_place);
        END LOOP;
        IF v_seqs IS NULL THEN
            code := 1;
            v_due := ceil(extract(epoch FROM v_next - clock_timestamp()) * 1000);
            due_ms := v_due;
            IF p_ids[i] IS NULL THEN
                v_vain := v_vain || p_recipients[i];
            END IF;
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF i < cardinality(p_names) THEN
            v_bytes := v_bytes + (SELECT sum(size) FROM ww.turn WHERE seq = ANY (v_seqs) AND place = v_place);
        END IF;
        v_until := v_now + q.lease_ms * interval '1 ms';
        RETURN QUERY
            WITH taken AS (
                UPDATE ww.turn SET state = 2, wake_at = v_until, client = p_clients[i], delivery = nextval('ww.delivery_number')
                WHERE seq = ANY (v_seqs) AND place = v_place
                RETURNING seq, rank, used, delivery
            )
            SELECT i, 0, q.lease_ms, v_place, t.seq, t.delivery, m.id, 10 - t.rank, t.used + 1, m.body
            FROM taken t CROSS JOIN LATERAL (
                SELECT id, body FROM ww.message WHERE queue = q.queue AND message.seq = t.seq OFFSET 0) m
            ORDER BY t.rank, t.seq;
        -- Others may wait for this lease to end, and do not know of it yet.
        IF EXISTS (SELECT 1 FROM ww.session WHERE waits AND session <> p_session)
           AND NOT EXISTS (SELECT 1 FROM ww.turn WHERE place = v_place AND wake_at < v_until) THEN
            PERFORM ww.tell(q, p_session);
        END IF;
    END LOOP;
END $$;

-- Looks at what a fetch would take, behind a message (null: from the beginning). A group that is not
-- there sees what it would see if it were made now.
CREATE FUNCTION ww.peek(p_tenant text, p_name text, p_group text, p_recipient text, p_max bigint, p_after uuid)
RETURNS TABLE (id uuid, priority int, attempt int, body bytea) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
    v_place bigint := ww.group_place(q, p_group);
    v_now timestamptz;
    v_rank int := -1;
    v_seq bigint := -1;
BEGIN
    PERFORM ww.tick(q);
    v_now := clock_timestamp();
    IF p_after IS NOT NULL THEN
        SELECT 10 - m.priority, m.seq INTO v_rank, v_seq
        FROM ww.message m
        WHERE m.queue = q.queue AND m.id = p_after AND m.recipient IN ('', p_recipient)
          AND (m.expires_at IS NULL OR m.expires_at > v_now)
          AND CASE WHEN v_place IS NULL THEN m.due_at <= v_now
                   ELSE (SELECT state FROM ww.turn WHERE turn.seq = m.seq AND turn.place = v_place) = 0 END
        ORDER BY m.priority, m.seq DESC LIMIT 1;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF v_place IS NULL THEN
        RETURN QUERY
            SELECT w.id, w.priority, 1, m.body FROM (
                SELECT c.seq, c.id, c.priority, row_number() OVER o AS place_in, sum(c.size) OVER o AS total FROM (
                    SELECT seq, id, priority::int, length(body) AS size FROM ww.message
                    WHERE queue = q.queue AND recipient IN ('', p_recipient) AND (10 - priority, seq) > (v_rank, v_seq)
                      AND (expires_at IS NULL OR expires_at > v_now) AND due_at <= v_now
                    ORDER BY 10 - priority, seq LIMIT p_max) c WINDOW o AS (ORDER BY 10 - c.priority, c.seq)) w
            CROSS JOIN LATERAL (SELECT id, priority, body FROM ww.message WHERE queue = q.queue AND message.seq = w.seq OFFSET 0) m
            WHERE w.total <= 8388608 OR w.place_in = 1 ORDER BY w.place_in;
    ELSE
        RETURN QUERY
            SELECT m.id, m.priority::int, w.used + 1, m.body FROM (
                SELECT c.seq, c.used, row_number() OVER o AS place_in, sum(c.size) OVER o AS total FROM (
                    SELECT seq, rank, used, size FROM ww.turn
                    WHERE place = v_place AND recipient IN ('', p_recipient) AND state = 0 AND (rank, seq) > (v_rank, v_seq)
                      AND (wake_at IS NULL OR wake_at > v_now)
                    ORDER BY rank, seq LIMIT p_max) c WINDOW o AS (ORDER BY c.rank, c.seq)) w
            CROSS JOIN LATERAL (SELECT id, priority, body FROM ww.message WHERE queue = q.queue AND message.seq = w.seq OFFSET 0) m
            WHERE w.total <= 8388608 OR w.place_in = 1 ORDER BY w.place_in;
    END IF;
END $$;
