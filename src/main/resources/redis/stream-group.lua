-- Makes a group that reads a stream from its beginning. KEYS: the stream. ARGV: the group. Answers 1 if it is new.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if type(made) == 'table' and made.err then
  if string.find(made.err, 'BUSYGROUP') then
    return 0
  end
  return redis.error_reply(made.err)
end
return 1
