-- How an entry goes on: finished, ready again, resting, dead, expired.
local groups
local function all_groups()
  if not groups then
    groups = call('SMEMBERS', GROUPS)
    table.sort(groups)
  end
  return groups
end

-- No group has it any more.
local function remove(level, id, expires)
  call('XDEL', stream(level), id)
  if expires then call('ZREM', TIMERS, 'e|' .. level .. '|' .. id) end
end

-- A group has done with an entry. It goes when all have; while groups of others read the stream too,
-- the survey says when.
local function finish(group, level, id, expires)
  local count = #all_groups()
  if count == 1 and not policy[8] then return remove(level, id, expires) end
  local key = level .. '|' .. id
  local shares = call('HGET', SHARES, key) or '|'
  if not shares:find('|' .. group .. '|', 1, true) then shares = shares .. group .. '|' end
  local _, bars = shares:gsub('|', '')
  if bars > count and not policy[8] then
    call('HDEL', SHARES, key)
    remove(level, id, expires)
  else
    call('HSET', SHARES, key, shares)
  end
end

local function count_expired(n) call('HINCRBY', META, 'expired', n) end

-- It is held no more: ready, resting until a moment, or dropped where it has expired.
local function come_back(group, level, id, r, at, due)
  local where = slot(group, level, id)
  if r.expires and r.expires <= at then
    call('HDEL', STATE, where)
    finish(group, level, id, r.expires)
    return count_expired(1)
  end
  r.holder, r.consumer = '', ''
  if due > now then
    r.standing = 'd'
    call('ZADD', TIMERS, due, 'd|' .. where)
  else
    r.standing = 'r'
    call('ZADD', READY, 0, line(group, level, r.to) .. padded(id))
  end
  call('HSET', STATE, where, record(r))
end

-- Fields of a letter that are the letter's own. What an event calls so stands beside them.
local OF_LETTER = { error = true, retry_count = true, original_stream = true, original_message_id = true,
  timestamp = true }

local function bury(group, level, id, r, at, reason)
  call('HDEL', STATE, slot(group, level, id))
  local entry = call('XRANGE', stream(level), id, id)[1]
  if entry then
    local letter, fields = {}, entry[2]
    -- More than one call takes: somebody else's, kept as a text.
    if #fields > 4000 then fields = { 'body', cjson.encode(fields) } end
    for i = 1, #fields, 2 do
      local name = fields[i]
      if name ~= '_group' and name ~= '_level' then
        letter[#letter + 1] = OF_LETTER[name] and '_original_' .. name or name
        letter[#letter + 1] = fields[i + 1]
      end
    end
    local own = { 'error', reason, 'retry_count', r.used, 'original_stream', stream(level), 'original_message_id', id,
      'timestamp', written(at), '_level', level, '_group', group }
    for i = 1, #own do letter[#letter + 1] = own[i] end
    call('XADD', LETTERS, '*', unpack(letter))
  end
  finish(group, level, id, r.expires)
end

-- An attempt is used up. That is judged before its expiry.
local function failed(group, level, id, r, at, due, words, reason)
  local attempt = r.used + 1
  if reason then r.reason = reason end
  if attempt >= MAX_ATTEMPTS then
    local why = r.reason ~= '' and r.reason or words:gsub('#', tostring(attempt))
    return bury(group, level, id, r, at, why)
  end
  r.used = attempt
  come_back(group, level, id, r, at, due)
end

local RETRIED = 'attempts used up: # deliveries ended in retry'
local LEASE_ENDED = 'attempts used up: the lease of delivery # expired'
local CLIENT_LOST = 'attempts used up: the connection was lost during delivery #'
