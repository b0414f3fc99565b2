-- Take the room of one call at a paced target, or say how long to wait.
--
-- KEYS  1 state (hash: r requests and t tokens are due at, c closed until, all in µs; f factor, n narrowed at)  2 leases
-- ARGV  1 id of the call  2 places  3 tokens  4 µs of one request  5 requests at once  6 µs of one token
--       7 tokens at once  8 places in all  9 ms of a lease  10 µs in which a narrowed pace comes back
--       An empty 4, 6 or 8 is no limit.
-- Returns 0 where the room was taken, else the µs to wait; -1 where nobody can say.
--
-- Example: one request a second, the last of them 0.4 s ago. The next gets 600000.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local said = redis.call('HMGET', KEYS[1], 'r', 't', 'c', 'f', 'n')
local factor = math.min(1, tonumber(said[4] or 1) + (now - tonumber(said[5] or now)) / tonumber(ARGV[10]))
local wait = tonumber(said[3] or 0) - now

local function due(said_at, each, burst, amount)
  local at = tonumber(said_at or 0)
  wait = math.max(wait, at - math.max(0, burst - amount) * each / factor - now)
  return string.format('%.0f', math.max(at, now) + amount * each / factor)
end

local requests, tokens
if ARGV[4] ~= '' then
  requests = due(said[1], tonumber(ARGV[4]), tonumber(ARGV[5]), 1)
end
if ARGV[6] ~= '' then
  tokens = due(said[2], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[3]))
end
local places = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now / 1000)
if ARGV[8] ~= '' and wait <= 1 then
  local taken = redis.call('ZCARD', KEYS[2])
  if taken > 0 and taken + places > math.max(1, math.floor(tonumber(ARGV[8]) * factor)) then
    return -1
  end
end
if wait > 1 then
  return math.ceil(wait)
end
if requests then
  redis.call('HSET', KEYS[1], 'r', requests)
end
if tokens then
  redis.call('HSET', KEYS[1], 't', tokens)
end
for place = 1, places do
  redis.call('ZADD', KEYS[2], now / 1000 + tonumber(ARGV[9]), ARGV[1] .. ':' .. place)
end
redis.call('PEXPIRE', KEYS[1], 600000)
redis.call('PEXPIRE', KEYS[2], 600000)
return 0
