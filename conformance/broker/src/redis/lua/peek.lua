-- ARGV: group, recipient or '', how many, the id after which to begin or ''. Answers level, entry,
-- attempts used up and fields of each.
pass_time()
local group, recipient, most, after = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local out, seen, bytes, begun = {}, 0, 0, after == ''
each_ready(group, recipient, function(level, id, fields, used, size)
  -- Behind the last of this id, so that who turns page after page comes to an end.
  if after ~= '' and message_id(id, fields) == after then
    out, seen, bytes, begun = {}, 0, 0, true
    return false
  end
  if begun and seen < most and (seen == 0 or bytes + size <= 8 * 1048576) then
    seen, bytes = seen + 1, bytes + size
    out[#out + 1], out[#out + 2], out[#out + 3], out[#out + 4] = level, id, used, fields
    return false
  end
  most = begun and math.min(most, seen) or most
  return begun and after == ''
end)
return { 'ok', out }
