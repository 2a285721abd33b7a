-- Each request is a new decision of a new visitor behind a proxy, so that neither idempotency nor the
-- limit an address shortens the work that is measured.
local notice = os.getenv("NOTICE")
local random = math.random

function init(args)
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
end

local function uuid()
  return string.format("%04x%04x-%04x-4%03x-%04x-%04x%04x%04x",
    random(0, 65535), random(0, 65535), random(0, 65535), random(0, 4095),
    random(32768, 49151), random(0, 65535), random(0, 65535), random(0, 65535))
end

function request()
  local body = string.format(
    '{"decision_id":"%s","notice":"%s","action":"accept_all","method":"banner",'
    .. '"grants":{"analytics":true,"advertising":true},"vendors":{},"visitor":null,"change":false,'
    .. '"language":"en","page":"http://127.0.0.1:9000/pricing","gpc":false}', uuid(), notice)
  local headers = {
    ["Content-Type"] = "text/plain;charset=UTF-8",
    ["Origin"] = "http://127.0.0.1:9000",
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", random(0, 255), random(0, 255), random(0, 255)),
  }
  return wrk.format("POST", "/v1/sites/shop/decisions", headers, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %.3f %.3f %d\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
