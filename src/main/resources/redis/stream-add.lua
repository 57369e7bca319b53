-- Adds an entry to a stream that is not full. KEYS: the stream. ARGV: the most entries; what to do with a full stream,
-- "refuse" or "drop-oldest"; then fields and values. Answers the id, or false if the stream is full.
local key, most = KEYS[1], tonumber(ARGV[1])
local fields = {}
for i = 3, #ARGV do
  fields[#fields + 1] = ARGV[i]
end
if ARGV[2] == 'drop-oldest' then
  return redis.call('XADD', key, 'MAXLEN', '~', most, '*', unpack(fields))
end
if redis.call('XLEN', key) >= most then
  trim(key)
  if redis.call('XLEN', key) >= most then
    return false
  end
end
return redis.call('XADD', key, '*', unpack(fields))
