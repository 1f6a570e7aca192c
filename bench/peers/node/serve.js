// An Express app that verifies Stripe's signature with Stripe's library, then stores or forwards the event:
// node serve.js bull|analytics|sqlite|sqlite-group, with PORT, PROCESSES, FOLDER, REDIS_PORT and SEGMENT_URL.
'use strict'
const cluster = require('node:cluster')
const path = require('node:path')

const SECRET = 'whsec_bench'
const FLUSH_AT = 1000 // events of a group commit at most

// Each returns a function that takes an event and its raw body, and resolves when the event is stored.
const stores = {
  bull () {
    const Queue = require('bull')
    const queue = new Queue('events', { redis: { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) } })
    return (event) => queue.add(event, { jobId: event.id })
  },
  analytics () {
    const { Analytics } = require('@segment/analytics-node')
    const analytics = new Analytics({ writeKey: 'wk', host: process.env.SEGMENT_URL })
    analytics.on('error', (error) => console.error(error.code))
    return async (event) => analytics.track({
      userId: event.data.object.customer,
      event: event.type,
      timestamp: new Date(event.created * 1000),
      messageId: event.id,
      properties: { amount: event.data.object.amount, currency: event.data.object.currency, id: event.data.object.id }
    })
  },
  sqlite () {
    const insert = table()
    return async (event, body) => { insert.run(event.id, body) }
  },
  'sqlite-group' () {
    const insert = table()
    const waiting = []
    const commit = insert.database.transaction((group) => { for (const one of group) insert.run(one.id, one.body) })
    const flush = () => {
      const group = waiting.splice(0, FLUSH_AT)
      try {
        commit.immediate(group)
        for (const one of group) one.resolve()
      } catch (error) {
        for (const one of group) one.reject(error)
      }
      if (waiting.length) setImmediate(flush)
    }
    return (event, body) => new Promise((resolve, reject) => {
      if (!waiting.length) setImmediate(flush)
      waiting.push({ id: event.id, body, resolve, reject })
    })
  }
}

function table () {
  const db = require('better-sqlite3')(path.join(process.env.FOLDER, 'events.db'), { timeout: 10000 })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID')
  return db.prepare('INSERT INTO events VALUES (?, ?) ON CONFLICT DO NOTHING')
}

function serve () {
  const express = require('express')
  const stripe = require('stripe')('sk_test_bench')
  const store = stores[process.argv[2]]()
  const app = express()
  app.post('/webhooks/stripe', express.raw({ type: 'application/json' }), async (request, response) => {
    let event
    try {
      event = stripe.webhooks.constructEvent(request.body, request.headers['stripe-signature'], SECRET)
    } catch (error) {
      response.status(400).json({ error: 'the signature is wrong' })
      return
    }
    await store(event, request.body)
    response.json({ status: 'accepted' })
  })
  app.listen(Number(process.env.PORT), '127.0.0.1')
}

const processes = Number(process.env.PROCESSES)
if (cluster.isPrimary && processes > 1) {
  if (process.argv[2].startsWith('sqlite')) table() // once, before the processes
  for (let number = 0; number < processes; number++) cluster.fork()
} else {
  serve()
}
