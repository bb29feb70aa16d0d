// SPDX-License-Identifier: MIT
// The timeline: lanes on a canvas, a picture of the whole above it, the selected span beside it.

const LABEL = 200, ROW_HEIGHT = 15, ROW_GAP = 2, LANE_PAD = 8, AXIS = 26, RECTS = 1500, TEXT_ROOM = 44;
const STATE_COLORS = ['', '--s-idle', '--s-signal', '--s-callback', '--s-task', '--s-shared', '--s-hold', '--s-wanted', '--s-call', '--s-join', '--s-lock',
  '--s-shade1', '--s-shade2', '--s-shade3', '--s-shade4'];
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

class Timeline {
  /**
   * @param {Trace} trace @param {HTMLElement} host
   * @param {{lanes?: number[], from?: number, to?: number, small?: boolean, label: string, onSelect?: (place: Place | null) => void, onView?: () => void}} options
   */
  constructor(trace, host, options) {
    this.trace = trace;
    this.options = options;
    this.theme = new Theme();
    this.from = options.from ?? 0;
    this.to = options.to ?? trace.end;
    /** @type {Place | null} */
    this.selected = null;
    /** @type {number[]} */
    this.pins = [];
    this.onlyContended = false;
    /** @type {Set<number> | null} */
    this.onlyLanes = options.lanes ? new Set(options.lanes) : null;
    this.canvas = /** @type {HTMLCanvasElement} */ (el('canvas', { role: 'img', 'aria-label': options.label, class: 'tl-canvas' }));
    this.spacer = el('div', { class: 'tl-spacer' });
    this.scroller = el('div', { class: 'tl-scroller' + (options.small ? ' small' : ''), tabindex: '0', role: 'group', 'aria-label': options.label },
      this.spacer);
    this.spacer.append(this.canvas);
    host.append(this.scroller);
    this.strips = document.createElement('canvas');
    /** @type {{lane: Lane, rows: Row[], y: number, height: number}[]} */
    this.places = [];
    this.layout();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.theme = new Theme(); this.draw(); });
  }

  // ---- what is where ----

  layout() {
    this.places = [];
    let y = AXIS + 8;
    for (const lane of this.trace.lanes) {
      if (this.onlyLanes && !this.onlyLanes.has(lane.index)) continue;
      const rows = lane.rows.filter((row) => row.count && (!this.options.small || row.kind !== ROW.HOLD || row.level < 4));
      if (this.onlyContended && !this.isContended(lane)) continue;
      const height = Math.max(rows.length, 1) * (ROW_HEIGHT + ROW_GAP) + LANE_PAD;
      this.places.push({ lane, rows, y, height });
      y += height;
    }
    this.height = y;
    this.spacer.style.height = y + 'px';
    this.scroller.style.setProperty('--tl-height', y + 6 + 'px');
  }

  /** Did it wait for a lock, or have one that others waited for? @param {Lane} lane */
  isContended(lane) {
    const out = new Uint8Array(256);
    return lane.rows.some((row) => {
      this.trace.raster(row, 0, this.trace.end + 1, out);
      return out.some((state) => state === STATE.LOCK || state === STATE.WANTED);
    });
  }

  width() { return Math.max(50, this.scroller.clientWidth - this.labelWidth()); }
  labelWidth() { return Math.min(LABEL, this.scroller.clientWidth * 0.3); }
  /** @param {number} ns */
  x(ns) { return this.labelWidth() + (ns - this.from) / (this.to - this.from) * this.width(); }
  /** @param {number} x */
  ns(x) { return this.from + (x - this.labelWidth()) / this.width() * (this.to - this.from); }

  /** @param {number} from @param {number} to */
  show(from, to) {
    const length = clamp(to - from, 20, this.trace.end * 1.1), middle = (from + to) / 2;
    const start = clamp(middle - length / 2, -this.trace.end * 0.05, Math.max(0, this.trace.end * 1.05 - length));
    this.from = start;
    this.to = start + length;
    this.draw();
    if (this.options.onView) this.options.onView();
  }

  /** @param {number} factor @param {number} [at] */
  zoom(factor, at) {
    const middle = at ?? this.selectedTime() ?? (this.from + this.to) / 2;
    this.show(middle - (middle - this.from) * factor, middle + (this.to - middle) * factor);
  }

  /** The middle of the selection where that is in view. */
  selectedTime() {
    if (!this.selected) return null;
    const span = this.trace.get(this.selected), middle = (span.start + span.end) / 2;
    return middle >= this.from && middle <= this.to ? middle : null;
  }

  /** @param {number} part of what is seen */
  pan(part) {
    const by = (this.to - this.from) * part;
    this.show(this.from + by, this.to + by);
  }

  // ---- selection ----

  /** @param {Place | null} place @param {boolean} [reveal] */
  select(place, reveal) {
    this.selected = place;
    if (place && reveal) {
      const span = this.trace.get(place), length = this.to - this.from, y = this.rowY(place.row);
      const own = span.end - span.start, small = own / length * this.width() < 3;
      if (span.end < this.from || span.start > this.to || small || own > length) {
        const wanted = own > length ? own * 1.5 : small && own > 0 ? clamp(own * 20, Math.min(length, 1000), length) : length;
        this.show((span.start + span.end) / 2 - wanted / 2, (span.start + span.end) / 2 + wanted / 2);
      }
      if (y !== null && (y < this.scroller.scrollTop + AXIS || y > this.scroller.scrollTop + this.scroller.clientHeight - 30))
        this.scroller.scrollTop = y - this.scroller.clientHeight / 2;
    }
    this.draw();
    if (this.options.onSelect) this.options.onSelect(place);
  }

  /** @param {Row} row */
  rowY(row) {
    for (const p of this.places) {
      const at = p.rows.indexOf(row);
      if (at >= 0) return p.y + at * (ROW_HEIGHT + ROW_GAP);
    }
    return null;
  }

  /** @param {number} x @param {number} y of the canvas @returns {Place | null} */
  hit(x, y) {
    y += this.scroller.scrollTop;
    const p = this.places.find((place) => y >= place.y && y < place.y + place.height);
    const row = p && p.rows[Math.floor((y - p.y) / (ROW_HEIGHT + ROW_GAP))];
    if (!row || x < this.labelWidth()) return null;
    const slack = (this.to - this.from) / this.width() * 2, ns = this.ns(x);
    let best = null, nearest = Infinity, place = this.trace.find(row, ns - slack);
    for (let i = 0; place && i < 2000; i++) {
      const span = this.trace.get(place);
      if (span.start > ns + slack) break;
      const distance = ns < span.start ? span.start - ns : ns > span.end ? ns - span.end : 0;
      if (distance < nearest) {
        best = place;
        nearest = distance;
      }
      place = this.trace.step(place, 1);
    }
    return best;
  }

  /** @param {number} by */
  selectNext(by) {
    if (!this.selected) {
      const p = this.places.find((place) => place.rows.length);
      if (p) this.select(this.trace.find(p.rows[0], this.from), true);
      return;
    }
    const next = this.trace.step(this.selected, by);
    if (next) this.select(next, true);
  }

  /** @param {number} by lanes and rows up or down */
  selectRow(by) {
    const rows = this.places.flatMap((p) => p.rows);
    const at = this.selected ? rows.indexOf(this.selected.row) : -1;
    const row = rows[clamp(at + by, 0, rows.length - 1)];
    const ns = this.selectedTime() ?? this.from;
    if (row) {
      const place = this.trace.find(row, ns) || this.trace.find(row, 0);
      if (place) this.select(place, true);
    }
  }

  /** The span that the other thread was in, or just out of, at a moment. @param {Lane} lane @param {number} ns @param {number} object */
  spanAt(lane, ns, object) {
    let nearest = null, distance = Infinity;
    for (const row of lane.rows) {
      let place = this.trace.find(row, ns);
      const before = place && this.trace.step(place, -1);
      for (const candidate of [before, place]) {
        if (!candidate) continue;
        const span = this.trace.get(candidate);
        let away = ns < span.start ? span.start - ns : ns > span.end ? ns - span.end : 0;
        if (object && span.object === object) away -= 1;
        if (away < distance) {
          nearest = candidate;
          distance = away;
        }
      }
    }
    return nearest;
  }

  /** Along the arrow: to its cause, or where there is none, to who holds what is waited for. */
  follow() {
    if (!this.selected) return;
    const span = this.trace.get(this.selected);
    if (span.arrow) {
      const cause = this.spanAt(this.trace.lanes[span.fromLane], span.fromNs, span.object);
      if (cause) this.select(cause, true);
      else toast('nothing was recorded of ' + this.trace.laneName(this.trace.lanes[span.fromLane]) + ' then');
    } else {
      const holder = this.holderOf(this.selected);
      if (holder) this.select(holder, true);
    }
  }

  /** Who has the lock in the middle of a wait for it? @param {Place} place @returns {Place | null} */
  holderOf(place) {
    const span = this.trace.get(place), lane = this.trace.lanes[place.row.lane];
    if (span.state !== STATE.LOCK || !span.object) return null;
    const ns = span.open ? span.end : span.end - (span.end - span.start) / 2;
    for (const other of this.trace.lanes) {
      if (other.process !== lane.process || other === lane) continue;
      for (const row of other.rows) {
        if (row.kind !== ROW.HOLD) continue;
        const held = this.trace.find(row, ns);
        if (!held) continue;
        const hold = this.trace.get(held);
        if (hold.object === span.object && hold.start <= ns) return held;
      }
    }
    return null;
  }

  /** Against the arrow: the next thing that the selected span made possible. */
  followBack() {
    if (!this.selected) return;
    const here = this.selected.row.lane, span = this.trace.get(this.selected);
    let best = null, earliest = Infinity;
    for (const row of this.trace.rows) {
      let place = this.trace.find(row, span.start);
      for (let i = 0; place && i < 5000; i++) {
        const other = this.trace.get(place);
        if (other.start > span.end + this.trace.end / 100 || other.start > earliest) break;
        if (other.arrow && other.fromLane === here && other.fromNs >= span.start && other.fromNs <= span.end + 1000 && other.end < earliest) {
          best = place;
          earliest = other.end;
        }
        place = this.trace.step(place, 1);
      }
    }
    if (best) this.select(best, true);
  }

  // ---- drawing ----

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      this.paint();
    });
  }

  paint() {
    const width = this.scroller.clientWidth, height = this.scroller.clientHeight, scale = devicePixelRatio || 1;
    if (!width || !height) return;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.width = width + 'px';
      this.canvas.style.height = height + 'px';
    }
    const c = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.fillStyle = this.theme.card;
    c.fillRect(0, 0, width, height);
    c.font = this.theme.font;
    c.textBaseline = 'middle';
    const top = this.scroller.scrollTop;
    const seen = this.places.filter((p) => p.y + p.height > top + AXIS && p.y < top + height);
    c.save();
    c.beginPath();
    c.rect(0, AXIS, width, height - AXIS);
    c.clip();
    c.translate(0, -top);
    this.paintLanes(c, seen);
    this.paintRows(c, seen);
    this.paintArrow(c);
    this.paintMarks(c, seen);
    this.paintSelection(c);
    this.paintLabels(c, seen);
    c.restore();
    this.paintAxis(c, width, height);
  }

  /** @param {CanvasRenderingContext2D} c @param {{lane: Lane, y: number, height: number}[]} seen */
  paintLanes(c, seen) {
    const left = this.labelWidth(), right = left + this.width();
    for (const p of seen) {
      const from = clamp(this.x(p.lane.begin), left, right), to = clamp(this.x(p.lane.end), left, right);
      c.fillStyle = this.theme.well;
      c.fillRect(from, p.y - 2, Math.max(to - from, 1), p.height - LANE_PAD + 2);
      c.fillStyle = this.theme.line;
      c.fillRect(0, p.y + p.height - LANE_PAD / 2 - 1, right, 1);
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {{lane: Lane, rows: Row[], y: number}[]} seen */
  paintRows(c, seen) {
    /** @type {{row: Row, lane: Lane, y: number}[]} */
    const dense = [];
    for (const p of seen)
      p.rows.forEach((row, i) => {
        const y = p.y + i * (ROW_HEIGHT + ROW_GAP);
        if (this.trace.countIn(row, this.from, this.to) > RECTS) dense.push({ row, lane: p.lane, y });
        else this.paintSpans(c, p.lane, row, y);
      });
    if (dense.length) this.paintDense(c, dense);
  }

  /** Far away: a line of pixels a row, stretched. @param {CanvasRenderingContext2D} c @param {{row: Row, y: number}[]} dense */
  paintDense(c, dense) {
    const width = Math.round(this.width()), states = new Uint8Array(width);
    const strips = this.strips;
    if (strips.width !== width || strips.height < dense.length) {
      strips.width = width;
      strips.height = dense.length;
    }
    const s = /** @type {CanvasRenderingContext2D} */ (strips.getContext('2d', { willReadFrequently: true }));
    const image = new ImageData(width, dense.length), words = new Uint32Array(image.data.buffer);
    dense.forEach((d, line) => {
      this.trace.raster(d.row, this.from, this.to, states);
      for (let x = 0; x < width; x++) words[line * width + x] = this.theme.pixels[states[x]];
    });
    s.putImageData(image, 0, 0);
    c.imageSmoothingEnabled = false;
    dense.forEach((d, line) => c.drawImage(strips, 0, line, width, 1, this.labelWidth(), d.y, width, ROW_HEIGHT));
  }

  /** @param {CanvasRenderingContext2D} c @param {Lane} lane @param {Row} row @param {number} y */
  paintSpans(c, lane, row, y) {
    const left = this.labelWidth(), right = left + this.width();
    let drawn = left - 1;
    for (let place = this.trace.find(row, this.from); place; place = this.trace.step(place, 1)) {
      const span = this.trace.get(place);
      if (span.start > this.to) break;
      const x = Math.max(left, this.x(span.start)), end = Math.min(right, this.x(span.end)), w = Math.max(end - x, 1.5);
      if (x + w < drawn + 0.5) continue;
      drawn = x + w;
      c.fillStyle = this.theme.states[span.state];
      c.fillRect(x, y, w, ROW_HEIGHT);
      if (HATCHED.has(span.state) && w > 4) this.hatch(c, x, y, w, span.state === STATE.CALL);
      if (span.open && span.end <= this.to && w > 4) {
        c.fillStyle = this.theme.ink;
        c.fillRect(x + w - 2, y, 2, ROW_HEIGHT);
      }
      if (w > TEXT_ROOM) this.paintText(c, lane, span, x, y, w);
    }
  }

  /** Stripes: a wait is told by more than its colour. @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} w @param {boolean} back */
  hatch(c, x, y, w, back) {
    c.save();
    c.beginPath();
    c.rect(x, y, w, ROW_HEIGHT);
    c.clip();
    c.strokeStyle = this.theme.card;
    c.globalAlpha = 0.35;
    c.lineWidth = 2;
    c.beginPath();
    const first = x - (x % 8) - ROW_HEIGHT;
    for (let at = first; at < x + w; at += 8) {
      c.moveTo(at, back ? y : y + ROW_HEIGHT);
      c.lineTo(at + ROW_HEIGHT, back ? y + ROW_HEIGHT : y);
    }
    c.stroke();
    c.restore();
  }

  /** @param {CanvasRenderingContext2D} c @param {Lane} lane @param {Span} span @param {number} x @param {number} y @param {number} w */
  paintText(c, lane, span, x, y, w) {
    const most = Math.floor((w - 8) / 6.2);
    let text = this.trace.spanName(lane, span);
    if (text.length > most) text = text.slice(0, Math.max(most - 1, 1)) + '\u2026';
    if (HATCHED.has(span.state)) {
      c.fillStyle = this.theme.states[span.state];
      c.fillRect(x + 2, y + 1, Math.min(w - 4, c.measureText(text).width + 5), ROW_HEIGHT - 2);
    }
    c.fillStyle = this.theme.onDark;
    c.textAlign = 'left';
    c.fillText(text, x + 4, y + ROW_HEIGHT / 2 + 0.5, w - 6);
  }

  /** @param {CanvasRenderingContext2D} c @param {{lane: Lane, y: number, height: number}[]} seen */
  paintLabels(c, seen) {
    const left = this.labelWidth();
    c.fillStyle = this.theme.card;
    if (seen.length) c.fillRect(0, seen[0].y - 4, left - 4, seen[seen.length - 1].y + seen[seen.length - 1].height);
    for (const p of seen) {
      c.fillStyle = this.theme.ink;
      c.textAlign = 'right';
      let name = this.trace.laneName(p.lane);
      const most = Math.floor((left - 20) / 6.4);
      if (name.length > most) name = name.slice(0, most - 1) + '\u2026';
      c.fillText(name, left - 10, p.y + ROW_HEIGHT / 2);
    }
  }

  /** @param {CanvasRenderingContext2D} c */
  paintArrow(c) {
    if (!this.selected) return;
    const span = this.trace.get(this.selected), to = this.rowY(this.selected.row);
    if (!span.arrow || to === null) return;
    const from = this.places.find((p) => p.lane.index === span.fromLane);
    if (!from) return;
    const x0 = this.x(span.fromNs), x1 = this.x(ARROW_AT_END[span.arrow] ? span.end : span.start);
    const y0 = from.y + ROW_HEIGHT, y1 = to + (y0 > to ? ROW_HEIGHT : 0), bend = (y1 - y0) / 3;
    c.strokeStyle = c.fillStyle = this.theme.ink;
    c.lineWidth = 2;
    c.beginPath();
    c.moveTo(x0, y0);
    c.bezierCurveTo(x0, y0 + bend, x1, y1 - bend, x1, y1);
    c.stroke();
    c.beginPath();
    c.arc(x0, y0, 3, 0, 7);
    c.fill();
    const tip = y1 > y0 ? -7 : 7;
    c.beginPath();
    c.moveTo(x1, y1);
    c.lineTo(x1 - 4, y1 + tip);
    c.lineTo(x1 + 4, y1 + tip);
    c.fill();
  }

  /** Pins of the findings. @param {CanvasRenderingContext2D} c @param {{lane: Lane, y: number}[]} seen */
  paintMarks(c, seen) {
    const left = this.labelWidth(), right = left + this.width();
    for (const finding of this.trace.findings)
      for (const mark of finding.marks) {
        const p = seen.find((place) => place.lane.index === mark.lane), x = this.x(mark.ns);
        if (!p || x < left || x > right) continue;
        c.fillStyle = this.theme.levels[mark.level] || this.theme.ink;
        c.beginPath();
        c.moveTo(x, p.y + 3);
        c.lineTo(x - 5, p.y - 6);
        c.lineTo(x + 5, p.y - 6);
        c.fill();
      }
    c.fillStyle = this.theme.focus;
    for (const ns of this.pins) c.fillRect(this.x(ns), this.scroller.scrollTop, 1.5, this.scroller.clientHeight);
  }

  /** @param {CanvasRenderingContext2D} c */
  paintSelection(c) {
    const y = this.selected ? this.rowY(this.selected.row) : null;
    if (!this.selected || y === null) return;
    const span = this.trace.get(this.selected), x = Math.max(this.x(span.start), this.labelWidth());
    c.strokeStyle = this.theme.ink;
    c.lineWidth = 2;
    c.strokeRect(x - 1, y - 1, Math.max(Math.min(this.x(span.end), this.labelWidth() + this.width()) - x, 2) + 2, ROW_HEIGHT + 2);
  }

  /** @param {CanvasRenderingContext2D} c @param {number} width @param {number} height */
  paintAxis(c, width, height) {
    const left = this.labelWidth(), length = this.to - this.from;
    c.fillStyle = this.theme.card;
    c.fillRect(0, 0, width, AXIS);
    const raw = length / Math.max(2, this.width() / 120), power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) || raw;
    c.textAlign = 'left';
    for (let ns = Math.ceil(this.from / step) * step; ns <= this.to; ns += step) {
      const x = this.x(ns);
      if (x < left || ns < 0) continue;
      c.fillStyle = this.theme.line;
      c.fillRect(x, AXIS - 8, 1, height);
      c.fillStyle = this.theme.faint;
      c.fillText(moment(ns, step), x + 4, AXIS / 2 - 2);
    }
    c.fillStyle = this.theme.faint;
    c.textAlign = 'right';
    c.fillText(time(length) + ' shown', left - 10, AXIS / 2 - 2);
  }

  // ---- mouse ----

  listen() {
    /** @type {{x: number, from: number, moved: boolean, area: boolean} | null} */
    let drag = null;
    const at = (/** @type {MouseEvent} */ e) => {
      const box = this.canvas.getBoundingClientRect();
      return { x: e.clientX - box.left, y: e.clientY - box.top };
    };
    this.scroller.addEventListener('scroll', () => this.draw());
    this.scroller.addEventListener('wheel', (e) => {
      if (!e.ctrlKey && !e.shiftKey && !e.deltaX) return;
      e.preventDefault();
      if (e.ctrlKey) this.zoom(e.deltaY > 0 ? 1.25 : 0.8, this.ns(at(e).x));
      else this.pan((e.deltaX || e.deltaY) / 800);
    }, { passive: false });
    this.canvas.addEventListener('pointerdown', (e) => {
      drag = { x: at(e).x, from: this.from, moved: false, area: e.shiftKey };
      this.canvas.setPointerCapture(e.pointerId);
    });
    this.canvas.addEventListener('pointermove', (e) => {
      const { x, y } = at(e);
      if (!drag) {
        this.hint(x, y);
        return;
      }
      drag.moved = drag.moved || Math.abs(x - drag.x) > 3;
      if (drag.moved && !drag.area) {
        const from = drag.from - (x - drag.x) / this.width() * (this.to - this.from);
        this.show(from, from + (this.to - this.from));
      }
    });
    this.canvas.addEventListener('pointerup', (e) => {
      const { x, y } = at(e), done = drag;
      drag = null;
      if (done && done.area && done.moved) this.show(this.ns(Math.min(x, done.x)), this.ns(Math.max(x, done.x)));
      else if (done && !done.moved) this.select(this.hit(x, y));
    });
    this.canvas.addEventListener('dblclick', (e) => {
      const place = this.hit(at(e).x, at(e).y);
      if (place) this.focus(place);
    });
  }

  /** @param {number} x @param {number} y */
  hint(x, y) {
    const place = this.hit(x, y);
    this.canvas.title = '';
    if (!place) return;
    const lane = this.trace.lanes[place.row.lane], span = this.trace.get(place);
    this.canvas.title = this.trace.laneName(lane) + ' ' + this.trace.spanSentence(lane, span) + ', ' + time(span.end - span.start) +
      '\n' + this.trace.place(lane.process, span.stack);
  }

  /** @param {Place | null} [place] */
  focus(place) {
    const chosen = place || this.selected;
    if (!chosen) return;
    const span = this.trace.get(chosen), room = Math.max((span.end - span.start) * 0.15, 50);
    if (Math.abs(this.from - (span.start - room)) < 1 && Math.abs(this.to - (span.end + room)) < 1) this.show(0, this.trace.end);
    else this.show(span.start - room, span.end + room);
  }
}

