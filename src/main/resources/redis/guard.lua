-- Stands before the counting script. Ids are hashed by the installation's key; the last of ARGV is the key that the
-- caller hashed by ('' on a cluster, where this is not asked). If another key is in force, or none, the store was
-- emptied: nothing may be counted by the old one. Whatever is wrong with that key is no event's fault.
if ARGV[#ARGV] ~= '' then
    local inForce = redis.pcall('HGET', 'flagtally:installation', 'id-key')
    if type(inForce) == 'table' and inForce.err then
        return redis.error_reply('STALE flagtally:installation cannot be read: ' .. inForce.err)
    end
    if inForce ~= ARGV[#ARGV] then
        return redis.error_reply('STALE the id key of this installation is another one now')
    end
end

