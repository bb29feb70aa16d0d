// SPDX-License-Identifier: MIT
// http.js PORT - an HTTP server on 127.0.0.1 whose answers come from a timer, a file, the thread pool and a worker.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const { Worker, isMainThread, parentPort } = require('worker_threads');

function serve(port) {
	const worker = new Worker(__filename);
	const waiting = [];
	worker.on('message', (sum) => waiting.shift()(String(sum)));
	const answers = {
		'/plain': (end) => end('hello'),
		'/timer': (end) => setTimeout(end, 5, 'later'),
		'/file': (end) => fs.readFile(__filename, (error, data) => end(error ? 'error' : data)),
		'/hash': (end) => crypto.pbkdf2('p', 's', 20, 32, 'sha256', (error, key) => end(key.toString('hex'))),
		'/worker': (end) => { waiting.push(end); worker.postMessage(1000); },
	};
	const server = http.createServer((request, response) => {
		const answer = answers[request.url];
		if (answer) answer((body) => response.end(body));
		else response.writeHead(404).end();
	});
	const ticks = setInterval(() => fs.stat(__filename, () => {}), 20);
	process.on('SIGTERM', () => {
		clearInterval(ticks);
		worker.terminate();
		server.close();
		server.closeAllConnections();
	});
	server.listen(port, '127.0.0.1');
}

function work() {
	parentPort.on('message', (n) => {
		let sum = 0;
		for (let i = 0; i < n; i++) sum += i;
		parentPort.postMessage(sum);
	});
}

if (isMainThread) serve(Number(process.argv[2]));
else work();
