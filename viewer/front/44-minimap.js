// SPDX-License-Identifier: MIT
// The whole run above the timeline.

const MINI_SPANS = 200000;

/** The whole run in a strip: how much is going on, where the findings are, what is seen below. */
class Minimap {
  /** @param {Trace} trace @param {HTMLElement} host @param {Timeline} timeline */
  constructor(trace, host, timeline) {
    this.trace = trace;
    this.timeline = timeline;
    this.canvas = /** @type {HTMLCanvasElement} */ (el('canvas', { class: 'tl-mini', role: 'img', 'aria-label': 'The whole run: waits, and where the findings are' }));
    host.append(this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    const move = (/** @type {PointerEvent} */ e) => {
      const box = this.canvas.getBoundingClientRect(), length = timeline.to - timeline.from;
      const ns = clamp((e.clientX - box.left - timeline.labelWidth()) / (box.width - timeline.labelWidth()), 0, 1) * trace.end;
      timeline.show(ns - length / 2, ns + length / 2);
    };
    this.canvas.addEventListener('pointerdown', (e) => { this.canvas.setPointerCapture(e.pointerId); move(e); });
    this.canvas.addEventListener('pointermove', (e) => { if (e.buttons) move(e); });
  }

  /** Of each pixel: how many lanes wait, how many hold. @param {number} width */
  measure(width) {
    if (this.waits && this.waits.length === width) return;
    this.waits = new Uint16Array(width);
    this.busy = new Uint16Array(width);
    const states = new Uint8Array(width);
    let unpacked = 0; // rows without a picture from afar are read, some of them
    for (const row of this.trace.rows.slice(0, 2000)) {
      if (row.farAt === -1 && (unpacked += row.count) > MINI_SPANS) continue;
      this.trace.raster(row, 0, this.trace.end + 1, states);
      for (let x = 0; x < width; x++) {
        if (states[x] === STATE.LOCK || states[x] === STATE.CALL) this.waits[x]++;
        else if (states[x] > STATE.SIGNAL) this.busy[x]++;
      }
    }
  }

  draw() {
    if (!this.drawing) this.drawing = requestAnimationFrame(() => { this.drawing = 0; this.paint(); });
  }

  /** How much goes on, as a picture that is made once. @param {number} room @param {number} height */
  background(room, height) {
    const kept = this.kept;
    if (kept && kept.width === room && kept.height === height && kept.waits === this.waits && kept.theme === this.timeline.theme) return kept.canvas;
    const canvas = document.createElement('canvas'), c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), theme = this.timeline.theme;
    canvas.width = room;
    canvas.height = height;
    this.measure(room);
    const busy = /** @type {Uint16Array} */ (this.busy), waits = /** @type {Uint16Array} */ (this.waits);
    let most = 1;
    for (let x = 0; x < room; x++) most = Math.max(most, busy[x] + waits[x]);
    const unit = (height - 12) / most;
    for (let x = 0; x < room; x++) {
      c.fillStyle = theme.states[STATE.HOLD];
      c.fillRect(x, height - busy[x] * unit, 1, busy[x] * unit);
      c.fillStyle = theme.states[STATE.LOCK];
      c.fillRect(x, height - (busy[x] + waits[x]) * unit, 1, waits[x] * unit);
    }
    this.kept = { width: room, height, waits: this.waits, theme, canvas };
    return canvas;
  }

  paint() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight, left = this.timeline.labelWidth(), theme = this.timeline.theme;
    const room = Math.floor(width - left);
    if (room < 10 || !height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    const c = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    c.drawImage(this.background(room, height), left, 0);
    for (const finding of this.trace.findings)
      for (const mark of finding.marks) {
        const x = left + mark.ns / this.trace.end * room;
        c.fillStyle = theme.levels[mark.level] || theme.ink;
        c.beginPath();
        c.moveTo(x, 9);
        c.lineTo(x - 4, 0);
        c.lineTo(x + 4, 0);
        c.fill();
      }
    const from = left + clamp(this.timeline.from / this.trace.end, 0, 1) * room, to = left + clamp(this.timeline.to / this.trace.end, 0, 1) * room;
    c.strokeStyle = theme.ink;
    c.lineWidth = 2;
    c.strokeRect(from + 1, 1, Math.max(to - from - 2, 2), height - 2);
    c.font = theme.font;
    c.fillStyle = theme.faint;
    c.textAlign = 'right';
    c.textBaseline = 'middle';
    c.fillText((left < 130 ? 'all ' : 'whole run, ') + time(this.trace.end), left - 10, height / 2);
  }
}
