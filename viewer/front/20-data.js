// SPDX-License-Identifier: MIT
// The trace: unpacked from the page, or asked from the server that sent it. page_data.h describes the payload.

const STATE = { NOTHING: 0, IDLE: 1, SIGNAL: 2, CALLBACK: 3, TASK: 4, SHARED: 5, HOLD: 6, WANTED: 7, CALL: 8, JOIN: 9, LOCK: 10 };
const ROW = { STATE: 0, RUN: 1, HOLD: 2, OUTLINE: 3 };
const ARROW_AT_END = [false, true, false, true, false];
const FAR_BUCKETS = 65536;

/** @param {string} text @returns {Uint8Array} */
function fromBase64(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64;
  if (native) return native.call(Uint8Array, text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array>} */
async function inflate(bytes) {
  const stream = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Values of one column of a block.
 * @template {Float64Array | Uint32Array | Uint8Array} T
 * @param {Uint8Array} bytes @param {number} at @param {number} size @param {T} out @returns {T}
 */
function readColumn(bytes, at, size, out) {
  if (!size) return out;
  for (let i = 0; i < out.length; i++) {
    let byte = bytes[at++];
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++];
      value += (byte & 127) * scale;
    }
    out[i] = value;
  }
  return out;
}

/** @param {Uint8Array} bytes @param {Block} block @returns {Spans} */
function decodeBlock(bytes, block) {
  /** @type {number[]} */
  const sizes = [];
  let at = 0;
  for (let column = 0; column < 8; column++) {
    let size = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      size += (byte & 127) * scale;
      if (byte < 128) break;
    }
    sizes.push(size);
  }
  const begins = sizes.map((size) => { const begin = at; at += size; return begin; });
  const numbers = (/** @type {number} */ column) => readColumn(bytes, begins[column], sizes[column], new Uint32Array(block.count));
  const times = (/** @type {number} */ column) => readColumn(bytes, begins[column], sizes[column], new Float64Array(block.count));
  const start = times(0), end = times(1), fromNs = times(7);
  const flags = readColumn(bytes, begins[2], sizes[2], new Uint8Array(block.count));
  let now = block.base;
  for (let i = 0; i < block.count; i++) {
    start[i] = now + start[i];
    end[i] = now = start[i] + end[i];
    fromNs[i] = (ARROW_AT_END[flags[i] >> 5] ? end[i] : start[i]) - fromNs[i];
  }
  return { start, end, flags, object: numbers(3), stack: numbers(4), what: numbers(5), fromLane: numbers(6), fromNs };
}

class Trace {
  /** @param {any} json @param {Uint8Array | null} bytes of blocks; null = a server has them */
  constructor(json, bytes) {
    this.json = json;
    this.bytes = bytes;
    this.end = Math.max(json.end, 1);
    /** Only how much went on: the trace is still being read. */
    this.isOutline = json.rows.some((/** @type {any[]} */ r) => r[1] === ROW.OUTLINE) || !json.rows.length && !!document.querySelector('[data-outline]');
    /** @type {() => void} called when data that was asked for is there */
    this.onData = () => {};
    /** @type {Row[]} */
    this.rows = json.rows.map((/** @type {any[]} */ r, /** @type {number} */ index) => {
      const blocks = [];
      for (let i = 0; i < r[5].length; i += 5)
        blocks.push({ base: r[5][i], end: r[5][i + 1], count: r[5][i + 2], at: r[5][i + 3], size: r[5][i + 4], spans: null, asked: false });
      return { index, lane: r[0], kind: r[1], level: r[2], count: r[3], farAt: r[4], farAsked: false, blocks, far: null };
    });
    /** @type {Lane[]} */
    this.lanes = json.lanes.map((/** @type {any[]} */ l, /** @type {number} */ index) => ({
      index, process: l[0], thread: l[1], name: l[2], begin: l[3], end: l[4], flags: l[5], from: l[6] - 1, fromNs: l[7],
      rows: l[8].map((/** @type {number} */ row) => this.rows[row]) }));
    /** @type {Finding[]} */
    this.findings = json.findings.map((/** @type {any[]} */ f) => {
      const marks = [];
      for (let i = 0; i < f[5].length; i += 5)
        marks.push({ lane: f[5][i], ns: f[5][i + 1], role: f[5][i + 2], object: f[5][i + 3], stack: f[5][i + 4],
          level: f[1], fingerprint: f[0], title: f[3] });
      return { fingerprint: f[0], level: f[1], rule: f[2], title: f[3], lanes: f[4], marks };
    });
    /** @type {(() => Promise<void>)[]} */
    this.queue = [];
    this.running = 0;
  }

