-- Free holds whose leases have run out: their worker and its journal are gone. Their requests count, nothing else does.
--
-- KEYS  1 epoch  2 leases
-- ARGV  1 the epoch that the caller knows  2 what stands before the id in the key of a hold
-- Returns how many were freed; at most 100 at a time, so that nobody waits long.
--
-- Example: a machine burnt down an hour ago with 3 calls under way: 3 slots of their limit of concurrency are free again.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', whole(now_us() / 1000), 'LIMIT', 0, 100)
for _, id in ipairs(over) do
  if redis.call('EXISTS', ARGV[2] .. id) == 1 then
    release(ARGV[2] .. id, KEYS[2], id, {requests = '1'})
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return #over
