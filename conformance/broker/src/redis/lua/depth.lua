-- ARGV: group. Answers ready, leased, delayed, dead.
pass_time()
local group = ARGV[3]
local resting, leased, dead = call('HLEN', LATE), 0, 0
local ready = length() - resting
if call('SISMEMBER', GROUPS, group) == 1 then
  for level = 1, LEVELS do
    local held = redis.pcall('XPENDING', stream(level), group)
    if not held.err then leased = leased + held[1] end
  end
  local states, start = call('HGETALL', STATE), group .. '|'
  for i = 1, #states, 2 do
    if states[i]:sub(1, #start) == start and states[i + 1]:sub(1, 1) == 'd' then
      resting, ready = resting + 1, ready - 1
    end
  end
  local shares = call('HGETALL', SHARES)
  for i = 1, #shares, 2 do
    if shares[i + 1]:find('|' .. group .. '|', 1, true) then ready = ready - 1 end
  end
  ready = math.max(0, ready - leased)
elseif policy[9] then
  ready = 0
  each_ready(group, '', function() ready = ready + 1 end)
end
local from = '-'
if call('SCARD', GROUPS) == 1 and group == '_' then
  return { 'ok', { ready, leased, resting, call('XLEN', LETTERS) } }
end
repeat
  local letters = call('XRANGE', LETTERS, from, '+', 'COUNT', 20)
  for _, letter in ipairs(letters) do
    if (terms(letter[2]).group or '_') == group then dead = dead + 1 end
    from = '(' .. letter[1]
  end
until #letters < 20
return { 'ok', { ready, leased, resting, dead } }
