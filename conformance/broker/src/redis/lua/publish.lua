-- ARGV: how many; for each its id (16 bytes), level, delay, ttl or '', the name of the field of its
-- expiry, how many fields, the fields. Answers for each: 1 stored, 0 duplicate, 2 full, or an error.
local function is_held(level, id)
  for _, group in ipairs(all_groups()) do
    local held = redis.pcall('XPENDING', stream(level), group, id, id, 1)
    if not held.err and #held > 0 then return true end
  end
  return false
end

local function oldest_free(level)
  local from = '-'
  while true do
    local entry = call('XRANGE', stream(level), from, '+', 'COUNT', 1)[1]
    if not entry or not is_held(level, entry[1]) then return entry and entry[1] end
    from = '(' .. entry[1]
  end
end

local function drop(level, id)
  for _, group in ipairs(all_groups()) do
    local where = slot(group, level, id)
    local text = call('HGET', STATE, where)
    if text then
      call('HDEL', STATE, where)
      call('ZREM', READY, line(group, level, read(text).to) .. padded(id))
      call('ZREM', TIMERS, 'd|' .. where)
    end
  end
  call('HDEL', SHARES, level .. '|' .. id)
  remove(level, id, true)
end

-- Of what nobody holds, the first published gives way.
local function drop_oldest()
  local oldest, of
  for level = 1, LEVELS do
    local id = oldest_free(level)
    if id and (not oldest or padded(id) < padded(oldest)) then oldest, of = id, level end
  end
  for _, token in ipairs(call('HKEYS', LATE)) do
    if not oldest or padded(token) < padded(oldest) then oldest, of = token, 'late' end
  end
  if of == 'late' then
    call('HDEL', LATE, oldest)
    call('ZREM', TIMERS, 'p|' .. oldest, 'x|' .. oldest)
  elseif oldest then
    drop(of, oldest)
  end
  return oldest ~= nil
end

local function forget_old(most)
  for _ = 1, most do
    local uuid = call('LINDEX', FORGET, 0)
    local known = uuid and call('HGET', KNOWN, uuid)
    if not uuid or known and tonumber(known:match('^%d+')) > now then return end
    call('LPOP', FORGET)
    call('HDEL', KNOWN, uuid)
  end
end

local holds
if MAX_LENGTH then
  pass_time()
  holds = length()
end

local function make_room()
  if not MAX_LENGTH or holds < MAX_LENGTH then return true end
  if policy[6] == 'reject' or not drop_oldest() then return false end
  holds = holds - 1
  return true
end

local function store(level, fields, uuid, delay, expires)
  if delay == 0 then return add(level, unpack(fields)) end
  local token = next_id()
  call('HSET', LATE, token, cmsgpack.pack({ level = level, fields = fields, uuid = uuid, expires = expires }))
  if expires and expires <= now + delay then
    call('ZADD', TIMERS, expires, 'x|' .. token)
  else
    call('ZADD', TIMERS, now + delay, 'p|' .. token)
  end
  return token
end

local answers, at, stored = {}, 4, 0
local number = tonumber(ARGV[3])

-- Ids are looked up at once before, and remembered at once after.
local known, seen, remembered, in_order = {}, {}, {}, {}
if DEDUPE > 0 then
  local uuids, next_at = {}, 4
  for n = 1, number do
    uuids[n] = ARGV[next_at]
    next_at = next_at + 6 + ARGV[next_at + 5]
  end
  known = call('HMGET', KNOWN, unpack(uuids))
end

local function is_known(n, uuid)
  return seen[uuid] or known[n] and tonumber(known[n]:match('^%d+')) > now
end

for n = 1, number do
  local uuid, level, delay, ttl, expiry = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3], ARGV[at + 4]
  local first, last = at + 6, at + 5 + ARGV[at + 5]
  at = last + 1
  if is_known(n, uuid) then
    answers[n] = 0
  elseif not make_room() then
    answers[n] = 2
  else
    local fields, expires = { unpack(ARGV, first, last) }, nil
    if ttl ~= '' then
      expires = now + ttl
      fields[#fields + 1], fields[#fields + 2] = expiry, written(expires)
      if not policy[9] then
        call('HSET', META, 'special', 1)
        policy[9] = '1'
      end
    end
    local id = store(level, fields, uuid, delay, expires)
    if type(id) == 'table' then
      answers[n] = id.err
    else
      if expires and delay == 0 then call('ZADD', TIMERS, expires, 'e|' .. level .. '|' .. id) end
      if DEDUPE > 0 then
        seen[uuid] = true
        remembered[#remembered + 1] = uuid
        remembered[#remembered + 1] = now + DEDUPE .. '|' .. (delay == 0 and level or 'late') .. '|' .. id
        in_order[#in_order + 1] = uuid
      end
      if holds then holds = holds + 1 end
      answers[n] = 1
      stored = stored + 1
    end
  end
end
if stored > 0 then
  write_last_id()
  if DEDUPE > 0 then
    call('HSET', KNOWN, unpack(remembered))
    call('RPUSH', FORGET, unpack(in_order))
    forget_old(stored + 8)
  end
  wake()
end
return { 'ok', answers }
