-- As post_decision.lua, to each of many sites in turn: SITES is a file with a line "key notice" for each.
local random = math.random
local sites, turn = {}, 0

function init(args)
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
  for line in io.lines(os.getenv("SITES")) do
    local key, notice = line:match("(%S+) (%S+)")
    sites[#sites + 1] = {path = "/v1/sites/" .. key .. "/decisions", notice = notice}
  end
end

local function uuid()
  return string.format("%04x%04x-%04x-4%03x-%04x-%04x%04x%04x",
    random(0, 65535), random(0, 65535), random(0, 65535), random(0, 4095),
    random(32768, 49151), random(0, 65535), random(0, 65535), random(0, 65535))
end

function request()
  turn = turn % #sites + 1
  local site = sites[turn]
  local body = string.format(
    '{"decision_id":"%s","notice":"%s","action":"accept_all","method":"banner",'
    .. '"grants":{"analytics":true,"advertising":true},"vendors":{},"visitor":null,"change":false,'
    .. '"language":"en","page":"http://127.0.0.1:9000/pricing","gpc":false}', uuid(), site.notice)
  local headers = {
    ["Content-Type"] = "text/plain;charset=UTF-8",
    ["Origin"] = "http://127.0.0.1:9000",
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", random(0, 255), random(0, 255), random(0, 255)),
  }
  return wrk.format("POST", site.path, headers, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d\n", summary.requests,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
