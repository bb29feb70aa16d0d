// SPDX-License-Identifier: MIT
// An HTTP server whose requests hold it up for 300 ms, each in another way. ADDON FIFO; prints its port.
'use strict';
const { execFileSync } = require('child_process');
const fs = require('fs');
const http = require('http');

const addon = require(process.argv[2]);

function computeReport() {
  const spent = () => { const { user, system } = process.cpuUsage(); return user + system; };
  for (const end = spent() + 300000; spent() < end;);
}

function waitForRetry() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
}

function readList() {
  const fd = fs.openSync(process.argv[3], 'r');
  fs.readSync(fd, Buffer.alloc(16));
  fs.closeSync(fd);
}

function makePicture() {
  execFileSync('sleep', ['0.3']);
}

function lockSession() {
  addon.lock();
}

function joinThumbnail() {
  addon.join();
}

function askBackend() {
  addon.socket();
}

function lookUpName() {
  addon.name();
}

const routes = { '/report': computeReport, '/retry': waitForRetry, '/list': readList, '/picture': makePicture,
  '/session': lockSession, '/thumbnail': joinThumbnail, '/proxy': askBackend, '/lookup': lookUpName };

const server = http.createServer((request, response) => {
  if (routes[request.url]) {
    routes[request.url]();
  }
  response.end('done\n');
  if (request.url === '/end') {
    server.close();
    addon.end();
  }
});

addon.prepare();
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
