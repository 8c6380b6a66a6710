-- How deliveries end.

-- Ends many. Queues are named once, as in `publish`. Verdicts: 0 done, 1 retry, 2 dead; a retry
-- without a delay rests as the policy says. Answers only those that are not stale. Codes: 0 ended
-- (rests_ms: how long a retried one rests), 2 no such queue.
CREATE FUNCTION ww.settle(
    p_session int, p_tenants text[], p_names text[], p_which int[], p_places bigint[], p_seqs bigint[], p_deliveries bigint[],
    p_clients bigint[], p_verdicts int[], p_delays bigint[], p_reasons bytea[]
) RETURNS TABLE (item int, code int, rests_ms bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    q ww.queue;
    v_now timestamptz;
    v_items bigint[];
    v_seqs bigint[];
    v_hows int[];
    v_reasons bytea[];
    v_rests bigint[];
    v_done bigint[];
    v_others int[];
    v_place bigint;
BEGIN
    FOR k IN 1 .. cardinality(p_names) LOOP
        q := ww.enter(p_tenants[k], p_names[k]);
        IF q.queue IS NULL THEN
            RETURN QUERY SELECT i::int, 2, NULL::bigint FROM generate_subscripts(p_which, 1) i WHERE p_which[i] = k;
            CONTINUE;
        END IF;
        v_now := clock_timestamp();
        -- One that is done is what most calls are, and takes less than half the time so.
        IF cardinality(p_which) = 1 AND p_verdicts[1] = 0 AND NOT q.several THEN
            DELETE FROM ww.turn
                WHERE seq = p_seqs[1] AND place = p_places[1] AND place = q.queue AND state = 2 AND delivery = p_deliveries[1]
                  AND client = p_clients[1] AND wake_at > v_now;
            IF FOUND THEN
                DELETE FROM ww.message WHERE queue = q.queue AND seq = p_seqs[1];
                item := 1;
                code := 0;
                rests_ms := NULL;
                RETURN NEXT;
            END IF;
            CONTINUE;
        END IF;
        FOR v_place IN SELECT DISTINCT p_places[i] FROM generate_subscripts(p_which, 1) i WHERE p_which[i] = k ORDER BY 1 LOOP
            -- Each delivery once, and locked: what is not found is stale.
            SELECT array_agg(ord ORDER BY ord), array_agg(seq ORDER BY ord), array_agg(verdict ORDER BY ord),
                   array_agg(reason ORDER BY ord), array_agg(rest ORDER BY ord)
            INTO v_items, v_seqs, v_hows, v_reasons, v_rests
            FROM (SELECT DISTINCT ON (t.seq) i.ord, t.seq, i.verdict, i.reason,
                         CASE WHEN i.verdict = 1 THEN coalesce(i.delay, q.backoff_ms[least(t.used + 1, cardinality(q.backoff_ms))], 0) END AS rest
                  FROM unnest(p_which, p_places, p_seqs, p_deliveries, p_clients, p_verdicts, p_delays, p_reasons)
                           WITH ORDINALITY i (which, place, seq, delivery, client, verdict, delay, reason, ord)
                  CROSS JOIN LATERAL (
                      SELECT turn.seq, used, state, turn.delivery, turn.client, wake_at FROM ww.turn
                      WHERE turn.seq = i.seq AND turn.place = v_place OFFSET 0 FOR UPDATE) t
                  WHERE i.which = k AND i.place = v_place AND t.state = 2 AND t.delivery = i.delivery
                    AND t.client = i.client AND t.wake_at > v_now
                  ORDER BY t.seq, i.ord) found;
            CONTINUE WHEN v_items IS NULL;
            -- A tag of another queue is nobody's here.
            CONTINUE WHEN NOT EXISTS (SELECT 1 FROM ww.place WHERE place.place = v_place AND queue = q.queue);
            v_done := ARRAY(SELECT v_seqs[n] FROM generate_subscripts(v_seqs, 1) n WHERE v_hows[n] = 0);
            IF cardinality(v_done) > 0 THEN
                DELETE FROM ww.turn WHERE seq = ANY (v_done) AND place = v_place;
                PERFORM ww.finish(q, v_done);
            END IF;
            IF cardinality(v_done) < cardinality(v_seqs) THEN
                v_others := ARRAY(SELECT n FROM generate_subscripts(v_seqs, 1) n WHERE v_hows[n] > 0 ORDER BY n);
                PERFORM ww.come_back(
                    q, v_place, ARRAY(SELECT v_seqs[n] FROM unnest(v_others) n), ARRAY(SELECT v_hows[n] FROM unnest(v_others) n),
                    ARRAY(SELECT v_now + coalesce(v_rests[n], 0) * interval '1 ms' FROM unnest(v_others) n),
                    array_fill(v_now, ARRAY[cardinality(v_others)]), ARRAY(SELECT v_reasons[n] FROM unnest(v_others) n));
                PERFORM ww.tell(q, p_session);
            END IF;
            RETURN QUERY SELECT u.ord::int, 0, u.rest FROM unnest(v_items, v_rests) u (ord, rest);
        END LOOP;
    END LOOP;
END $$;

-- Holds a delivery for this long from now. False where the tag is stale.
CREATE FUNCTION ww.extend(
    p_session int, p_tenant text, p_name text, p_place bigint, p_seq bigint, p_delivery bigint, p_client bigint, p_lease_ms bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    q ww.queue := ww.require(p_tenant, p_name);
    v_now timestamptz := clock_timestamp();
    t ww.turn;
BEGIN
    SELECT * INTO t FROM ww.turn WHERE seq = p_seq AND place = p_place FOR UPDATE;
    IF t.state IS DISTINCT FROM 2 OR t.delivery <> p_delivery OR t.client <> p_client OR t.wake_at <= v_now
       OR NOT EXISTS (SELECT 1 FROM ww.place WHERE place = p_place AND queue = q.queue) THEN
        RETURN false;
    END IF;
    UPDATE ww.turn SET wake_at = v_now + p_lease_ms * interval '1 ms' WHERE seq = p_seq AND place = p_place;
    PERFORM ww.tell(q, p_session);
    RETURN true;
END $$;

-- Brings back what some clients hold, all of it or some deliveries, and says to which queues. How: 0
-- given back, 4 the client is lost.
CREATE FUNCTION ww.release(p_session int, p_first bigint, p_last bigint, p_deliveries bigint[], p_how int)
RETURNS TABLE (tenant text, name text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    r record;
    q ww.queue;
    v_now timestamptz;
    v_seqs bigint[];
    v_hows int[];
    v_ats timestamptz[];
BEGIN
    FOR r IN SELECT t.place, c.tenant, c.name FROM (
                 SELECT DISTINCT place FROM ww.turn WHERE state = 2 AND client BETWEEN p_first AND p_last) t
             CROSS JOIN LATERAL (
                 SELECT queue.tenant, queue.name FROM ww.queue
                 WHERE queue.queue = (SELECT p.queue FROM ww.place p WHERE p.place = t.place) OFFSET 0) c
             ORDER BY 1 LOOP
        q := ww.enter(r.tenant, r.name);
        CONTINUE WHEN q.queue IS NULL;
        v_now := clock_timestamp();
        SELECT array_agg(seq ORDER BY delivery, rank, seq),
               array_agg(CASE WHEN wake_at <= v_now THEN 3 ELSE p_how END ORDER BY delivery, rank, seq),
               array_agg(least(wake_at, v_now) ORDER BY delivery, rank, seq)
        INTO v_seqs, v_hows, v_ats
        FROM (SELECT seq, rank, delivery, wake_at FROM ww.turn
              WHERE state = 2 AND client BETWEEN p_first AND p_last AND place = r.place
                AND (p_deliveries IS NULL OR delivery = ANY (p_deliveries))
              ORDER BY seq FOR UPDATE) held;
        CONTINUE WHEN v_seqs IS NULL;
        PERFORM ww.come_back(q, r.place, v_seqs, v_hows, v_ats, v_ats, NULL);
        PERFORM ww.tell(q, p_session);
        tenant := r.tenant;
        name := r.name;
        RETURN NEXT;
    END LOOP;
END $$;
