// SPDX-License-Identifier: MIT
// Spans as they come: packed in the page, or asked from the server that sent it. page_data.h and lane_rows.h describe them.

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

/** The spans of a block: times and states at once, the rest when somebody asks for it. */
class Spans {
  /** @param {Uint8Array} bytes @param {Block} block */
  constructor(bytes, block) {
    this.bytes = bytes;
    this.count = block.count;
    this.sizes = new Float64Array(8);
    let at = 0;
    for (let column = 0; column < 8; column++) {
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at++];
        this.sizes[column] += (byte & 127) * scale;
        if (byte < 128) break;
      }
    }
    this.at = at;
    this.start = this.column(0, new Float64Array(this.count));
    this.end = this.column(1, new Float64Array(this.count));
    this.flags = this.column(2, new Uint8Array(this.count));
    let now = block.base;
    for (let i = 0; i < this.count; i++) {
      this.start[i] += now;
      this.end[i] = now = this.start[i] + this.end[i];
    }
  }

  /** @template {Float64Array | Uint32Array | Uint8Array} T @param {number} number @param {T} out @returns {T} */
  column(number, out) {
    let at = this.at;
    for (let i = 0; i < number; i++) at += this.sizes[i];
    return readColumn(this.bytes, at, this.sizes[number], out);
  }

  get more() {
    if (!this.rest) {
      const numbers = (/** @type {number} */ column) => this.column(column, new Uint32Array(this.count));
      const fromNs = this.column(7, new Float64Array(this.count));
      for (let i = 0; i < this.count; i++) fromNs[i] = (ARROW_AT_END[this.flags[i] >> 5] ? this.end[i] : this.start[i]) - fromNs[i];
      this.rest = { object: numbers(3), stack: numbers(4), what: numbers(5), fromLane: numbers(6), fromNs };
    }
    return this.rest;
  }

  /** The first span that ends at or after a time; the last one where none does. @param {number} ns */
  find(ns) {
    let low = 0, high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end[middle] < ns) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @typedef {{node: Element, runs: {row: number, first: number, count: number}[]}} Part blocks of some rows, one behind the other */

/** Of a large page: elements behind the script, each with some blocks, or pictures from afar. The parser may still be on its way. */
class Parts {
  constructor() {
    this.found = document.getElementsByClassName('thrum-part');
    this.seen = 0;
    /** @type {Map<number, {first: number, count: number, part: Part}[]>} by row */
    this.blocks = new Map();
    /** @type {Map<number, Element>} by row */
    this.fars = new Map();
  }

  isWhole() { return document.readyState !== 'loading'; }

  /** Takes in what the parser is through with; the newest element may not be whole. Is there more? */
  note() {
    const before = this.seen, whole = this.isWhole() ? this.found.length : this.found.length - 1;
    for (; this.seen < whole; this.seen++) {
      const node = this.found[this.seen], numbers = (node.getAttribute('data-blocks') || '').split(' ').filter(Boolean).map(Number);
      for (const far of (node.getAttribute('data-far') || '').split(' ').filter(Boolean)) this.fars.set(Number(far), node);
      /** @type {Part} */
      const part = { node, runs: [] };
      for (let i = 0; i < numbers.length; i += 3) {
        const [row, first, count] = numbers.slice(i, i + 3), list = this.blocks.get(row) || [];
        part.runs.push({ row, first, count });
        list.push({ first, count, part });
        this.blocks.set(row, list);
      }
    }
    return this.seen > before;
  }

  /** @param {number} row @param {number} block */
  ofBlock(row, block) {
    this.note();
    const run = (this.blocks.get(row) || []).find((r) => block >= r.first && block < r.first + r.count);
    return run ? run.part : null;
  }

  /** @param {number} row */
  ofFar(row) {
    this.note();
    return this.fars.get(row) || null;
  }

  /** The bytes of an element, which gives its text away. @param {Element} node */
  static async unpack(node) {
    const text = (node.textContent || '').trim();
    node.textContent = '';
    return inflate(fromBase64(text));
  }
}
