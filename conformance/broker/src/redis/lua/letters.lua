-- ARGV: behind which entry to begin, how many to look at. Answers with entries as they are.
pass_time()
local entries, out, bytes = call('XRANGE', LETTERS, ARGV[3], '+', 'COUNT', ARGV[4]), {}, 0
for _, entry in ipairs(entries) do
  bytes = bytes + terms(entry[2]).size
  if #out > 0 and bytes > 8 * 1048576 then break end
  out[#out + 1] = entry
end
return { 'ok', out, #entries }
