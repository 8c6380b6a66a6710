-- ARGV: group, consumer, recipient or '', how many, holder, the id wanted or '', whether to survey.
-- Answers with the time until something changes by itself, or -1, and what was taken: level,
-- entry, attempts used up, fields.
pass_time()
join(group)
if ARGV[9] == '1' then survey(group) end
if ARGV[8] ~= '' then take_only(ARGV[8]) else take() end
write_down(0)
local next_change = call('ZRANGE', TIMERS, 0, 0, 'WITHSCORES')
return { 'ok', next_change[2] and math.max(0, next_change[2] - now) or -1, out }