/** The whole run in a strip: how much is going on, where the findings are, what is seen below. */
class Minimap {
  /** @param {Trace} trace @param {HTMLElement} host @param {Timeline} timeline */
  constructor(trace, host, timeline) {
    this.trace = trace;
    this.timeline = timeline;
    this.canvas = /** @type {HTMLCanvasElement} */ (el('canvas', { class: 'tl-mini', role: 'img', 'aria-label': 'The whole run: waits, and where the findings are' }));
    host.append(this.canvas);
    new ResizeObserver(() => this.paint()).observe(this.canvas);
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
    for (const row of this.trace.rows.slice(0, 2000)) {
      this.trace.raster(row, 0, this.trace.end + 1, states);
      for (let x = 0; x < width; x++) {
        if (states[x] === STATE.LOCK || states[x] === STATE.CALL) this.waits[x]++;
        else if (states[x] > STATE.SIGNAL) this.busy[x]++;
      }
    }
  }

  paint() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight, left = this.timeline.labelWidth(), theme = this.timeline.theme;
    const room = Math.floor(width - left);
    if (room < 10 || !height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.measure(room);
    const c = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    const busy = /** @type {Uint16Array} */ (this.busy), waits = /** @type {Uint16Array} */ (this.waits);
    let most = 1;
    for (let x = 0; x < room; x++) most = Math.max(most, busy[x] + waits[x]);
    const unit = (height - 12) / most;
    for (let x = 0; x < room; x++) {
      c.fillStyle = theme.states[STATE.HOLD];
      c.fillRect(left + x, height - busy[x] * unit, 1, busy[x] * unit);
      c.fillStyle = theme.states[STATE.LOCK];
      c.fillRect(left + x, height - (busy[x] + waits[x]) * unit, 1, waits[x] * unit);
    }
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
    c.fillText('whole run, ' + time(this.trace.end), left - 10, height / 2);
  }
}
