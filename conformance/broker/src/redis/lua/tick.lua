-- What time does: leases end, rests end, messages fall due and expire, in the order of their moments.
local last_id, is_written = policy[10] or '0-0', true

-- The next id of the queue, whichever level it is for, so that the order of publication can be seen.
local function next_id()
  local ms, seq = last_id:match('^(%d+)%-(%d+)$')
  if tonumber(ms) < now then last_id = now .. '-0' else last_id = ms .. '-' .. (seq + 1) end
  is_written = false
  return last_id
end

-- To be called when what has got ids is stored.
local function write_last_id()
  if not is_written then call('HSET', META, 'last', last_id) end
  is_written = true
end

-- Adds an entry; an error is a table with `err`.
local function add(level, ...)
  if LEVELS == 1 then return redis.pcall('XADD', stream(level), '*', ...) end
  local id = redis.pcall('XADD', stream(level), next_id(), ...)
  -- Somebody else has added one of a later time.
  if type(id) == 'table' and id.err:find('equal or smaller', 1, true) then
    return redis.pcall('XADD', stream(level), '*', ...)
  end
  return id
end

local function end_lease(where, at)
  local text = call('HGET', STATE, where)
  if not text then return end
  local group, level, id = where:match('^([^|]*)|(%d+)|(.*)$')
  local r = read(text)
  if r.standing ~= 'h' then return end
  call('XACK', stream(level), group, id)
  failed(group, level, id, r, at, at, LEASE_ENDED)
end

local function end_rest(where)
  local text = call('HGET', STATE, where)
  if not text then return end
  local group, level, id = where:match('^([^|]*)|(%d+)|(.*)$')
  local r = read(text)
  r.standing = 'r'
  call('HSET', STATE, where, record(r))
  call('ZADD', READY, 0, line(group, level, r.to) .. padded(id))
end

local function fall_due(token)
  local packed = call('HGET', LATE, token)
  if not packed then return end
  call('HDEL', LATE, token)
  local m = cmsgpack.unpack(packed)
  local id = add(m.level, unpack(m.fields))
  if type(id) == 'table' then return call('HSET', LATE, token, packed) end
  if m.expires then call('ZADD', TIMERS, m.expires, 'e|' .. m.level .. '|' .. id) end
  local known = call('HGET', KNOWN, m.uuid)
  if known then call('HSET', KNOWN, m.uuid, known:match('^%d+') .. '|' .. m.level .. '|' .. id) end
end

local function expire(where)
  local level, id = where:match('^(%d+)|(.*)$')
  for _, group in ipairs(all_groups()) do
    local mine = slot(group, level, id)
    local text = call('HGET', STATE, mine)
    local r = text and read(text)
    if r and r.standing ~= 'h' then
      call('ZREM', READY, line(group, level, r.to) .. padded(id))
      call('ZREM', TIMERS, 'd|' .. mine)
      call('HDEL', STATE, mine)
      finish(group, level, id)
      count_expired(1)
    elseif not r and padded(id) > cursor(group, level) then
      finish(group, level, id)
      count_expired(1)
    end
  end
end

local function expire_late(token)
  if call('HDEL', LATE, token) == 1 then count_expired(#all_groups()) end
  call('ZREM', TIMERS, 'p|' .. token)
end

local BY_KIND = { h = end_lease, d = end_rest, p = fall_due, e = expire, x = expire_late }

-- Lets time do its work. A script that comes after an hour of silence leaves some of it to the next.
local function pass_time()
  for _ = 1, 40 do
    local due = call('ZRANGEBYSCORE', TIMERS, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 500)
    for i = 1, #due, 2 do
      if call('ZREM', TIMERS, due[i]) == 1 then
        BY_KIND[due[i]:sub(1, 1)](due[i]:sub(3), tonumber(due[i + 1]))
      end
    end
    if #due < 1000 then break end
  end
  write_last_id()
end
