-- wrk sends the requests of a file (bench/payloads.py), again from its start after its end, and prints figures as JSON.
local first, file
local threads = {}

function setup(thread)
  thread:set("rewound", 0)
  table.insert(threads, thread)
end

function init(args)
  first = "POST " .. args[1] .. " HTTP/1.1\r\n"
  file = assert(io.open(args[2], "rb"))
end

function request()
  local length = file:read(7)
  if not length then
    rewound = rewound + 1
    file:seek("set")
    length = file:read(7)
  end
  return first .. file:read(tonumber(length))
end

function done(summary, latency, requests)
  local errors, rewound = summary.errors, 0
  for _, thread in ipairs(threads) do rewound = rewound + thread:get("rewound") end
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d, "rewound": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, rewound))
end
