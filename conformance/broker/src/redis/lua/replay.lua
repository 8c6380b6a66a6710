-- ARGV: the letter's entry, level, group, its ttl or '', its message's
-- id, the name of the field of its expiry, the fields. Answers 1, 0 where the letter
-- is not there any more, 2 where the queue is full.
pass_time()
if #call('XRANGE', LETTERS, ARGV[3], ARGV[3]) == 0 then return { 'ok', 0 } end
if MAX_LENGTH and length() >= MAX_LENGTH then return { 'ok', 2 } end
local level, group, expires = tonumber(ARGV[4]), ARGV[5], nil
local fields = { unpack(ARGV, 9) }
local function append(name, value) fields[#fields + 1], fields[#fields + 2] = name, value end
if ARGV[6] ~= '' then
  expires = now + ARGV[6]
  append(ARGV[8], written(expires))
end
-- The other groups had it in their time.
local is_alone = call('SCARD', GROUPS) > 1
if is_alone then append('_group', group) end
local id = add(level, unpack(fields))
if type(id) == 'table' then return id end
write_last_id()
call('XDEL', LETTERS, ARGV[3])
if expires then call('ZADD', TIMERS, expires, 'e|' .. level .. '|' .. id) end
if is_alone or expires then call('HSET', META, 'special', 1) end
if is_alone then
  for _, other in ipairs(all_groups()) do
    if other ~= group then finish(other, level, id) end
  end
end
local uuid = raw(ARGV[7])
local known = call('HGET', KNOWN, uuid)
if known then call('HSET', KNOWN, uuid, known:match('^%d+') .. '|' .. level .. '|' .. id) end
wake()
return { 'ok', 1 }
