-- ARGV: behind which entry to begin, how many to look at. Answers with entries as they are, none at the end.
pass_time()
local from, most, out, bytes = ARGV[3], tonumber(ARGV[4]), {}, 0
while #out < most and bytes < 4 * 1048576 do
  local entries = call('XRANGE', LETTERS, from, '+', 'COUNT', math.min(10, most - #out))
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    out[#out + 1] = entry
    bytes = bytes + terms(entry[2]).size
    from = '(' .. entry[1]
  end
end
return { 'ok', out }
