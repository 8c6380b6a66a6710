-- Every script of a queue begins with this. KEYS are the queue's own, always all of them and in this
-- order; ARGV[1] is the declaration that the caller knows, ARGV[2] the channel of those who wait.
local META, GROUPS, STATE, READY, TIMERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local KNOWN, FORGET, LATE, SHARES, LETTERS = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local LEVELS = #KEYS - 10
local call = redis.call

local function stream(level) return KEYS[10 + level] end

local policy = call('HMGET', META, 'epoch', 'max_attempts', 'lease_ms', 'backoff_ms', 'max_length', 'overflow',
  'dedupe_ms', 'foreign', 'special', 'last')
if not policy[1] then return { 'absent' } end
if policy[1] ~= ARGV[1] then return { 'changed' } end
local MAX_ATTEMPTS, LEASE, MAX_LENGTH = tonumber(policy[2]), tonumber(policy[3]), tonumber(policy[5] or nil)
local DEDUPE = tonumber(policy[7])

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Tells those who wait. Who may not use channels is not heard, and those who wait look again by themselves.
local function wake() redis.pcall('PUBLISH', ARGV[2], '') end
