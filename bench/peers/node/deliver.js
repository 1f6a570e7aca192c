// Sends the messages of a file, a JSON object a line, with @segment/analytics-node and prints the seconds:
// node deliver.js FILE URL SETTINGS, where SETTINGS is JSON.
'use strict'
const fs = require('node:fs')
const { Analytics } = require('@segment/analytics-node')

const [file, host, settings] = process.argv.slice(2)
const messages = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
const analytics = new Analytics({ writeKey: 'wk', host, ...JSON.parse(settings) })
let failed = null
analytics.on('error', (error) => { failed ??= error })

async function main () {
  const before = process.cpuUsage()
  const start = process.hrtime.bigint()
  for (const message of messages) {
    const { type, ...rest } = message
    analytics[type]({ ...rest, timestamp: new Date(rest.timestamp) })
  }
  await analytics.closeAndFlush({ timeout: 300000 })
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const used = process.cpuUsage(before)
  if (failed) throw failed
  console.log(JSON.stringify({ seconds, cpu: (used.user + used.system) / 1e6 }))
}

main().catch((error) => { console.error(error); process.exit(1) })
