-- Each request is a new decision of a new visitor behind a proxy, so that neither idempotency nor the
-- limit an address shortens the work that is measured.
-- SITES are "key notice" by lines: a decision is of any of them.
local random = math.random
local sites = {}
local agents = {
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%d.0) Gecko/20100101 Firefox/140.0",
}

for key, notice in os.getenv("SITES"):gmatch("(%S+) (%S+)") do
  sites[#sites + 1] = { key = key, notice = notice }
end

function init(args)
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
end

local function uuid()
  return string.format("%04x%04x-%04x-4%03x-%04x-%04x%04x%04x",
    random(0, 65535), random(0, 65535), random(0, 65535), random(0, 4095),
    random(32768, 49151), random(0, 65535), random(0, 65535), random(0, 65535))
end

function request()
  local site = sites[random(#sites)]
  local body = string.format(
    '{"decision_id":"%s","notice":"%s","action":"accept_all","method":"banner",'
    .. '"grants":{"analytics":true,"advertising":true},"vendors":{},"visitor":null,"change":false,'
    .. '"language":"en","page":"http://127.0.0.1:9000/pricing","gpc":false}', uuid(), site.notice)
  local headers = {
    ["Content-Type"] = "text/plain;charset=UTF-8",
    ["Origin"] = "http://127.0.0.1:9000",
    ["User-Agent"] = string.format(agents[random(#agents)], random(110, 149)),
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", random(0, 255), random(0, 255), random(0, 255)),
  }
  return wrk.format("POST", "/v1/sites/" .. site.key .. "/decisions", headers, body)
end

-- Milliseconds that a connection rests before each request: for a load below the most that a server carries.
local pause = tonumber(os.getenv("PAUSE") or "0")
if pause > 0 then
  function delay() return pause end
end

dofile("bench/report.lua")
