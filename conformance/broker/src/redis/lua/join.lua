-- A new group sees all that some group still has.
local function create(group, level)
  local made = redis.pcall('XGROUP', 'CREATE', stream(level), group, '0', 'MKSTREAM')
  if type(made) == 'table' and made.err then
    if made.err:find('BUSYGROUP', 1, true) then return true end
    error(made.err)
  end
  return false
end

-- What the new group is not to see, or has read under that name already, it has done with.
local function pass_over(group, level)
  cursors[level] = nil
  local seen, from = cursor(group, level), '-'
  repeat
    local entries = call('XRANGE', stream(level), from, '+', 'COUNT', 10)
    for _, entry in ipairs(entries) do
      local t = terms(entry[2])
      local was_read = padded(entry[1]) <= seen and #call('XPENDING', stream(level), group, entry[1], entry[1], 1) == 0
      if was_read or not is_given(t, group) then finish(group, level, entry[1], t.expires) end
      from = '(' .. entry[1]
    end
  until #entries < 10
end

local function join(group)
  if call('SISMEMBER', GROUPS, group) == 1 then return end
  call('SADD', GROUPS, group)
  groups = nil
  for level = 1, LEVELS do
    if create(group, level) or policy[9] then pass_over(group, level) end
  end
end
