-- A consumer leaves. KEYS: the stream. ARGV: the group; the consumer; an idle time in milliseconds. What it leaves undone
-- may be claimed at once; with nothing undone it is removed.
local key, group, me, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local pending = redis.call('XPENDING', key, group, '-', '+', 1000, me)
for _, entry in ipairs(pending) do
  redis.call('XCLAIM', key, group, me, 0, entry[1], 'IDLE', idle, 'JUSTID')
end
if #pending == 0 then
  redis.call('XGROUP', 'DELCONSUMER', key, group, me)
end
return #pending
