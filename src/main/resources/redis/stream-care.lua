-- Looks after a stream for one of its consumers. KEYS: the stream. ARGV: the group; the consumer; how long, in
-- milliseconds, a consumer must have been silent to be taken for dead; then the ids that the consumer works on. Answers
-- how many dead consumers were removed, how many entries were trimmed, and how many entries the group may still have to
-- acknowledge.
local key, group, me, silent = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])

-- It is alive, and so is its work: without this, others would take over what waits long for a store.
redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', key, '18446744073709551615-18446744073709551615')
for i = 4, #ARGV do
  if #redis.call('XPENDING', key, group, ARGV[i], ARGV[i], 1, me) > 0 then
    redis.call('XCLAIM', key, group, me, 0, ARGV[i], 'JUSTID')
  end
end

local removed = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  if field(consumer, 'name') ~= me and field(consumer, 'pending') == 0 and field(consumer, 'idle') > silent then
    redis.call('XGROUP', 'DELCONSUMER', key, group, field(consumer, 'name'))
    removed = removed + 1
  end
end

local trimmed = trim(key)

local waiting = redis.call('XLEN', key)
for _, each in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local lag = field(each, 'lag')
  if field(each, 'name') == group and lag then
    waiting = lag + field(each, 'pending')
  end
end
return { removed, trimmed, waiting }
