-- Each request is the consent of a new visitor. The rest is that of a banner that was accepted.
local random = math.random

function init(args)
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
end

function request()
  -- Base58, which has no 0.
  local subject = string.format("%07x%07x%07x", random(0, 2^28 - 1), random(0, 2^28 - 1), random(0, 2^28 - 1)):gsub("0", "z")
  local body = string.format(
    '{"type":"cookie_banner","subjectId":"sub_%s","domain":"127.0.0.1",'
    .. '"preferences":{"necessary":true,"measurement":true,"marketing":true},"givenAt":%d000}', subject, os.time())
  local headers = { ["Content-Type"] = "application/json", ["Origin"] = "http://127.0.0.1:9000" }
  return wrk.format("POST", "/api/c15t/subjects", headers, body)
end

dofile("bench/report.lua")
