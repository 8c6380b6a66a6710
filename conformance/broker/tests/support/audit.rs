//! Whether a store's tables agree with each other: what is counted, counted once more, one by one.

use rusqlite::Connection;
use rusqlite::types::Value;

/// Each selects what must not be there, in words.
const MUST_BE_EMPTY: &[(&str, &str)] = &[
    (
        "the counts of a group are not those of its tables",
        "WITH counted AS (
             SELECT place, queue, name, tally.*,
                 (SELECT count(*) FROM ready WHERE ready.place = place.place) AS in_ready,
                 (SELECT count(*) FROM held WHERE held.place = place.place) AS in_held,
                 (SELECT count(*) FROM resting WHERE resting.place = place.place) AS in_resting,
                 (SELECT count(*) FROM letter WHERE letter.place = place.place) AS in_letters,
                 iif(name = '', (SELECT count(*) FROM message WHERE message.queue = place.queue), 0) AS in_queue
             FROM place LEFT JOIN tally USING (place)
         )
         SELECT format('group %d: ready %d and %d, held %d and %d, resting %d and %d, dead %d and %d, length %d and %d',
                       place, ready, in_ready, held, in_held, resting, in_resting, dead, in_letters, length, in_queue)
         FROM counted
         WHERE (ready, held, resting, dead, length) IS NOT (in_ready, in_held, in_resting, in_letters, in_queue)",
    ),
    ("counts of no group", "SELECT place FROM tally WHERE place <> 0 AND place NOT IN (SELECT place FROM place)"),
    ("a group of no queue", "SELECT place FROM place WHERE queue NOT IN (SELECT queue FROM queue)"),
    (
        "a message that no group has",
        "SELECT seq FROM message WHERE NOT EXISTS (SELECT 1 FROM ready WHERE ready.seq = message.seq)
             AND NOT EXISTS (SELECT 1 FROM resting WHERE resting.seq = message.seq)
             AND NOT EXISTS (SELECT 1 FROM held WHERE held.seq = message.seq)",
    ),
    (
        "a group has a message twice, or one that is not there or is another queue's",
        "WITH turn AS (SELECT place, seq FROM ready UNION ALL SELECT place, seq FROM resting
                       UNION ALL SELECT place, seq FROM held)
         SELECT format('group %d, message %d', place, seq) FROM turn
         LEFT JOIN message USING (seq) LEFT JOIN place USING (place)
         GROUP BY place, seq HAVING count(*) > 1 OR max(message.queue) IS NOT max(place.queue)",
    ),
    (
        "the order of fetching does not say what the message says",
        "SELECT ready.seq FROM ready JOIN message USING (seq)
         WHERE (ready.recipient, ready.rank, ready.expires_at)
               IS NOT (message.recipient, 10 - message.priority, message.expires_at)",
    ),
    (
        "a message is not shared by as many groups as have it",
        "WITH turn AS (SELECT seq FROM ready UNION ALL SELECT seq FROM resting UNION ALL SELECT seq FROM held),
         counted AS (SELECT seq, count(*) AS counted FROM turn GROUP BY seq),
         shared AS (SELECT queue FROM place GROUP BY queue HAVING count(*) > 1)
         SELECT format('message %d, %d and %d', seq, turns, counted)
         FROM message LEFT JOIN share USING (seq) LEFT JOIN counted USING (seq)
         WHERE turns IS NOT iif(queue IN (SELECT queue FROM shared), counted, NULL)",
    ),
    ("a share of no message", "SELECT seq FROM share WHERE seq NOT IN (SELECT seq FROM message)"),
    (
        "a message whose id is not known",
        "SELECT seq FROM message WHERE NOT EXISTS (SELECT 1 FROM known WHERE
             (known.queue, known.id, known.seq) = (message.queue, message.id, message.seq))",
    ),
    (
        "an id that is known for ever, or was forgotten too early",
        "SELECT known.seq FROM known LEFT JOIN message USING (seq)
         LEFT JOIN fading ON fading.seq = known.seq AND fading.forget_at = known.forget_at
         WHERE (message.seq IS NULL) = (fading.seq IS NULL)",
    ),
    ("an id that fades and is not known", "SELECT seq FROM fading WHERE seq NOT IN (SELECT seq FROM known)"),
    (
        "a letter of no group of its queue",
        "SELECT letter FROM letter LEFT JOIN place USING (place) WHERE letter.queue IS NOT place.queue",
    ),
    (
        "a number that would be given twice",
        "SELECT format('next message %d, next delivery %d', ready, held) FROM tally WHERE place = 0
             AND (ready <= (SELECT coalesce(max(seq), 0) FROM known) OR held <= (SELECT coalesce(max(delivery), 0) FROM held))",
    ),
];

/// What is wrong with the file, or with the tables.
pub(crate) fn faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut faults = rows(connection, "PRAGMA integrity_check")?;
    faults.retain(|fault| fault != "ok");
    for (what, select) in MUST_BE_EMPTY {
        faults.extend(rows(connection, select)?.into_iter().map(|row| format!("{what}: {row}")));
    }
    Ok(faults)
}

/// The first column, as text.
fn rows(connection: &Connection, select: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare(select)?;
    let rows = select.query_map([], |row| {
        Ok(match row.get(0)? {
            Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    })?;
    rows.collect()
}
