-- Taking: from what is ready again and from what the group has not read, under a lease each.
local MOST_BYTES = 8 * 1048576

-- What is taken is written down in bulk.
local states, leases = {}, {}
local function write_down(least)
  if #states > least then
    call('HSET', STATE, unpack(states))
    call('ZADD', TIMERS, unpack(leases))
    states, leases = {}, {}
  end
end

local group, bytes, is_full = ARGV[3], 0, false
-- Of who is just served.
local consumer, recipient, most, holder, out, taken

local function fits(size) return bytes == 0 or bytes + size <= MOST_BYTES end

local function hand_over(level, id, fields, r, size)
  local where = slot(group, level, id)
  r.standing, r.holder, r.consumer = 'h', holder, consumer
  states[#states + 1], states[#states + 2] = where, record(r)
  leases[#leases + 1], leases[#leases + 2] = now + LEASE, 'h|' .. where
  write_down(200)
  taken, bytes = taken + 1, bytes + size
  out[#out + 1], out[#out + 2], out[#out + 3], out[#out + 4] = level, id, r.used, fields
end

-- Takes one that is ready again. Who trimmed the stream behind our back has taken it away.
local function take_again(level, id)
  local where = slot(group, level, id)
  local r = read(call('HGET', STATE, where))
  local member = line(group, level, r.to) .. padded(id)
  local entry = redis.pcall('XCLAIM', stream(level), group, consumer, 0, id, 'RETRYCOUNT', r.used + 1, 'FORCE')[1]
  if not entry or not entry[2] then
    call('ZREM', READY, member)
    call('HDEL', STATE, where)
    return
  end
  local size = terms(entry[2]).size
  if not fits(size) then
    call('XACK', stream(level), group, id)
    is_full = true
    return
  end
  call('ZREM', READY, member)
  hand_over(level, id, entry[2], r, size)
end

-- Keeps a passed entry for whom it is for.
local function park(level, id, t)
  call('HSET', STATE, slot(group, level, id), record({ standing = 'r', used = t.used, expires = t.expires,
    holder = '', to = t.to, consumer = '', reason = '' }))
  call('ZADD', READY, 0, line(group, level, t.to) .. padded(id))
end

local function unread(level, count)
  local answer = redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream(level), '>')
  if answer and answer.err then
    if not answer.err:find('NOGROUP', 1, true) then error(answer.err) end
    create(group, level)
    answer = call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream(level), '>')
  end
  return answer and answer[1][2] or {}
end

local function take_unread(level)
  local count, largest = math.min(16, most - taken), 1
  while count > 0 and not is_full do
    local entries = unread(level, count)
    for _, entry in ipairs(entries) do
      local id, fields = entry[1], entry[2]
      local t = terms(fields)
      largest = math.max(largest, t.size)
      if not is_given(t, group) then
        call('XACK', stream(level), group, id)
        finish(group, level, id, t.expires)
      elseif not is_for(t.to, recipient) or is_full or not fits(t.size) then
        is_full = is_full or is_for(t.to, recipient)
        call('XACK', stream(level), group, id)
        park(level, id, t)
      else
        t.reason = ''
        hand_over(level, id, fields, t, t.size)
      end
    end
    if #entries < count then return end
    count = math.min(most - taken, 256, math.max(1, math.floor((MOST_BYTES - bytes) / largest)))
  end
end

local function take()
  local is_any_again = call('EXISTS', READY) == 1
  for level = LEVELS, 1, -1 do
    while is_any_again and taken < most and not is_full do
      local ids = again(group, level, recipient, 'LIMIT', 0, math.min(100, most - taken))
      for _, text in ipairs(ids) do
        if taken < most and not is_full then take_again(level, unpadded(text)) end
      end
      if #ids == 0 then break end
    end
    if taken < most and not is_full then take_unread(level) end
  end
end
