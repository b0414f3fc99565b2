-- Give back the room of one call, correct what it took, or note what the upstream said.
--
-- KEYS  1 state  2 leases, as in take
-- ARGV  1 id of the call, or empty  2 places  3 µs by which the tokens are due later, or sooner
--       4 1 where the upstream said 429  5 µs for which it is closed then  6 µs in which a narrowed pace comes back
--       7 µs in which several 429s are one signal  8 the narrowest factor
-- Returns 0.
--
-- Example: a call took 2,048 tokens at 1,000 µs each and used 48: ARGV[3] is -2000000.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
if ARGV[1] ~= '' then
  for place = 1, tonumber(ARGV[2]) do
    redis.call('ZREM', KEYS[2], ARGV[1] .. ':' .. place)
  end
end
if ARGV[3] ~= '0' then
  local at = redis.call('HGET', KEYS[1], 't')
  if at then
    redis.call('HSET', KEYS[1], 't', string.format('%.0f', tonumber(at) + tonumber(ARGV[3])))
  end
end
if ARGV[4] == '1' then
  local said = redis.call('HMGET', KEYS[1], 'c', 'f', 'n')
  local narrowed_at = tonumber(said[3] or 0)
  if now - narrowed_at >= tonumber(ARGV[7]) then
    local factor = math.min(1, tonumber(said[2] or 1) + (now - narrowed_at) / tonumber(ARGV[6]))
    redis.call('HSET', KEYS[1], 'f', math.max(tonumber(ARGV[8]), factor / 2), 'n', string.format('%.0f', now))
  end
  local closed = math.max(tonumber(said[1] or 0), now + tonumber(ARGV[5]))
  redis.call('HSET', KEYS[1], 'c', string.format('%.0f', closed))
  redis.call('PEXPIRE', KEYS[1], 600000)
end
return 0
