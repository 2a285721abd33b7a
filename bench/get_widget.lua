-- A site's script as a browser asks for it; with ETAG, as one asks that has it already.
local etag = os.getenv("ETAG")

function request()
  return wrk.format("GET", "/widget/shop.js", { ["Accept-Encoding"] = "br", ["Accept-Language"] = "en", ["If-None-Match"] = etag })
end

dofile("bench/report.lua")
