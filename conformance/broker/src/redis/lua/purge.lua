-- ARGV: group or '' for all, whether it is the letters, how many at most. Answers how many went.
pass_time()
local removed, most = 0, tonumber(ARGV[5])

local function purge_letters()
  local from = '-'
  repeat
    local letters = call('XRANGE', LETTERS, from, '+', 'COUNT', 20)
    for _, letter in ipairs(letters) do
      if ARGV[3] == '' or (terms(letter[2]).group or '_') == ARGV[3] then
        call('XDEL', LETTERS, letter[1])
        removed = removed + 1
      end
      from = '(' .. letter[1]
    end
  until #letters < 20 or removed >= most
end

local function purge_again(group)
  local start = group .. '|'
  for _, member in ipairs(call('ZRANGEBYLEX', READY, '[' .. start, '(' .. start .. '\255', 'LIMIT', 0, most)) do
    local level, text = member:match('^[^|]*|(%d+)|[^|]*|(%d+)$')
    local id = unpadded(text)
    local where = slot(group, tonumber(level), id)
    local r = read(call('HGET', STATE, where))
    call('ZREM', READY, member)
    call('HDEL', STATE, where)
    finish(group, tonumber(level), id, r.expires)
    removed = removed + 1
  end
end

local function purge_unread(group, level)
  local from = unpadded(cursor(group, level))
  repeat
    local entries = call('XRANGE', stream(level), '(' .. from, '+', 'COUNT', 20)
    if #entries > 0 then
      from = entries[#entries][1]
      call('XGROUP', 'SETID', stream(level), group, from)
      cursors[level] = nil
    end
    for _, entry in ipairs(entries) do
      local t = terms(entry[2])
      if is_given(t, group) then removed = removed + 1 end
      finish(group, level, entry[1], t.expires)
    end
  until #entries < 20 or removed >= most
end

if ARGV[4] == '1' then
  purge_letters()
else
  for _, group in ipairs(all_groups()) do
    if ARGV[3] == '' or ARGV[3] == group then
      purge_again(group)
      for level = 1, LEVELS do
        if removed < most then purge_unread(group, level) end
      end
    end
  end
end
return { 'ok', removed, removed >= most and 1 or 0 }
