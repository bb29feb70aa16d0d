// SPDX-License-Identifier: MIT
// Helpers: elements, words for times and counts.

/** @typedef {{base: number, end: number, count: number, at: number, size: number, spans: Spans | null, bytes: Uint8Array | null, asked: boolean}} Block */
/** @typedef {{index: number, lane: number, kind: number, level: number, count: number, farAt: number, farAsked: boolean, blocks: Block[], far: Uint8Array[] | null}} Row */
/** @typedef {{index: number, process: number, thread: number, name: string, begin: number, end: number, flags: number, from: number, fromNs: number, rows: Row[]}} Lane */
/** @typedef {{row: Row, block: number, at: number}} Place where a span is */
/** @typedef {{start: number, end: number, state: number, open: boolean, arrow: number, object: number, stack: number, what: number, fromLane: number, fromNs: number}} Span */
/** @typedef {{fingerprint: string, level: string, rule: string, title: string, lanes: number[], marks: Mark[]}} Finding */
/** @typedef {{lane: number, ns: number, role: string, object: number, stack: number, level: string, fingerprint: string, title: string}} Mark */

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {string} label @param {() => void} act @param {string} [title] */
function button(label, act, title) {
  const node = el('button', title ? { type: 'button', title } : { type: 'button' }, label);
  node.addEventListener('click', act);
  return node;
}

/** @param {string} selector @param {ParentNode} [root] @returns {HTMLElement[]} */
function all(selector, root) {
  return /** @type {HTMLElement[]} */ (Array.from((root || document).querySelectorAll(selector)));
}

const UNITS = /** @type {[number, string][]} */ ([[1e9, 's'], [1e6, 'ms'], [1e3, '\u00b5s'], [1, 'ns']]);

/** A length of time in its unit. @param {number} ns @param {number} [digits] */
function time(ns, digits) {
  const [size, word] = UNITS.find(([unit]) => Math.abs(ns) >= unit) || UNITS[3];
  const value = ns / size;
  const places = size === 1 ? 0 : digits !== undefined ? digits : value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(places) + '\u00a0' + word;
}

/** A moment: as many places as tell it from `step` later. @param {number} ns @param {number} step */
function moment(ns, step) {
  const [size, word] = UNITS.find(([unit]) => Math.max(ns, step * 4) >= unit) || UNITS[3];
  const places = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / size) - 1e-9)));
  return (ns / size).toFixed(places) + '\u00a0' + word;
}

/** @param {number} count @param {string} word */
function counted(count, word) {
  return count.toLocaleString('en') + ' ' + word + (count === 1 ? '' : 's');
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
