-- Begin an epoch, when its counters are complete; or end one, whose counters come from an older copy of the data.
--
-- KEYS  1 epoch  2 lock of whoever rebuilds
-- ARGV  1 the epoch that is to be replaced, empty for none  2 the new epoch, empty for none  3 who holds the lock
-- Returns 1, or 0 where somebody else has done something in between.
--
-- Example: the server came back empty. Worker a holds the lock, wrote all counters under the name `e2`, and opens `e2`.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
  return 1
end
if redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
