-- ARGV: group, level, entry, holder, how long from now. Answers 1, or 0 for what is stale.
pass_time()
local group, level, id, holder = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local where = slot(group, level, id)
local text = call('HGET', STATE, where)
local r = text and read(text)
if not r or r.standing ~= 'h' or r.holder ~= holder then return { 'ok', 0 } end
-- The first write is one that a server at its maxmemory takes. Others who look at how long a delivery has been idle see that it is not.
call('XCLAIM', stream(level), group, r.consumer, 0, id, 'JUSTID')
call('ZADD', TIMERS, now + ARGV[7], 'h|' .. where)
wake()
return { 'ok', 1 }
