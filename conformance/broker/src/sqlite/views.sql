-- For people: what is in the file, in words. Made anew whenever the file is opened by a version that
-- words them differently; nothing reads them but people.

CREATE VIEW messages AS
WITH now AS (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS ms),
turn AS (
    SELECT seq, place, 'pending' AS status, used AS delivery_count, delivered_at, reason
    FROM ready, now WHERE expires_at IS NULL OR expires_at > ms
    UNION ALL
    SELECT resting.seq, place, 'pending', used, delivered_at, reason
    FROM resting JOIN message USING (seq), now WHERE expires_at IS NULL OR expires_at > ms
    UNION ALL
    SELECT seq, place, iif(until > ms, 'processing', 'pending'), attempt, delivered_at, reason FROM held, now
),
stored AS (
    SELECT message.seq, message.queue, turn.place, id, priority, recipient, published_at, expires_at, body,
           turn.status, delivery_count, delivered_at, reason
    FROM turn JOIN message USING (seq)
    UNION ALL
    SELECT -1, queue, place, id, priority, recipient, published_at, NULL, body, 'done', attempts, done_at, NULL
    FROM finished
),
worded AS (
    SELECT *, iif(json_valid(CAST(body AS TEXT)), CAST(body AS TEXT), NULL) AS json FROM stored
)
SELECT
    lower(substr(hex(worded.id), 1, 8) || '-' || substr(hex(worded.id), 9, 4) || '-' || substr(hex(worded.id), 13, 4)
        || '-' || substr(hex(worded.id), 17, 4) || '-' || substr(hex(worded.id), 21)) AS id,
    coalesce(json ->> '$.type', json ->> '$.event_type') AS type,
    coalesce(json ->> '$.version', json ->> '$.protocol_version') AS version,
    json ->> '$.timestamp' AS timestamp,
    coalesce(json ->> '$.correlation_id', json ->> '$.request_id') AS correlation_id,
    coalesce(json ->> '$.from_agent', json ->> '$.source_agent_id') AS from_agent,
    coalesce(json ->> '$.to_agent', nullif(recipient, '')) AS to_agent,
    coalesce(json ->> '$.channel', queue.name) AS channel,
    worded.priority AS priority,
    coalesce(json -> '$.payload', json -> '$.data', json, CAST(body AS TEXT)) AS payload,
    status,
    strftime('%Y-%m-%dT%H:%M:%fZ', published_at / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', expires_at / 1000.0, 'unixepoch') AS expires_at,
    delivery_count,
    strftime('%Y-%m-%dT%H:%M:%fZ', delivered_at / 1000.0, 'unixepoch') AS last_delivered_at,
    reason AS error,
    queue.name AS queue,
    nullif(queue.tenant, '') AS tenant,
    nullif(place.name, '') AS consumer_group
FROM worded JOIN queue USING (queue) JOIN place USING (place)
ORDER BY created_at, seq;

CREATE VIEW dead_letter_queue AS
SELECT
    lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
        || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS id,
    CAST(body AS TEXT) AS original_message,
    reason AS error,
    strftime('%Y-%m-%dT%H:%M:%fZ', died_at / 1000.0, 'unixepoch') AS moved_at,
    max(attempts - 1, 0) AS retry_count,
    queue.name AS queue,
    nullif(queue.tenant, '') AS tenant,
    nullif(place.name, '') AS consumer_group
FROM letter JOIN queue USING (queue) JOIN place USING (place)
ORDER BY letter;

CREATE VIEW agent_status AS
SELECT
    agent AS agent_id,
    iif(unixepoch('subsec') * 1000 - arrived_at >= 180000, 'offline', report ->> '$.status') AS status,
    coalesce(report ->> '$.current_task', report ->> '$.current_task_id') AS current_task,
    coalesce(report ->> '$.timestamp', strftime('%Y-%m-%dT%H:%M:%fZ', arrived_at / 1000.0, 'unixepoch'))
        AS last_heartbeat,
    report ->> '$.messages_pending' AS messages_pending,
    report ->> '$.messages_processed' AS messages_processed,
    report ->> '$.error_count' AS error_count,
    report ->> '$.agent_type' AS agent_type,
    nullif(tenant, '') AS tenant
FROM agent
ORDER BY tenant, agent;

CREATE VIEW channel_subscriptions AS
SELECT
    CAST(body AS TEXT) ->> '$.channel' AS channel_name,
    recipient AS agent_id,
    CAST(body AS TEXT) ->> '$.subscribed_at' AS subscribed_at
FROM message JOIN queue USING (queue)
WHERE queue.name = 'channel_subscriptions' AND recipient <> '' AND json_valid(CAST(body AS TEXT))
ORDER BY agent_id, channel_name;
