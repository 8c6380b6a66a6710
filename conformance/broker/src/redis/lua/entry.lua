-- What a group keeps of an entry that it has passed and not finished, in one line of the hash STATE:
-- standing (h held, r ready, d resting), attempts used up, expiry, holder, recipient, consumer, reason.
local function slot(group, level, id) return group .. '|' .. level .. '|' .. id end

local function record(r)
  return r.standing .. '|' .. r.used .. '|' .. (r.expires and string.format('%.0f', r.expires) or '') .. '|' .. r.holder .. '|' .. r.to .. '|' ..
    r.consumer .. '|' .. r.reason
end

local function read(text)
  local standing, used, expires, holder, to, consumer, reason =
    text:match('^(.)|(%d+)|(%d*)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
  return { standing = standing, used = tonumber(used), expires = tonumber(expires), holder = holder, to = to,
    consumer = consumer, reason = reason }
end

-- Ids of entries as text that sorts as they do.
local function padded(id)
  local ms, seq = id:match('^(%d+)%-(%d+)$')
  return ('0'):rep(20 - #ms) .. ms .. ('0'):rep(20 - #seq) .. seq
end

local function unpadded(text)
  local ms, seq = text:sub(1, 20):gsub('^0+(%d)', '%1'), text:sub(21):gsub('^0+(%d)', '%1')
  return ms .. '-' .. seq
end

-- An id as it is remembered: its sixteen bytes.
local function raw(uuid)
  return ((uuid:gsub('-', '')):gsub('%x%x', function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The order of what is ready again: for each group, level and recipient by the ids.
local function line(group, level, to) return group .. '|' .. string.format('%02d', level) .. '|' .. to .. '|' end

-- What the fields of an entry say to the broker. Fields of other producers may say none of it.
local NAME = '^[%w._-]+$'

local function terms(fields)
  local t = { to = '', used = 0, size = 0 }
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    t.size = t.size + #value
    if name == '_to' then t.to = value:match(NAME) or ''
    elseif name == '_group' then t.group = value:match(NAME)
    elseif name == 'expires_at' or name == '_expires_at' then t.expires = moment(value)
    elseif name == '_retry_count' then t.used = math.min(tonumber(value:match('^%d+$') or '0'), MAX_ATTEMPTS - 1)
    end
  end
  return t
end

-- Up to where a group has read a level. Kept for the time of a script.
local cursors = {}
local function cursor(group, level)
  local known = cursors[level]
  if not known then
    known = {}
    local infos = redis.pcall('XINFO', 'GROUPS', stream(level))
    for _, info in ipairs(infos.err and {} or infos) do
      local name, last
      for i = 1, #info, 2 do
        if info[i] == 'name' then name = info[i + 1] elseif info[i] == 'last-delivered-id' then last = info[i + 1] end
      end
      known[name] = padded(last)
    end
    cursors[level] = known
  end
  return known[group] or padded('0-0')
end

-- How many messages the queue holds.
local function length()
  local sum = call('HLEN', LATE)
  for level = 1, LEVELS do sum = sum + call('XLEN', stream(level)) end
  return sum
end
