-- KEYS as always; ARGV: the policy as it is written, and names and values of what the scripts read of it.
-- Answers with the declaration that is there, and its policy. Looks at every key before it writes one.
local TYPES = { 'hash', 'set', 'hash', 'zset', 'zset', 'hash', 'list', 'hash', 'hash', 'stream' }
local there = redis.call('HMGET', KEYS[1], 'epoch', 'policy')
if there[1] then return { 'ok', there[1], there[2] } end
for i, key in ipairs(KEYS) do
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= (TYPES[i] or 'stream') then return { 'type', key, found } end
end
for i = 2, 9 do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('UNLINK', KEYS[i]) end
end
for i = 11, #KEYS do
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[i], '_', '0', 'MKSTREAM')
  if type(made) == 'table' and made.err and not made.err:find('BUSYGROUP', 1, true) then return made end
end
redis.call('SADD', KEYS[2], '_')
redis.call('HSET', KEYS[1], unpack(ARGV))
return { 'ok', ARGV[2], ARGV[4] }
