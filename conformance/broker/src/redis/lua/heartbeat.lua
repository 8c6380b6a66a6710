-- KEYS[1]: the agents of a tenant; ARGV: agent, its update's own moment or '', the update. An update that is
-- older than the last known changes nothing.
local time = redis.call('TIME')
local arrived = time[1] * 1000 + math.floor(time[2] / 1000)
local own = ARGV[2]
if own == '' then own = string.format('%013d%09d', time[1] + 62135596800, time[2] * 1000) end
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and own < known:match('^%d+') then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], own .. '|' .. arrived .. '|' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], 7 * 86400000)
return 1
