// SPDX-License-Identifier: MIT
// The trace: its lanes and rows, and the spans of those that are looked at.

const STATE = { NOTHING: 0, IDLE: 1, SIGNAL: 2, CALLBACK: 3, TASK: 4, SHARED: 5, HOLD: 6, WANTED: 7, CALL: 8, JOIN: 9, LOCK: 10 };
const ROW = { STATE: 0, RUN: 1, HOLD: 2, OUTLINE: 3 };
const ARROW_AT_END = [false, true, false, true, false];
const FAR_BUCKETS = 65536;
const IN_PART = -1, LEFT_OUT = -2; // where a block is, beside places in the page's first data
const SPANS_KEPT = 500; // blocks whose spans are unpacked
const FRAME_MS = 10; // of unpacking in one picture
const FAR_BEYOND = 32768; // spans of a row in view: as many rows as fit a screen must not need more than are kept

class Trace {
  /** @param {any} json @param {Uint8Array | null} bytes of the first blocks; null = a server has them */
  constructor(json, bytes) {
    this.json = json;
    this.bytes = bytes;
    this.parts = bytes ? new Parts() : null;
    this.end = Math.max(json.end, 1);
    /** Only how much went on: the trace is still being read. */
    this.isOutline = json.rows.some((/** @type {any[]} */ r) => r[1] === ROW.OUTLINE) || !json.rows.length && !!document.querySelector('[data-outline]');
    /** @type {(() => void)[]} called when data that was asked for is there */
    this.listeners = [];
    /** @type {(() => void)[]} the same, once */
    this.waiting = [];
    /** @type {Block[]} unpacked, the oldest first */
    this.unpacked = [];
    this.coming = 0;
    this.deadline = Infinity;
    this.isBehind = false; // a picture left something out that it had no time for
    /** @type {Row[]} */
    this.rows = json.rows.map((/** @type {any[]} */ r, /** @type {number} */ index) => {
      const blocks = [];
      for (let i = 0; i < r[5].length; i += 5)
        blocks.push({ base: r[5][i], end: r[5][i + 1], count: r[5][i + 2], at: r[5][i + 3], size: r[5][i + 4], spans: null, bytes: null, asked: false });
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

  // ---- where spans come from ----

  /** Something is there that was not. */
  arrived() {
    const waiting = this.waiting;
    this.waiting = [];
    for (const then of [...this.listeners, ...waiting]) then();
  }

  /** Pictures unpack for so long, then show what they have. */
  beginFrame() {
    this.deadline = performance.now() + FRAME_MS;
    this.isBehind = false;
  }

  endFrame() {
    this.deadline = Infinity;
    return this.isBehind;
  }

  /** Spans of a block, or null: then it was left out, or comes, or there is no time now. @param {Row} row @param {number} index @returns {Spans | null} */
  spans(row, index) {
    const block = row.blocks[index];
    if (block.spans) return block.spans;
    if (!block.bytes && !this.fetchBlock(row, index)) return null;
    if (performance.now() > this.deadline) {
      this.isBehind = true;
      return null;
    }
    block.spans = new Spans(/** @type {Uint8Array} */ (block.bytes), block);
    this.unpacked.push(block);
    if (this.unpacked.length > SPANS_KEPT) /** @type {Block} */ (this.unpacked.shift()).spans = null;
    return block.spans;
  }

  /** Are its bytes there? Else it is asked for. @param {Row} row @param {number} index */
  fetchBlock(row, index) {
    const block = row.blocks[index];
    if (block.asked || block.at === LEFT_OUT) return false;
    if (this.bytes && block.at >= 0) {
      block.bytes = this.bytes.subarray(block.at, block.at + block.size);
      return true;
    }
    if (this.parts) {
      const part = this.parts.ofBlock(row.index, index);
      if (part) this.take(part.node, part.runs.flatMap((run) => this.rows[run.row].blocks.slice(run.first, run.first + run.count)));
      else this.watch(block);
      return false;
    }
    let count = 0; // neighbours come with it
    while (count < 16 && index + count < row.blocks.length && !row.blocks[index + count].bytes && !row.blocks[index + count].asked) count++;
    const blocks = row.blocks.slice(index, index + count);
    for (const each of blocks) each.asked = true;
    this.ask('blocks?row=' + row.index + '&first=' + index + '&count=' + count, (bytes) => Trace.share(bytes, blocks));
    return false;
  }

  /** Blocks lie one behind the other. @param {Uint8Array} bytes @param {Block[]} blocks */
  static share(bytes, blocks) {
    let at = 0;
    for (const block of blocks) {
      block.bytes = bytes.subarray(at, at + block.size);
      block.asked = false;
      at += block.size;
    }
  }

  /** @param {Element} node @param {Block[]} blocks */
  take(node, blocks) {
    for (const block of blocks) block.asked = true;
    this.unpack(node, (bytes) => Trace.share(bytes, blocks));
  }

  /** The parser has not come to it yet. @param {Block} [block] */
  watch(block) {
    const parts = /** @type {Parts} */ (this.parts);
    if (parts.isWhole()) {
      if (block) block.at = LEFT_OUT;
    } else if (!this.isWatching) {
      this.isWatching = true;
      setTimeout(() => {
        this.isWatching = false;
        if (parts.note() || parts.isWhole()) this.arrived();
        else this.watch();
      }, 30);
    }
  }

  /** Levels of the picture from afar, the finest first; null = none, or not yet. @param {Row} row */
  far(row) {
    if (row.far || row.farAt === -1 || row.farAsked) return row.far;
    if (this.bytes && row.farAt >= 0) {
      this.buildFar(row, this.bytes.subarray(row.farAt, row.farAt + FAR_BUCKETS));
    } else if (this.parts) {
      const node = this.parts.ofFar(row.index);
      if (node) this.takeFars(node);
      else this.watch();
    } else {
      row.farAsked = true;
      this.ask('far?row=' + row.index, (bytes) => this.buildFar(row, bytes));
    }
    return row.far;
  }

  /** @param {Element} node */
  takeFars(node) {
    const rows = (node.getAttribute('data-far') || '').split(' ').map((index) => this.rows[Number(index)]);
    for (const row of rows) row.farAsked = true;
    this.unpack(node, (bytes) => rows.forEach((row, i) => this.buildFar(row, bytes.subarray(i * FAR_BUCKETS, (i + 1) * FAR_BUCKETS))));
  }

  /** @param {Element} node @param {(bytes: Uint8Array) => void} then */
  unpack(node, then) {
    this.coming++;
    Parts.unpack(node).then(then).then(() => { this.coming--; this.arrived(); });
  }

  /** Nothing that was asked for is still to come. */
  isSettled() { return !this.coming && !this.isWatching; }

  /** @param {Row} row @param {Uint8Array} finest */
  buildFar(row, finest) {
    const levels = [finest];
    while (levels[levels.length - 1].length > 256) {
      const below = levels[levels.length - 1], above = new Uint8Array(below.length / 2);
      for (let i = 0; i < above.length; i++) {
        const a = below[2 * i], b = below[2 * i + 1];
        above[i] = a > b ? a : b;
      }
      levels.push(above);
    }
    row.far = levels;
  }

  /** Few at a time: a browser gives up when hundreds wait. @param {string} path @param {(bytes: Uint8Array) => void} then */
  ask(path, then) {
    this.coming++;
    this.queue.push(() => fetch(path).then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(String(answer.status)))))
      .then((buffer) => then(new Uint8Array(buffer))).catch(() => {}).then(() => { this.coming--; this.running--; this.arrived(); this.askNext(); }));
    this.askNext();
  }

