-- ARGV: `graceful` or `abort`, how many, for each its group, level, entry, holder. What is held so comes
-- back at once; with a goodbye no attempt is used up.
pass_time()
local at = 5
for _ = 1, tonumber(ARGV[4]) do
  local group, level, id, holder = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  at = at + 4
  local where = slot(group, level, id)
  local text = call('HGET', STATE, where)
  local r = text and read(text)
  if r and r.standing == 'h' and r.holder == holder then
    call('XACK', stream(level), group, id)
    call('ZREM', TIMERS, 'h|' .. where)
    if ARGV[3] == 'graceful' then
      come_back(group, level, id, r, now, now)
    else
      failed(group, level, id, r, now, now, CLIENT_LOST)
    end
  end
end
wake()
return { 'ok', 1 }
