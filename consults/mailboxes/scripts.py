"""Lua that runs inside Redis, so that what must hold together is one step. Times are the Redis server's."""

from typing import Final

_POST = """
local function post(box, numbers, member, body, cap, stream_ttl, day)
  local seq = redis.call('HINCRBY', numbers, member, 1)
  redis.call('XADD', box, 'MAXLEN', cap, seq .. '-0', 'b', body)
  redis.call('EXPIRE', box, stream_ttl)
  redis.call('EXPIRE', numbers, day)
  return seq
end
"""

# keys: rights version seat(sender) box(recipient) numbers · args: sender recipient connection body cap ttl day
RELAY: Final = (
    _POST
    + """
if redis.call('GET', KEYS[3]) ~= ARGV[3] then return 'replaced' end
local known = redis.call('HGET', KEYS[1], 'version')
local newest = redis.call('GET', KEYS[2])
if not known or not newest or tonumber(known) < tonumber(newest) then return 'stale' end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 'not_admitted' end
if ARGV[1] == ARGV[2] or redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'no_such_member' end
return post(KEYS[4], KEYS[5], ARGV[2], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
"""
)

# keys: box numbers · args: member body cap ttl day
POST: Final = (
    _POST
    + """
return post(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
"""
)

# keys: rights version · args: version ttl day member... ; refuses to write older rights over newer
GRANT: Final = """
local newest = redis.call('GET', KEYS[2])
if newest and tonumber(newest) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[3])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[1])
for i = 4, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], '1') end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""

# keys: rights version box... · args: version day ; the boxes of those who lost their admission are emptied
REVOKE: Final = """
local newest = redis.call('GET', KEYS[2])
if not newest or tonumber(newest) < tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2]) end
redis.call('DEL', KEYS[1])
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
"""

# keys: seat numbers box here heard · args: member connection resume(-1: none) seat_ttl day
# returns {number to go on from, 1 when resumed}
SIT: Final = """
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
local at = redis.call('TIME')[1]
redis.call('ZADD', KEYS[4], at, ARGV[1])
redis.call('HSET', KEYS[5], ARGV[1], at)
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('EXPIRE', KEYS[5], ARGV[5])
local resume = tonumber(ARGV[3])
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
local from = tonumber(redis.call('HGET', KEYS[2], ARGV[1] .. ':from') or '0')
if resume >= 0 and from > 0 and resume >= from and resume <= last then
  if resume == last then return {resume, 1} end
  local first = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)
  if first[1] and tonumber(string.match(first[1][1], '^(%d+)')) <= resume + 1 then return {resume, 1} end
end
local fresh = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
redis.call('HSET', KEYS[2], ARGV[1] .. ':from', fresh)
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('DEL', KEYS[3])
return {fresh, 0}
"""

# keys: seat box · args: connection after
READ: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'replaced' end
return redis.call('XRANGE', KEYS[2], (tonumber(ARGV[2]) + 1) .. '-0', '+')
"""

# keys: seat here heard · args: member connection seat_ttl day ; 0 when another device sits there
BEAT: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
local at = redis.call('TIME')[1]
redis.call('ZADD', KEYS[2], at, ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], at)
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[4])
return 1
"""

# keys: seat here · args: member connection ; only the device that sits there can rise
RISE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""

# keys: here · args: silence ; each silent participant is handed to exactly one caller
SILENT: Final = """
local cut = tonumber(redis.call('TIME')[1]) - tonumber(ARGV[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', cut)
for i = 1, #gone do redis.call('ZREM', KEYS[1], gone[i]) end
return gone
"""
