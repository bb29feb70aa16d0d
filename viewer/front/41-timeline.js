// SPDX-License-Identifier: MIT
// The timeline: lanes on a canvas, what is seen of them, what is selected. 42-paint.js draws it.

class Timeline {
  /**
   * @param {Trace} trace @param {HTMLElement} host
   * @param {{lanes?: number[], from?: number, to?: number, small?: boolean, label: string, onSelect?: (place: Place | null) => void, onView?: () => void, onWhole?: () => void}} options
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
    this.painter = new Painter(this);
    this.walk = new Walk(trace);
    this.isWalking = false;
    /** @type {{lane: Lane, rows: Row[], y: number, height: number}[]} */
    this.places = [];
    this.layout();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.theme = new Theme(); this.painter = new Painter(this); this.draw(); });
    trace.listeners.push(() => this.draw());
  }

  // ---- what is where ----

  layout() {
    this.places = [];
    let y = AXIS + 8;
    for (const lane of this.trace.lanes) {
      if (this.onlyLanes && !this.onlyLanes.has(lane.index)) continue;
      const rows = lane.rows.filter((row) => row.count && (!this.options.small || row.kind !== ROW.HOLD || row.level < 4));
      if (this.onlyContended && !(lane.flags & LANE_CONTENDED)) continue;
      const height = Math.max(rows.length, 1) * (ROW_HEIGHT + ROW_GAP) + LANE_PAD;
      this.places.push({ lane, rows, y, height });
      y += height;
    }
    this.height = y;
    this.spacer.style.height = y + 'px';
    this.scroller.style.setProperty('--tl-height', y + 6 + 'px');
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

  /** Selects where a walk leads to, one walk at a time. @param {() => Promise<Place | null>} find */
  async goTo(find) {
    if (this.isWalking) return;
    this.isWalking = true;
    try {
      const place = await find();
      if (place) this.select(place, true);
    } finally {
      this.isWalking = false;
    }
  }

  /** @param {number} by */
  selectNext(by) {
    const selected = this.selected, first = this.places.find((place) => place.rows.length);
    if (selected) this.goTo(() => this.trace.stepTo(selected, by));
    else if (first) this.goTo(() => this.walk.find(first.rows[0], this.from));
  }

  /** @param {number} by lanes and rows up or down */
  selectRow(by) {
    const rows = this.places.flatMap((p) => p.rows);
    const at = this.selected ? rows.indexOf(this.selected.row) : -1;
    const row = rows[clamp(at + by, 0, rows.length - 1)], ns = this.selectedTime() ?? this.from;
    if (row) this.goTo(async () => await this.walk.find(row, ns) || this.walk.find(row, 0));
  }

  /** Along the arrow of the selected span. */
  follow() {
    const selected = this.selected;
    if (selected) this.goTo(() => this.walk.causeOf(selected));
  }

  /** Against it. */
  followBack() {
    const selected = this.selected;
    if (selected) this.goTo(() => this.walk.effectOf(selected));
  }

  // ---- drawing ----

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      this.painter.paint();
    });
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
