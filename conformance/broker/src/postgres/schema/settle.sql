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
    v_dues timestamptz[];
    v_reasons bytea[];
    v_rests bigint[];
    v_place bigint;
BEGIN
    FOR k IN 1 .. cardinality(p_names) LOOP
        q := ww.enter(p_tenants[k], p_names[k]);
        IF q.queue IS NULL THEN
            RETURN QUERY SELECT i::int, 2, NULL::bigint FROM generate_subscripts(p_which, 1) i WHERE p_which[i] = k;
            CONTINUE;
        END IF;
        v_now := clock_timestamp();
        IF EXISTS (SELECT 1 FROM unnest(p_which, p_verdicts) w (which, verdict) WHERE which = k AND verdict = 0) THEN
            WITH input AS (
                SELECT * FROM unnest(p_which, p_places, p_seqs, p_deliveries, p_clients, p_verdicts)
                    WITH ORDINALITY i (which, place, seq, delivery, client, verdict, ord)
                WHERE which = k AND verdict = 0
            ), done AS (
                DELETE FROM ww.turn t USING input i
                WHERE t.seq = i.seq AND t.place = i.place AND t.state = 2 AND t.delivery = i.delivery AND t.client = i.client
                  AND t.wake_at > v_now AND (t.place = q.queue OR t.place IN (SELECT p.place FROM ww.place p WHERE p.queue = q.queue))
                RETURNING i.ord, t.seq
            )
            SELECT array_agg(ord), array_agg(seq) INTO v_items, v_seqs FROM done;
            IF v_items IS NOT NULL THEN
                PERFORM ww.finish(q, v_seqs);
                RETURN QUERY SELECT i::int, 0, NULL::bigint FROM unnest(v_items) i;
            END IF;
        END IF;
        FOR v_place IN SELECT DISTINCT p.place FROM ww.place p
                       WHERE p.queue = q.queue AND EXISTS (
                           SELECT 1 FROM unnest(p_which, p_places, p_verdicts) w (which, place, verdict)
                           WHERE which = k AND verdict > 0 AND w.place = p.place)
                       ORDER BY 1 LOOP
            WITH found AS MATERIALIZED (
                SELECT i.*, t.used
                FROM unnest(p_which, p_places, p_seqs, p_deliveries, p_clients, p_verdicts, p_delays, p_reasons)
                         WITH ORDINALITY i (which, place, seq, delivery, client, verdict, delay, reason, ord)
                JOIN ww.turn t ON t.seq = i.seq AND t.place = i.place
                WHERE i.which = k AND i.verdict > 0 AND i.place = v_place AND t.state = 2 AND t.delivery = i.delivery
                  AND t.client = i.client AND t.wake_at > v_now
                FOR UPDATE OF t
            ), each_once AS (
                SELECT DISTINCT ON (seq) ord, seq, verdict, reason,
                       CASE WHEN verdict = 1 THEN coalesce(delay, q.backoff_ms[least(used + 1, cardinality(q.backoff_ms))], 0) ELSE 0 END AS rest
                FROM found ORDER BY seq, ord
            )
            SELECT array_agg(ord ORDER BY ord), array_agg(seq ORDER BY ord), array_agg(verdict ORDER BY ord), array_agg(reason ORDER BY ord),
                   array_agg(rest ORDER BY ord), array_agg(v_now + rest * interval '1 ms' ORDER BY ord)
            INTO v_items, v_seqs, v_hows, v_reasons, v_rests, v_dues FROM each_once;
            IF v_items IS NOT NULL THEN
                PERFORM ww.come_back(q, v_place, v_seqs, v_hows, v_dues, array_fill(v_now, ARRAY[cardinality(v_seqs)]), v_reasons);
                RETURN QUERY SELECT i::int, 0, rest FROM unnest(v_items, v_rests) u (i, rest);
                PERFORM ww.tell(q, p_session);
            END IF;
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
    v_found boolean;
BEGIN
    UPDATE ww.turn SET wake_at = v_now + p_lease_ms * interval '1 ms'
        WHERE seq = p_seq AND place = p_place AND state = 2 AND delivery = p_delivery AND client = p_client AND wake_at > v_now
          AND place IN (SELECT p.place FROM ww.place p WHERE p.queue = q.queue);
    v_found := FOUND;
    IF v_found THEN
        PERFORM ww.tell(q, p_session);
    END IF;
    RETURN v_found;
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
    FOR r IN SELECT t.place, q.tenant, q.name FROM (
                 SELECT DISTINCT place FROM ww.turn WHERE state = 2 AND client BETWEEN p_first AND p_last) t
             JOIN ww.place p ON p.place = t.place JOIN ww.queue q ON q.queue = p.queue ORDER BY 1 LOOP
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
