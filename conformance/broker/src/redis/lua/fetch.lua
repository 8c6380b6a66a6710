-- ARGV: group, whether to survey, how many want something; for each its consumer, recipient or '', how many, holder, the
-- id wanted or ''. Answers with the time until something changes by itself, or -1 where nothing does or all got something,
-- and for each what was taken (level, entry, attempts used up, fields), or 0 where one answer carries no more.
pass_time()
join(group)
if ARGV[4] == '1' then survey(group) end
local answers, at, in_vain, is_anybody_left = {}, 6, {}, false
for n = 1, tonumber(ARGV[5]) do
  consumer, recipient, most, holder = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
  local wanted = ARGV[at + 4]
  at, out, taken = at + 5, {}, 0
  if wanted ~= '' and not is_full then
    -- It looks at what those before it took.
    write_down(0)
    cursors = {}
    take_only(wanted)
  elseif not is_full and not in_vain[recipient] then
    take()
    in_vain[recipient] = taken < most and not is_full
  end
  is_anybody_left = is_anybody_left or taken == 0
  answers[n] = taken == 0 and is_full and 0 or out
end
write_down(0)
local next_change = is_anybody_left and call('ZRANGE', TIMERS, 0, 0, 'WITHSCORES') or {}
return { 'ok', next_change[2] and math.max(0, next_change[2] - now) or -1, answers }
