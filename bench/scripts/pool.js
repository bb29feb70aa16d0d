// SPDX-License-Identifier: MIT
// pool.js ROUNDS - libuv's thread pool (pbkdf2, file reads) and two worker threads; prints what came back.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const { Worker, isMainThread, parentPort } = require('worker_threads');

function serve() {
	parentPort.on('message', (n) => {
		let sum = 0;
		for (let i = 0; i < 2000; i++) sum += i * n;
		parentPort.postMessage(sum);
	});
}

function drive(rounds) {
	const chains = 4;
	const workers = [new Worker(__filename), new Worker(__filename)];
	let started = 0, finished = 0, answers = 0, sum = 0;
	const done = () => {
		if (finished < rounds || answers < rounds) return;
		console.log('rounds', rounds, 'sum', sum);
		workers.forEach((w) => w.terminate());
	};
	const step = () => {
		if (started >= rounds) return;
		const n = started++;
		workers[n & 1].postMessage(n % 100);
		crypto.pbkdf2('p', 's', 20, 32, 'sha256', () => fs.readFile(__filename, () => {
			finished++;
			step();
			done();
		}));
	};
	workers.forEach((w) => w.on('message', (s) => {
		answers++;
		sum += s;
		done();
	}));
	for (let i = 0; i < chains; i++) step();
}

if (isMainThread) drive(Number(process.argv[2]));
else serve();
