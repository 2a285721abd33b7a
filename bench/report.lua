-- What a load of wrk says at its end, for the program that ran it. An answer that took over two seconds, wrk's timeout, is
-- no error: it comes, and is in the percentiles.
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %.3f %.3f %d\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