  /** Spans of a block, or null: then onData is called once they are there. @param {Row} row @param {number} index @returns {Spans | null} */
  spans(row, index) {
    const block = row.blocks[index];
    if (block.spans || block.asked) return block.spans;
    if (this.bytes) return (block.spans = decodeBlock(this.bytes.subarray(block.at, block.at + block.size), block));
    let count = 0; // neighbours come with it
    while (count < 16 && index + count < row.blocks.length && !row.blocks[index + count].spans && !row.blocks[index + count].asked)
      row.blocks[index + count++].asked = true;
    this.ask('blocks?row=' + row.index + '&first=' + index + '&count=' + count, (bytes) => {
      let at = 0;
      for (const each of row.blocks.slice(index, index + count)) {
        each.spans = decodeBlock(bytes.subarray(at, at + each.size), each);
        at += each.size;
      }
    });
    return null;
  }

  /** Levels of the picture from afar, the finest first; null = none, or not yet. @param {Row} row */
  far(row) {
    if (row.far || row.farAt < 0 || row.farAsked) return row.far;
    const build = (/** @type {Uint8Array} */ finest) => {
      const levels = [finest];
      while (levels[levels.length - 1].length > 256) {
        const below = levels[levels.length - 1], above = new Uint8Array(below.length / 2);
        for (let i = 0; i < above.length; i++) above[i] = Math.max(below[2 * i], below[2 * i + 1]);
        levels.push(above);
      }
      row.far = levels;
    };
    if (this.bytes) {
      build(this.bytes.subarray(row.farAt, row.farAt + FAR_BUCKETS));
    } else {
      row.farAsked = true;
      this.ask('far?row=' + row.index, build);
    }
    return row.far;
  }

