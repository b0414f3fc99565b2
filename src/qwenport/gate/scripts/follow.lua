-- Take in what movements that are no calls have made of a balance; several workers say the same, the newest counts.
--
-- KEYS  1 epoch  2 purse
-- ARGV  1 the epoch that the caller knows  2 moved, in nano-units  3 revision of the balance
-- Returns 1, or -1 where the epoch is another one.
--
-- Example: moved 100, used 30, held 5. A credit of 50 makes moved 150; used and held stay as they are.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
end
if tonumber(redis.call('HGET', KEYS[2], 'r') or -1) < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[2], 'm', ARGV[2], 'r', ARGV[3])
end
return 1
