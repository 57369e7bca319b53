-- What all groups have read and acknowledged is removed; with no group nothing is.
local function field(reply, name)
  for i = 1, #reply, 2 do
    if reply[i] == name then
      return reply[i + 1]
    end
  end
end

local function before(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if am ~= bm then
    return #am < #bm or (#am == #bm and am < bm)
  end
  return #as < #bs or (#as == #bs and as < bs)
end

local function after(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
end

local function trim(key)
  if redis.call('EXISTS', key) == 0 then
    return 0
  end
  local least = nil
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local position = after(field(group, 'last-delivered-id'))
    if field(group, 'pending') > 0 then
      position = redis.call('XPENDING', key, field(group, 'name'))[2]
    end
    if least == nil or before(position, least) then
      least = position
    end
  end
  if least == nil then
    return 0
  end
  return redis.call('XTRIM', key, 'MINID', least)
end