  askNext() {
    while (this.running < 6 && this.queue.length) {
      this.running++;
      /** @type {() => Promise<void>} */ (this.queue.pop())(); // what was asked for last is what is looked at
    }
  }

  /** Waits for the spans of a row at a time, if they come at all. @param {Row} row @param {number} ns */
  need(row, ns) { return this.needBlock(row, this.findBlock(row, ns)); }

  /** @param {Row} row @param {number} index may be past the last one */
  async needBlock(row, index) {
    const block = row.blocks[index];
    while (block && !this.spans(row, index) && block.at !== LEFT_OUT) await new Promise((done) => { this.waiting.push(() => done(0)); });
  }

  // ---- spans ----

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
    return { row, block, at: spans.find(ns) };
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

  /** The same, once it is there. @param {Place} place @param {number} by @returns {Promise<Place | null>} */
  async stepTo(place, by) {
    const next = place.row.blocks[place.block + by];
    if (next && !this.step(place, by)) await this.need(place.row, by > 0 ? next.end : next.base + 1);
    return this.step(place, by);
  }

  /** @param {Place} place @returns {Span} */
  get(place) {
    const s = /** @type {Spans} */ (this.spans(place.row, place.block)), i = place.at;
    const { object, stack, what, fromLane, fromNs } = s.more;
    return { start: s.start[i], end: s.end[i], state: s.flags[i] & 15, open: !!(s.flags[i] & 16), arrow: s.flags[i] >> 5,
      object: object[i], stack: stack[i], what: what[i], fromLane: fromLane[i], fromNs: fromNs[i] };
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

  /** Are single spans of a stretch of the row not in this page? @param {Row} row @param {number} from @param {number} to */
  isLeftOut(row, from, to) {
    for (let i = this.findBlock(row, from); i < row.blocks.length && row.blocks[i].base <= to; i++) if (row.blocks[i].at === LEFT_OUT) return true;
    return false;
  }

  /**
   * The worst state of each pixel of a stretch. Where spans are not there the picture from afar stands for them.
   * @param {Row} row @param {number} from @param {number} to @param {Uint8Array} out
   */
  raster(row, from, to, out) {
    const width = out.length, step = (to - from) / width;
    out.fill(0);
    if (row.kind === ROW.OUTLINE || (row.farAt !== -1 && (step >= 2 ** this.json.shift || this.countIn(row, from, to) > FAR_BEYOND))) {
      this.rasterFar(row, from, step, out, 0, width);
      return;
    }
    for (let index = this.findBlock(row, from); index < row.blocks.length && row.blocks[index].base <= to; index++) {
      const block = row.blocks[index], spans = this.spans(row, index);
      if (!spans) {
        this.rasterFar(row, from, step, out, Math.max(0, Math.floor((block.base - from) / step)), Math.min(width, Math.ceil((block.end - from) / step)));
        continue;
      }
      const { start, end, flags } = spans;
      for (let i = spans.find(from); i < spans.count && start[i] < to; i++) {
        if (end[i] < from) continue;
        const state = flags[i] & 15, last = Math.min(width - 1, Math.floor((end[i] - from) / step));
        for (let x = Math.max(0, Math.floor((start[i] - from) / step)); x <= last; x++) if (out[x] < state) out[x] = state;
      }
    }
  }

  /** @param {Row} row @param {number} from @param {number} step of a pixel @param {Uint8Array} out @param {number} first @param {number} end pixels */
  rasterFar(row, from, step, out, first, end) {
    const far = this.far(row), bucket = 2 ** this.json.shift;
    if (!far) return;
    const level = clamp(Math.floor(Math.log2(step / bucket)), 0, far.length - 1), size = bucket * 2 ** level, states = far[level];
    for (let x = first; x < end; x++) {
      const last = Math.min(Math.floor((from + (x + 1) * step) / size), states.length - 1);
      let worst = out[x];
      for (let b = Math.max(0, Math.floor((from + x * step) / size)); b <= last; b++) if (states[b] > worst) worst = states[b];
      out[x] = worst;
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
  if (node.getAttribute('data-served')) {
    const answer = await fetch('model');
    if (!answer.ok) return null;
    return new Trace(await answer.json(), null);
  }
  const bytes = await Parts.unpack(node);
  const size = new DataView(bytes.buffer).getUint32(0, true);
  return new Trace(JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))), bytes.subarray(4 + size));
}
