-- Keep the places of calls that still run; a worker that was killed renews nothing, and its places come back.
--
-- KEYS  1 leases
-- ARGV  1 ms of a lease  2… members: id of a call, a colon, number of its place
-- Returns 0.
--
-- Example: a lease of 30,000 ms at 12:00:00 lasts until 12:00:30.

local clock = redis.call('TIME')
local ends = (tonumber(clock[1]) * 1000000 + tonumber(clock[2])) / 1000 + tonumber(ARGV[1])
for place = 2, #ARGV do
  redis.call('ZADD', KEYS[1], ends, ARGV[place])
end
redis.call('PEXPIRE', KEYS[1], 600000)
return 0
