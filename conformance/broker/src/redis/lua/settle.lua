-- ARGV: how many; for each its group, level, entry, holder, verdict, delay or '', whether there is a reason,
-- the reason. Answers 1 for each that was held so, 0 for what is stale.
local BACKOFF = {}
for rest in policy[4]:gmatch('%d+') do BACKOFF[#BACKOFF + 1] = tonumber(rest) end

pass_time()
local slots, number = {}, tonumber(ARGV[3])
for n = 0, number - 1 do
  local at = 4 + n * 8
  slots[#slots + 1] = slot(ARGV[at], ARGV[at + 1], ARGV[at + 2])
end
local texts = call('HMGET', STATE, unpack(slots))

-- What is done goes in bulk: one step for each stream and group.
local done, ended, timers = {}, {}, {}
local answers, is_retried = {}, false
for n = 1, number do
  local at = 4 + (n - 1) * 8
  local group, level, id, holder, verdict = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  -- All that is needed of what is done.
  local standing, expires, held_by = (texts[n] or ''):match('^(.)|%d+|(%d*)|([^|]*)|')
  if ended[slots[n]] or standing ~= 'h' or held_by ~= holder then
    answers[n] = 0
  else
    answers[n], ended[slots[n]] = 1, true
    timers[#timers + 1] = 'h|' .. slots[n]
    local given = ARGV[at + 6] == '1' and ARGV[at + 7] or nil
    if verdict == 'done' then
      local key = group .. '|' .. level
      done[key] = done[key] or { group = group, level = level, ids = {}, slots = {}, expires = {} }
      local all = done[key]
      all.ids[#all.ids + 1], all.slots[#all.slots + 1] = id, slots[n]
      all.expires[#all.ids] = expires ~= ''
    else
      local r = read(texts[n])
      call('XACK', stream(level), group, id)
      if verdict == 'retry' then
        local attempt = r.used + 1
        local rest = ARGV[at + 5] ~= '' and tonumber(ARGV[at + 5]) or BACKOFF[math.min(attempt, #BACKOFF)] or 0
        failed(group, level, id, r, now, now + rest, RETRIED, given)
        is_retried = true
      else
        local words = 'given up at delivery ' .. (r.used + 1) .. ', without a reason'
        bury(group, level, id, r, now, given or (r.reason ~= '' and r.reason) or words)
      end
    end
  end
end
for _, all in pairs(done) do
  call('HDEL', STATE, unpack(all.slots))
  call('XACK', stream(all.level), all.group, unpack(all.ids))
  if #all_groups() == 1 and not policy[8] then
    call('XDEL', stream(all.level), unpack(all.ids))
    for i, id in ipairs(all.ids) do
      if all.expires[i] then call('ZREM', TIMERS, 'e|' .. all.level .. '|' .. id) end
    end
  else
    for i, id in ipairs(all.ids) do finish(all.group, all.level, id, all.expires[i]) end
  end
end
if #timers > 0 then call('ZREM', TIMERS, unpack(timers)) end
if is_retried then wake() end
return { 'ok', answers }
