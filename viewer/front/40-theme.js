// SPDX-License-Identifier: MIT
// Sizes and colours of the timeline.

const LABEL = 200, ROW_HEIGHT = 15, ROW_GAP = 2, LANE_PAD = 8, AXIS = 26, RECTS = 1500, TEXT_ROOM = 44;
const STATE_COLORS = ['', '--s-idle', '--s-signal', '--s-callback', '--s-task', '--s-shared', '--s-hold', '--s-wanted', '--s-call', '--s-join', '--s-lock',
  '--s-shade1', '--s-shade2', '--s-shade3', '--s-shade4'];
const LANE_CONTENDED = 4; // of a lane's flags: it waited for a lock, or had one that others waited for
const ALL_RECTS = 12000; // of a picture: beyond, rows are lines of pixels
const HATCHED = new Set([STATE.LOCK, STATE.CALL]);

/** "rgb(1, 2, 3)" or "#123456" as a word of an ImageData @param {string} color */
function pixelOf(color) {
  const canvas = document.createElement('canvas').getContext('2d');
  if (!canvas) return 0;
  canvas.fillStyle = color;
  const hex = parseInt(String(canvas.fillStyle).slice(1), 16);
  return 0xff000000 | (hex & 255) << 16 | (hex >> 8 & 255) << 8 | hex >> 16;
}

class Theme {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    const get = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.states = STATE_COLORS.map((name) => (name ? get(name) : 'transparent'));
    this.pixels = Uint32Array.from(this.states, (color, i) => (i ? pixelOf(color) : 0));
    this.ink = get('--ink');
    this.faint = get('--faint');
    this.line = get('--line');
    this.card = get('--card');
    this.well = get('--well');
    this.focus = get('--note');
    this.onDark = get('--s-text');
    this.levels = /** @type {Record<string, string>} */ ({ error: get('--error'), warning: get('--warning'), note: get('--note') });
    this.font = '12px ' + (style.fontFamily || 'sans-serif');
  }
}
