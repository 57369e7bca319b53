-- Counts the events of several counters that were not counted before. One call is one atomic step.
--
-- A script is not a transaction: what it wrote before an error stays. So each cell (a variation of a flag in one local
-- hour) checks every key it is about to write before it counts, and a cell that fails a check counts nothing; users are
-- checked by adding them, which may be repeated. Cells stand alone: one that is refused does not touch its neighbours.
--
-- KEYS, for each cell: day events, hour events, day users, hour users, ids of the hour, known variations
--                      and, unless on Redis Cluster, known flags; on Redis Cluster at the end a key that is never there
-- ARGV: how long ids are kept at least, in milliseconds (0: count without looking for repeats), most variations of a flag, most flags of an
--       environment, second before which a catalog entry is stale, keys of a cell (6 or 7); then for each cell:
--       variation, flag, day, last second, expiry of the day keys, expiry of the hour keys (0: no hour keys), head and
--       tail of its keys, hour, second within the hour of each id (2 bytes each, ascending), number of ids, number of
--       users, ids…, users…
-- Returns for each cell the number of events that were new, or 'U:<key>' for a key that is not what it should be, or
-- 'C:<key>' for a catalog that is full.
--
-- The ids of an hour are kept in sets of at most FULL members, since Redis keeps a small set of integers compact
-- (set-max-intset-entries, 512 unless configured): one set for the hour; once that is full, one for each minute; once
-- that is full, one for each second, which may grow. A set is filled to exactly FULL before the next level is used, so
-- its size tells whether there is anything below it. A set lives at least as long as those below it, or an id below
-- would be forgotten while it is still to be known. A set is renewed for RENEWAL more than it must be kept, so that one in
-- steady use is not renewed with every call.

local FULL = 512
local CHUNK = 4000
local RENEWAL = 60000
-- Redis counts up to 9223372036854775807; Lua's numbers are exact up to 2^53, so sizes are compared as text.
local MOST = '8999999999999990000'

local call, try = redis.call, redis.pcall
local kept = tonumber(ARGV[1])

local function failed(reply)
    return type(reply) == 'table' and reply.err ~= nil
end

-- Whether `reply` says that a key is of another type. Any other error speaks of the server and ends the call.
local function mistyped(reply)
    if not failed(reply) then
        return false
    end
    if not string.find(reply.err, 'WRONGTYPE', 1, true) then
        error(' -' .. string.gsub(reply.err, '^%-', ''))
    end
    return true
end

