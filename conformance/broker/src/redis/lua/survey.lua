-- Once in a while: what others do on the same stream. Groups of theirs, which are to find what they have
-- not read, and consumers of theirs in our groups, whose leases end as ours do.
local function reclaim(group, level)
  local held = redis.pcall('XPENDING', stream(level), group, 'IDLE', LEASE, '-', '+', 20)
  for _, one in ipairs(held.err and {} or held) do
    local id, deliveries = one[1], one[4]
    local text = call('HGET', STATE, slot(group, level, id))
    if not text or read(text).standing ~= 'h' then
      call('XACK', stream(level), group, id)
      local entry = call('XRANGE', stream(level), id, id)[1]
      if entry then
        local t = terms(entry[2])
        local used = math.min(math.max(t.used, deliveries - 1), MAX_ATTEMPTS - 1)
        local r = { standing = 'h', used = used, expires = t.expires, holder = '', to = t.to, consumer = '', reason = '' }
        failed(group, level, id, r, now, now, LEASE_ENDED)
      end
    end
  end
end

-- What others have acknowledged in our group is done, without a word to us: it is read, and held by nobody.
local function find_acknowledged(group, level)
  local from = '-'
  for _ = 1, 5 do
    local entries = call('XRANGE', stream(level), from, '+', 'COUNT', 20)
    for _, entry in ipairs(entries) do
      local id = entry[1]
      if padded(id) > cursor(group, level) then return end
      local shares = call('HGET', SHARES, level .. '|' .. id)
      local is_known = shares and shares:find('|' .. group .. '|', 1, true) or call('HGET', STATE, slot(group, level, id))
      if not is_known and #call('XPENDING', stream(level), group, id, id, 1) == 0 then
        finish(group, level, id, terms(entry[2]).expires)
      end
      from = '(' .. id
    end
    if #entries < 20 then return end
  end
end

local function others(level)
  local found = {}
  local infos = redis.pcall('XINFO', 'GROUPS', stream(level))
  for _, info in ipairs(infos.err and {} or infos) do
    for i = 1, #info, 2 do
      if info[i] == 'name' and call('SISMEMBER', GROUPS, info[i + 1]) == 0 then found[#found + 1] = info[i + 1] end
    end
  end
  return found
end

local function have_all_read(names, level, id)
  for _, name in ipairs(names) do
    if padded(id) > cursor(name, level) or #call('XPENDING', stream(level), name, id, id, 1) > 0 then return false end
  end
  return true
end

local function survey(group)
  local theirs = {}
  local is_shared = false
  for level = 1, LEVELS do
    reclaim(group, level)
    find_acknowledged(group, level)
    theirs[level] = others(level)
    is_shared = is_shared or #theirs[level] > 0
  end
  if is_shared and not policy[8] then call('HSET', META, 'foreign', 1) end
  if not policy[8] then return end
  local shares, count = call('HGETALL', SHARES), #all_groups()
  for i = 1, #shares, 2 do
    local level, id = shares[i]:match('^(%d+)|(.*)$')
    local _, bars = shares[i + 1]:gsub('|', '')
    if bars > count and have_all_read(theirs[tonumber(level)], tonumber(level), id) then
      call('HDEL', SHARES, shares[i])
      remove(level, id, true)
    end
  end
  if not is_shared then call('HDEL', META, 'foreign') end
end
