-- wrk sends the requests of a file (bench/payloads.py), and prints its figures as JSON.
local file, first, latest

function init(args)
  first = "POST " .. args[1] .. " HTTP/1.1\r\n"
  file = assert(io.open(args[2], "rb"))
end

function request()
  local length = file:read(7)
  if length then
    latest = first .. file:read(tonumber(length))
  else
    wrk.thread:stop()
  end
  return latest
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
