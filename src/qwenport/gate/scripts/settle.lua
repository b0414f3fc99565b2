-- Replace what a call took by what it consumed. A hold is settled once; one that is not known changes nothing.
--
-- KEYS  1 epoch  2 the hold  3 leases  4 mark of a call that is void
-- ARGV  1 the epoch that the caller knows  2 id of the call
--       3 what it consumed by unit, as JSON of strings, or an empty string where it was not admitted after all:
--         {"requests": "1", "input_tokens": "7", "output_tokens": "5", "total_tokens": "12", "images": "0",
--          "pages": "0", "money": "3400", "free_tokens": "12"}
-- Returns 1 for a hold that was settled, 0 for one that is not known, -1 where the epoch is another one.
--
-- Example: a call took 2,055 of the tokens of a minute and used 12: 2,043 are there again at once.

if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return -1
end
local used = ARGV[3] ~= '' and cjson.decode(ARGV[3]) or nil
if redis.call('EXISTS', KEYS[2]) == 0 then
  if not used then
    -- What was sent earlier may come later: a take whose caller has left must find this.
    redis.call('SET', KEYS[4], '1', 'PX', 60000)
  end
  return 0
end
release(KEYS[2], KEYS[3], ARGV[2], used)
return 1
