-- Take all that a call may use at most, or nothing.
--
-- KEYS  1 epoch  2 the hold  3 leases  4 holds of the owner  5 mark of a call that was voided before it came
--       6 purse (hash: m moved, u used, h held, r revision)  7 free tokens (hash: u used, h held)  8… one counter a charge
-- ARGV  1 the epoch that the caller knows  2 the ask as JSON:
--       {"id": "r1", "lease_ms": 3660000, "now_ms": 1, "force": false, "is_covered": false,
--        "is_checked": true, "cost": "500", "free": {"tokens": "1000", "amount": "120"} or null, "is_paid": true,
--        "charges": [{"kind": "sliding", "amount": "1", "cap": "60", "width_us": 60000000, "unit": "requests"}, …]}
--       A charge of the calendar has "periods": [["2026-01-31", begin_ms, end_ms], …] instead of "width_us".
--       With "force" nothing is checked: the call was admitted before the counters were lost.
-- Returns JSON: {"epoch": …} where the epoch is another one, {"void": true}, {"funds": "arrears" | "busy" | "beyond"}
--       (with "owes": true where the balance is below 0),
--       {"refused": 3, "wait_ms": 1200}, or {"is_covered": false, "shadows": [4], "counted": [[1, 59, 60000], …]}.
--
-- Example: a limit of 2 requests a minute, both used. The third call gets {"refused": 1, "wait_ms": 58000}; nothing of
-- its other charges was taken.

local known = redis.call('GET', KEYS[1]) or ''
local ask = cjson.decode(ARGV[2])
if known ~= ARGV[1] and not ask.force then
  return cjson.encode({epoch = known})
end
local earlier = redis.call('GET', KEYS[2])
if earlier then
  local hold = cjson.decode(earlier)
  if ask.force then
    redis.call('SREM', hold.owner, ask.id)
    hold.owner = KEYS[4]
    redis.call('SET', KEYS[2], cjson.encode(hold), 'KEEPTTL')
    redis.call('SADD', KEYS[4], ask.id)
  end
  return cjson.encode({is_covered = hold.is_covered})
end
if redis.call('EXISTS', KEYS[5]) == 1 then
  return cjson.encode({void = true})
end

local now = now_us()
local function period_of(charge)
  for _, period in ipairs(charge.periods) do
    if now / 1000 >= period[2] and now / 1000 < period[3] then
      return period
    end
  end
end

local is_covered = ask.is_covered
if not ask.force then
  local purse = redis.call('HMGET', KEYS[6], 'm', 'u', 'h')
  local balance = tonumber(purse[1] or 0) - tonumber(purse[2] or 0)
  if ask.is_checked and balance < 0 then
    return cjson.encode({funds = 'arrears', owes = true})
  end
  if ask.free ~= cjson.null then
    local free = redis.call('HMGET', KEYS[7], 'u', 'h')
    is_covered = tonumber(free[1] or 0) + tonumber(free[2] or 0) + tonumber(ask.free.amount) <= tonumber(ask.free.tokens)
  end
  if not is_covered then
    local cost = tonumber(ask.cost)
    if not ask.is_paid then
      return cjson.encode({funds = 'beyond'})
    end
    if ask.is_checked and cost > 0 then
      if cost > balance then
        return cjson.encode({funds = 'arrears'})
      end
      if cost > balance - tonumber(purse[3] or 0) then
        return cjson.encode({funds = 'busy'})
      end
    end
  end
end

local refused, longest, shadows = nil, 0, {}
for place, charge in ipairs(ask.charges) do
  local key, amount, cap, wait_us = KEYS[7 + place], tonumber(charge.amount), tonumber(charge.cap), 0
  if is_covered and charge.unit == 'money' then
    amount = 0
    charge.amount = '0'
  end
  if charge.kind == 'calendar' then
    charge.period = period_of(charge)
    if not charge.period then
      return cjson.encode({clock_ms = whole(now / 1000)})
    end
  end
  if amount > 0 and not ask.force then
    if charge.kind == 'sliding' then
      local counted = look(key, now - charge.width_us)
      if counted + amount > cap and not (charge.burst and counted == 0 and cap > 0) then
        wait_us = wait(key, now, charge.width_us, counted + amount - cap)
      end
    elseif charge.kind == 'at_once' then
      if tonumber(redis.call('GET', key) or 0) + amount > cap then
        wait_us = 1000000
      end
    else
      if tonumber(redis.call('GET', key .. ':' .. charge.period[1]) or 0) + amount > cap then
        wait_us = charge.period[3] * 1000 - now
      end
    end
  end
  if wait_us > 0 then
    if charge.shadow then
      table.insert(shadows, place)
    else
      refused = refused or place
      longest = math.max(longest, wait_us)
    end
  end
end
if refused then
  return cjson.encode({refused = refused, wait_ms = math.ceil(longest / 1000)})
end

local touches, shown = {}, {}
for place, charge in ipairs(ask.charges) do
  local key = KEYS[7 + place]
  local touch = {kind = charge.kind, key = key, amount = charge.amount, unit = charge.unit, burst = charge.burst}
  local counted, reset_ms = 0, 0
  if charge.kind == 'sliding' then
    touch.width_us = charge.width_us
    touch.where = add(key, now, charge.width_us, charge.amount)
    if charge.shown then
      counted = tonumber(redis.call('HGET', key .. ':a', 's'))
      reset_ms = charge.width_us / 1000
    end
  elseif charge.kind == 'at_once' then
    redis.call('INCRBY', key, charge.amount)
  else
    touch.key = key .. ':' .. charge.period[1]
    counted = redis.call('INCRBY', touch.key, charge.amount)
    reset_ms = charge.period[3] - now / 1000
    redis.call('PEXPIREAT', touch.key, whole(charge.period[3] + 259200000))
  end
  touches[place] = touch
  if charge.shown then
    table.insert(shown, {place, counted, reset_ms})
  end
end
local funds, amount = KEYS[6], ask.cost
if is_covered then
  funds, amount = KEYS[7], ask.free.amount
end
redis.call('HINCRBY', funds, 'h', amount)
local hold = {owner = KEYS[4], is_covered = is_covered, touches = touches, funds = funds, funds_amount = amount}
redis.call('SET', KEYS[2], cjson.encode(hold), 'PX', ask.lease_ms + 86400000)
redis.call('ZADD', KEYS[3], whole(now / 1000 + ask.lease_ms), ask.id)
redis.call('SADD', KEYS[4], ask.id)
return cjson.encode({is_covered = is_covered, shadows = shadows, counted = shown})
