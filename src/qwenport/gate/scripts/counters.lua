-- What all scripts of the counters share; it stands before each of them.
--
-- A script runs whole or not at all, and nothing else runs meanwhile: that is what makes a take all or nothing. All keys
-- of one installation hold the same {hash tag}, so that a cluster keeps them on one node; some names are put together
-- here. The clock is the server's. Amounts are strings of whole numbers and are added up by HINCRBY and INCRBY, which
-- are exact to 64 bits; they are compared as Lua's numbers, exact to 2^53 (9 million units of a currency in nano-units),
-- beyond which a comparison may be off by a nano-unit or two.
--
-- A counter of a sliding window is a sorted set (member: first moment of what was added up in it, score: last moment,
-- in microseconds) and beside it, named `:a`, a hash of the amounts, with the sum of all under `s`. A counter of the
-- calendar is a number for each period, `<key>:<period>`; one of calls at once is a number.

local function whole(number)
  return string.format('%.0f', number)
end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Drop what has left a window, and return what is in it.
local function look(key, gone)
  local sums = key .. ':a'
  while true do
    local old = redis.call('ZRANGEBYSCORE', key, '-inf', whole(gone), 'LIMIT', 0, 1000)
    if #old == 0 then
      break
    end
    local dropped = 0
    for _, amount in ipairs(redis.call('HMGET', sums, unpack(old))) do
      dropped = dropped + tonumber(amount or 0)
    end
    redis.call('HDEL', sums, unpack(old))
    redis.call('ZREM', key, unpack(old))
    if dropped > 0 then
      redis.call('HINCRBY', sums, 's', whole(-dropped))
    end
  end
  return tonumber(redis.call('HGET', sums, 's') or 0)
end

-- Count an amount now; what comes within a 6000th part of the window is kept together, with the latest moment.
local function add(key, now, width_us, amount)
  local sums = key .. ':a'
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
  local bucket
  if last[1] then
    -- The server's clock may have been set back.
    now = math.max(now, tonumber(last[2]))
    if now - tonumber(last[1]) <= width_us / 6000 then
      bucket = last[1]
    end
  end
  bucket = bucket or whole(now)
  redis.call('ZADD', key, whole(now), bucket)
  redis.call('HINCRBY', sums, bucket, amount)
  redis.call('HINCRBY', sums, 's', amount)
  redis.call('PEXPIRE', key, whole(width_us / 1000 + 1000))
  redis.call('PEXPIRE', sums, whole(width_us / 1000 + 1000))
  return bucket
end

-- How long it takes, in microseconds, until an amount fits; the whole window where it never does.
local function wait(key, now, width_us, over)
  local sums, from = key .. ':a', 0
  while over > 0 do
    local some = redis.call('ZRANGE', key, from, from + 99, 'WITHSCORES')
    if #some == 0 then
      return width_us
    end
    for place = 1, #some, 2 do
      over = over - tonumber(redis.call('HGET', sums, some[place]) or 0)
      if over <= 0 then
        return tonumber(some[place + 1]) + width_us - now
      end
    end
    from = from + 100
  end
  return 0
end

-- Replace what was taken of one counter by what was used.
local function correct(touch, used, now)
  local difference = used - tonumber(touch.amount)
  if touch.kind == 'at_once' then
    if redis.call('DECRBY', touch.key, touch.amount) <= 0 then
      redis.call('DEL', touch.key)
    end
  elseif touch.kind == 'calendar' then
    if difference ~= 0 and redis.call('EXISTS', touch.key) == 1 then
      redis.call('INCRBY', touch.key, whole(difference))
    end
  elseif difference > 0 then
    if not touch.burst then
      look(touch.key, now - touch.width_us)
      add(touch.key, now, touch.width_us, whole(difference))
    end
  elseif difference < 0 then
    look(touch.key, now - touch.width_us)
    if redis.call('HEXISTS', touch.key .. ':a', touch.where) == 1 then
      redis.call('HINCRBY', touch.key .. ':a', touch.where, whole(difference))
      redis.call('HINCRBY', touch.key .. ':a', 's', whole(difference))
    end
  end
end

-- Settle one hold: `used` is what was consumed by unit, with `tokens` and `cost`, or nil where nothing was admitted.
local function release(hold_key, leases, id, used)
  local hold = cjson.decode(redis.call('GET', hold_key))
  local now = now_us()
  used = used or {}
  for _, touch in ipairs(hold.touches) do
    correct(touch, tonumber(used[touch.unit] or 0), now)
  end
  if hold.funds_amount ~= '0' then
    redis.call('HINCRBY', hold.funds, 'h', '-' .. hold.funds_amount)
  end
  redis.call('HINCRBY', hold.funds, 'u', used[hold.is_covered and 'free_tokens' or 'money'] or '0')
  redis.call('DEL', hold_key)
  redis.call('ZREM', leases, id)
  redis.call('SREM', hold.owner, id)
end
