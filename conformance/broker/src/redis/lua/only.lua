-- Taking one message by its id.
local function is_there(level, id, wanted)
  local entry = call('XRANGE', stream(level), id, id)[1]
  return entry and message_id(id, entry[2]) == wanted and entry
end

-- Where it is: remembered, else looked for; of several the first that would be taken.
local function place_of(wanted)
  local level, id = (call('HGET', KNOWN, raw(wanted)) or ''):match('^%d+|(%d+)|(.*)$')
  if level and is_there(tonumber(level), id, wanted) then return tonumber(level), id end
  local found_level, found_id
  each_ready(group, recipient, function(its_level, its_id, fields)
    if message_id(its_id, fields) ~= wanted then return false end
    found_level, found_id = its_level, its_id
    return true
  end)
  return found_level, found_id
end

-- Reads on up to an entry. What is passed stays ready, in its order.
local function read_on(level, id)
  for _, entry in ipairs(call('XRANGE', stream(level), '(' .. unpadded(cursor(group, level)), id)) do
    local t = terms(entry[2])
    if is_given(t, group) then park(level, entry[1], t) else finish(group, level, entry[1], t.expires) end
  end
  call('XGROUP', 'SETID', stream(level), group, id)
  cursors[level] = nil
end

local function take_only(wanted)
  local level, id = place_of(wanted)
  if not level then return end
  if padded(id) > cursor(group, level) then read_on(level, id) end
  local text = call('HGET', STATE, slot(group, level, id))
  local r = text and read(text)
  if r and r.standing == 'r' and is_for(r.to, recipient) then take_again(level, id) end
end