  /** Few at a time: a browser gives up when hundreds wait. @param {string} path @param {(bytes: Uint8Array) => void} then */
  ask(path, then) {
    this.queue.push(() => fetch(path).then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(String(answer.status)))))
      .then((buffer) => { then(new Uint8Array(buffer)); this.onData(); }, () => {}).then(() => { this.running--; this.askNext(); }));
    this.askNext();
  }

  askNext() {
    while (this.running < 6 && this.queue.length) {
      this.running++;
      /** @type {() => Promise<void>} */ (this.queue.pop())(); // what was asked for last is what is looked at
    }
  }

  /** The first block of the row that ends at or after a time. @param {Row} row @param {number} ns */
  findBlock(row, ns) {
    let low = 0, high = row.blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (row.blocks[middle].end < ns) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first span of the row that ends at or after a time; null = none, or not there yet. @param {Row} row @param {number} ns @returns {Place | null} */
  find(row, ns) {
    const block = this.findBlock(row, ns);
    const spans = block < row.blocks.length ? this.spans(row, block) : null;
    if (!spans) return null;
    let low = 0, high = spans.end.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans.end[middle] < ns) low = middle + 1;
      else high = middle;
    }
    return { row, block, at: low };
  }

  /** @param {Place} place @param {number} by 1 or -1 @returns {Place | null} */
  step(place, by) {
    let { row, block, at } = place;
    at += by;
    if (at < 0 || at >= row.blocks[block].count) {
      block += by;
      if (block < 0 || block >= row.blocks.length) return null;
      at = by > 0 ? 0 : row.blocks[block].count - 1;
    }
    return this.spans(row, block) ? { row, block, at } : null;
  }

  /** @param {Place} place @returns {Span} */
  get(place) {
    const s = /** @type {Spans} */ (this.spans(place.row, place.block)), i = place.at;
    return { start: s.start[i], end: s.end[i], state: s.flags[i] & 15, open: !!(s.flags[i] & 16), arrow: s.flags[i] >> 5,
      object: s.object[i], stack: s.stack[i], what: s.what[i], fromLane: s.fromLane[i], fromNs: s.fromNs[i] };
  }

  /** How many spans a stretch of a row has, about. @param {Row} row @param {number} from @param {number} to */
  countIn(row, from, to) {
    if (row.kind === ROW.OUTLINE) return Infinity;
    const first = this.findBlock(row, from), last = Math.min(this.findBlock(row, to), row.blocks.length - 1);
    let count = 0;
    for (let i = first; i <= last; i++) {
      const block = row.blocks[i], length = Math.max(block.end - block.base, 1);
      const part = (Math.min(to, block.end) - Math.max(from, block.base)) / length;
      count += block.count * clamp(part, 0, 1);
    }
    return count;
  }

  /**
   * The worst state of each pixel of a stretch.
   * @param {Row} row @param {number} from @param {number} to @param {Uint8Array} out
   */
  raster(row, from, to, out) {
    const width = out.length, step = (to - from) / width, bucket = 2 ** this.json.shift;
    out.fill(0);
    const coarse = step >= bucket || row.kind === ROW.OUTLINE, far = coarse ? this.far(row) : null;
    if (!far && row.farAt >= 0 && coarse) return; // it is on its way
    if (far) {
      const level = clamp(Math.floor(Math.log2(step / bucket)), 0, far.length - 1), size = bucket * 2 ** level, states = far[level];
      for (let x = 0; x < width; x++) {
        const last = Math.min(Math.floor((from + (x + 1) * step) / size), states.length - 1);
        let worst = 0;
        for (let b = Math.max(0, Math.floor((from + x * step) / size)); b <= last; b++) if (states[b] > worst) worst = states[b];
        out[x] = worst;
      }
      return;
    }
    for (let index = this.findBlock(row, from); index < row.blocks.length; index++) {
      if (row.blocks[index].base > to) return;
      const spans = this.spans(row, index);
      if (!spans) continue;
      for (let i = 0; i < spans.start.length && spans.start[i] < to; i++) {
        if (spans.end[i] < from) continue;
        const state = spans.flags[i] & 15, last = Math.min(width - 1, Math.floor((spans.end[i] - from) / step));
        for (let x = Math.max(0, Math.floor((spans.start[i] - from) / step)); x <= last; x++) if (out[x] < state) out[x] = state;
      }
    }
  }

  // ---- words ----

  /** "mutex g_lock" @param {number} process @param {number} object */
  objectName(process, object) {
    const o = object ? this.json.objects[process][object] : null;
    return o ? o[0] + ' ' + o[1] : '';
  }

  /** @param {number} process @param {number} stack @returns {any[][]} innermost first */
  frames(process, stack) {
    const numbers = stack ? this.json.stacks[process][stack] : null;
    return numbers ? numbers.map((/** @type {number} */ n) => this.json.frames[n]) : [];
  }

  /** The innermost frame of the program. @param {number} process @param {number} stack @returns {any[] | null} */
  frame(process, stack) {
    const frames = this.frames(process, stack);
    return frames.find((f) => f[4] === 0) || frames[0] || null;
  }

  /** "transfer bank.c:31" @param {number} process @param {number} stack */
  place(process, stack) {
    const f = this.frame(process, stack);
    return f ? f[0] + (f[1] ? ' ' + f[1].replace(/.*\//, '') + ':' + f[2] : '') : '';
  }

  /** @param {Lane} lane */
  laneName(lane) {
    const p = this.json.processes;
    return p.length > 1 ? lane.name + ' (' + p[lane.process][0] + ')' : lane.name;
  }

  /** What a span is, in a few words. @param {Lane} lane @param {Span} span */
  spanName(lane, span) {
    const object = this.objectName(lane.process, span.object), task = span.what ? this.json.tasks[lane.process][span.what] : null;
    switch (span.state) {
      case STATE.CALL: return this.json.calls[span.what] || 'blocking call';
      case STATE.JOIN: return 'join ' + (span.what ? 'thread ' + span.what : '');
      case STATE.CALLBACK:
      case STATE.TASK: return task || this.place(lane.process, span.stack).split(' ')[0] || 'task ' + span.what;
      case STATE.IDLE: return 'waits for events';
      default: return object || this.json.states[span.state];
    }
  }

  /** A sentence. @param {Lane} lane @param {Span} span */
  spanSentence(lane, span) {
    const object = this.objectName(lane.process, span.object);
    switch (span.state) {
      case STATE.LOCK: return 'waits for ' + (object || 'a lock');
      case STATE.SIGNAL: return 'waits at ' + (object || 'something');
      case STATE.HOLD: return 'holds ' + object;
      case STATE.WANTED: return 'holds ' + object + ' while others wait for it';
      case STATE.SHARED: return 'holds ' + object + ' for reading';
      case STATE.CALL: return 'is in ' + this.spanName(lane, span) + (object ? ' of ' + object : '');
      case STATE.JOIN: return 'joins thread ' + span.what;
      case STATE.CALLBACK: return 'runs the callback ' + this.spanName(lane, span);
      case STATE.TASK: return 'runs a step of task ' + this.spanName(lane, span);
      default: return this.json.states[span.state];
    }
  }
}

/** The trace of this page; null = there is none. @returns {Promise<Trace | null>} */
async function openTrace() {
  const node = document.getElementById('thrum-data');
  if (!node) return null;
  const served = node.getAttribute('data-served');
  let bytes;
  if (served) {
    const answer = await fetch('model');
    if (!answer.ok) return null;
    return new Trace(await answer.json(), null);
  }
  bytes = await inflate(fromBase64((node.textContent || '').trim()));
  node.textContent = '';
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const json = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  return new Trace(json, bytes.subarray(4 + size));
}
