// Answers every POST 200 as Segment does, and keeps nothing: node sink.js, with PORT.
'use strict'
require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.end('{"success":true}'))
}).listen(Number(process.env.PORT), '127.0.0.1')
