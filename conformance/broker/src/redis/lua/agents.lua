-- KEYS[1]: the agents of a tenant. Answers the server's time and what is kept of each agent.
local time = redis.call('TIME')
return { time[1] * 1000 + math.floor(time[2] / 1000), redis.call('HGETALL', KEYS[1]) }
