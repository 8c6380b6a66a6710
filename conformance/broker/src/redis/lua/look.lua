-- Looking: what is ready for a group, in the order in which it would be taken.
local function is_for(to, recipient) return to == '' or to == recipient end

-- Ids of one level that are ready again: unaddressed, and addressed to this recipient.
local function again(group, level, recipient, ...)
  local found, limit = {}, { ... }
  local function collect(to)
    local start = line(group, level, to)
    for _, member in ipairs(call('ZRANGEBYLEX', READY, '[' .. start, '(' .. start .. '\255', unpack(limit))) do
      found[#found + 1] = member:sub(#start + 1)
    end
  end
  collect('')
  if recipient ~= '' then collect(recipient) end
  table.sort(found)
  return found
end

-- Whether a fresh entry can be given to a group.
local function is_given(t, group)
  return (not t.group or t.group == group) and not (t.expires and t.expires <= now)
end

-- The id of a message whose producer gave none is made of the entry's.
local function made_of(id)
  local ms, seq = id:match('^(%d+)%-(%d+)$')
  ms, seq = tonumber(ms), tonumber(seq)
  return string.format('%08x-%04x-8000-8%03x-%012x', math.floor(ms / 65536), ms % 65536,
    math.floor(seq / 281474976710656), seq % 281474976710656)
end

local DIGITS = '^' .. ('%x'):rep(8) .. '%-' .. (('%x'):rep(4) .. '%-'):rep(3) .. ('%x'):rep(12) .. '$'

local function message_id(id, fields)
  local found = {}
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if (name == '_id' or name == 'message_id' or name == 'event_id') and value:find(DIGITS) then found[name] = value:lower() end
  end
  return found._id or found.message_id or found.event_id or made_of(id)
end

-- Calls `see(level, id, fields, used, size)` for each, until it answers true.
local function each_ready(group, recipient, see)
  for level = LEVELS, 1, -1 do
    for _, text in ipairs(again(group, level, recipient)) do
      local id = unpadded(text)
      local entry = call('XRANGE', stream(level), id, id)[1]
      local kept = call('HGET', STATE, slot(group, level, id))
      if entry and kept and see(level, id, entry[2], read(kept).used, terms(entry[2]).size) then return end
    end
    local from = unpadded(cursor(group, level))
    repeat
      local entries = call('XRANGE', stream(level), '(' .. from, '+', 'COUNT', 10)
      for _, entry in ipairs(entries) do
        local t = terms(entry[2])
        if is_given(t, group) and is_for(t.to, recipient) and see(level, entry[1], entry[2], t.used, t.size) then return end
        from = entry[1]
      end
    until #entries < 10
  end
end
