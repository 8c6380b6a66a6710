-- Moments as messages write them, and back: days since 1970 from and to a date, by the era of 400 years.
local floor = math.floor

local function written(ms)
  local days = floor(ms / 86400000)
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local rest = ms - days * 86400000
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, doy - floor((153 * mp + 2) / 5) + 1,
    floor(rest / 3600000), floor(rest / 60000) % 60, floor(rest / 1000) % 60, rest % 1000)
end

-- None where it is no such moment.
local function moment(text)
  local y, m, d, h, min, s, part, zone =
    text:match('^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$')
  if not y then return nil end
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  if m <= 2 then y = y - 1 end
  local era = floor(y / 400)
  local yoe = y - era * 400
  local doy = floor((153 * (m > 2 and m - 3 or m + 9) + 2) / 5) + d - 1
  local days = era * 146097 + yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + doy - 719468
  local ms = ((days * 24 + h) * 60 + min) * 60000 + s * 1000 + floor((tonumber('0' .. part) or 0) * 1000)
  local sign, hours, minutes = zone:match('^([+-])(%d%d):(%d%d)$')
  if sign then ms = ms - (sign == '-' and -1 or 1) * (hours * 60 + minutes) * 60000 end
  return math.max(0, ms)
end
