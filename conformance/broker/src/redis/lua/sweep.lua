-- Answers how many were dropped for their expiry since this was last asked.
pass_time()
local expired = tonumber(call('HGET', META, 'expired') or 0)
if expired > 0 then call('HDEL', META, 'expired') end
return { 'ok', expired }