local function counter(key, value)
    if value then
        return string.find(value, '^%d+$') and (value == '0' or string.byte(value) ~= 48)
            and (#value < #MOST or (#value == #MOST and value <= MOST))
    end
    return call('TYPE', key).ok == 'none'
end

-- What is wrong with adding `member` to the catalog `key`; nil if nothing is.
local function uncatalogable(key, member, most)
    local score = try('ZSCORE', key, member)
    if mistyped(score) then
        return 'U:' .. key
    end
    if not score and call('ZCARD', key) >= most and call('ZCOUNT', key, ARGV[4], '+inf') >= most then
        return 'C:' .. key
    end
end

local function catalog(key, member, score, most)
    if call('ZCARD', key) >= most then
        call('ZREMRANGEBYSCORE', key, '-inf', '(' .. ARGV[4])
    end
    call('ZADD', key, 'GT', score, member)
end

-- Those of `items` that `key` does not hold.
local function unknown(key, items)
    local rest = {}
    for from = 1, #items, CHUNK do
        local chunk = {}
        for i = from, math.min(from + CHUNK - 1, #items) do
            chunk[#chunk + 1] = items[i].id
        end
        local held = call('SMISMEMBER', key, unpack(chunk))
        for i = 1, #chunk do
            if held[i] == 0 then
                rest[#rest + 1] = items[from + i - 1]
            end
        end
    end
    return rest
end

-- Decides which set takes which of `items`, reading only. Level 1 is the hour, 2 a minute, 3 a second. Returns the key
-- of a set that is none.
local function place(plan, level, key, items, above, cell)
    local size = try('SCARD', key)
    if mistyped(size) then
        return key
    end
    local set = { key = key, ids = {}, above = above }
    plan[#plan + 1] = set
    local fits = level == 3 or size + #items <= FULL
    local rest = (fits or size == 0) and items or unknown(key, items)
    local room = fits and #items or math.max(FULL - size, 0)
    for i = 1, math.min(room, #rest) do
        set.ids[i] = rest[i].id
    end
    local from = room + 1
    while from <= #rest do
        local span = level == 1 and 60 or 1
        local start = rest[from].second - rest[from].second % span
        local group = {}
        while from <= #rest and rest[from].second < start + span do
            group[#group + 1] = rest[from]
            from = from + 1
        end
        local name = cell.head .. (level == 1 and 'eim:' or 'eis:') .. (cell.hour + start) .. cell.tail
        local wrong = place(plan, level + 1, name, group, set, cell)
        if wrong then
            return wrong
        end
    end
end

-- The distinct ids of a cell with their seconds.
local function distinct(cell)
    local items, seen = {}, {}
    for i = 1, cell.ids do
        local id = ARGV[cell.at + i]
        if not seen[id] then
            seen[id] = true
            local high, low = string.byte(cell.seconds, 2 * i - 1, 2 * i)
            items[#items + 1] = { id = id, second = high * 256 + low }
        end
    end
    return items
end

-- Sees to it that a set lives for at least `least` from now on, longer where an import asked for longer. Returns whether
-- it was renewed.
local function keep(key, least)
    if call('PTTL', key) >= least then
        return false
    end
    call('PEXPIRE', key, kept + RENEWAL)
    return true
end

-- Writes a plan; returns how many ids were new.
local function remember(plan)
    local new = 0
    for _, set in ipairs(plan) do
        local added = 0
        for from = 1, #set.ids, CHUNK do
            added = added + call('SADD', set.key, unpack(set.ids, from, math.min(from + CHUNK - 1, #set.ids)))
        end
        new = new + added
        local touched = added > 0 and set or nil
        while touched do
            touched.touched = true
            touched = touched.above
        end
    end
    -- From below: a set above is renewed whenever one below it is, and after it.
    for i = #plan, 1, -1 do
        local set = plan[i]
        if set.touched and keep(set.key, set.renewedBelow and kept + RENEWAL or kept) and set.above then
            set.above.renewedBelow = true
        end
    end
    return new
end

local function add(key, there, n, expiry)
    call('INCRBY', key, n)
    if not there then
        call('EXPIREAT', key, expiry)
    end
end

local function addUsers(cell, key, there, expiry)
    if cell.users == 0 then
        return
    end
    local from = cell.at + cell.ids
    local reply = try('PFADD', key, unpack(ARGV, from + 1, from + cell.users))
    if failed(reply) then
        return reply
    end
    if not there then
        call('EXPIREAT', key, expiry)
    end
end

-- A key that holds no users is a fault of its cell, anything else one of the call.
local function unusable(refused, key)
    if string.find(refused.err, 'WRONGTYPE', 1, true) or string.find(refused.err, 'INVALIDOBJ', 1, true) then
        return 'U:' .. key
    end
    return refused
end

local function count(cell, k)
    local day, hour, dayUsers, hourUsers, ids = KEYS[k], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], KEYS[k + 4]
    local variations, flags = KEYS[k + 5], cell.keys > 6 and KEYS[k + 6]
    local hourly = cell.hourExpiry ~= '0'

    -- Check.
    local values = call('MGET', day, hour)
    if not counter(day, values[1]) then
        return 'U:' .. day
    end
    if hourly and not counter(hour, values[2]) then
        return 'U:' .. hour
    end
    if not values[1] then
        local wrong = uncatalogable(variations, cell.variation, tonumber(ARGV[2]))
            or (flags and uncatalogable(flags, cell.flag, tonumber(ARGV[3])))
        if wrong then
            return wrong
        end
    end
    local plan = {}
    local simple = false
    if kept > 0 and cell.ids > 0 then
        local size = try('SCARD', ids)
        if mistyped(size) then
            return 'U:' .. ids
        end
        simple = size + cell.ids <= FULL
        local wrong = not simple and place(plan, 1, ids, distinct(cell), nil, cell)
        if wrong then
            return 'U:' .. wrong
        end
    end

    -- Write. Users come first: adding them again changes nothing, and it is the last thing that can be refused.
    local refused = hourly and addUsers(cell, hourUsers, values[2], cell.hourExpiry)
    if refused then
        return unusable(refused, hourUsers)
    end
    refused = addUsers(cell, dayUsers, values[1], cell.dayExpiry)
    if refused then
        return unusable(refused, dayUsers)
    end
    local new = cell.ids
    if simple then
        new = call('SADD', ids, unpack(ARGV, cell.at + 1, cell.at + cell.ids))
        if new > 0 then
            keep(ids, kept)
        end
    elseif kept > 0 then
        new = remember(plan)
    end
    if new > 0 then
        add(day, values[1], new, cell.dayExpiry)
        if hourly then
            add(hour, values[2], new, cell.hourExpiry)
        end
        if not values[1] then
            catalog(variations, cell.variation, cell.day, tonumber(ARGV[2]))
            if flags then
                catalog(flags, cell.flag, cell.lastSecond, tonumber(ARGV[3]))
            end
        end
    end
    return new
end

local replies = {}
local keys = tonumber(ARGV[5])
local at = 5
for k = 1, #KEYS - #KEYS % keys, keys do
    local cell = {
        keys = keys,
        variation = ARGV[at + 1],
        flag = ARGV[at + 2],
        day = ARGV[at + 3],
        lastSecond = ARGV[at + 4],
        dayExpiry = ARGV[at + 5],
        hourExpiry = ARGV[at + 6],
        head = ARGV[at + 7],
        tail = ARGV[at + 8],
        hour = tonumber(ARGV[at + 9]),
        seconds = ARGV[at + 10],
        ids = tonumber(ARGV[at + 11]),
        users = tonumber(ARGV[at + 12]),
        at = at + 12,
    }
    local reply = count(cell, k)
    if type(reply) == 'table' then
        return reply
    end
    replies[#replies + 1] = reply
    at = cell.at + cell.ids + cell.users
end
return replies
