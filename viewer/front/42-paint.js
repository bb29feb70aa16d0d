// SPDX-License-Identifier: MIT
// Draws a timeline.

class Painter {
  /** @param {Timeline} timeline */
  constructor(timeline) {
    this.t = timeline;
    this.strips = document.createElement('canvas');
    /** @type {Map<number, CanvasPattern>} stripes by state */
    this.hatches = new Map();
  }

  paint() {
    const width = this.t.scroller.clientWidth, height = this.t.scroller.clientHeight, scale = devicePixelRatio || 1;
    if (!width || !height) return;
    if (this.t.canvas.width !== Math.round(width * scale) || this.t.canvas.height !== Math.round(height * scale)) {
      this.t.canvas.width = Math.round(width * scale);
      this.t.canvas.height = Math.round(height * scale);
      this.t.canvas.style.width = width + 'px';
      this.t.canvas.style.height = height + 'px';
    }
    const c = /** @type {CanvasRenderingContext2D} */ (this.t.canvas.getContext('2d'));
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.fillStyle = this.t.theme.card;
    c.fillRect(0, 0, width, height);
    c.font = this.t.theme.font;
    c.textBaseline = 'middle';
    const top = this.t.scroller.scrollTop;
    const seen = this.t.places.filter((p) => p.y + p.height > top + AXIS && p.y < top + height);
    this.t.trace.beginFrame();
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
    if (this.t.trace.endFrame()) this.t.draw();
    else if (this.t.options.onWhole) this.t.options.onWhole();
  }

  /** @param {CanvasRenderingContext2D} c @param {{lane: Lane, y: number, height: number}[]} seen */
  paintLanes(c, seen) {
    const left = this.t.labelWidth(), right = left + this.t.width();
    for (const p of seen) {
      const from = clamp(this.t.x(p.lane.begin), left, right), to = clamp(this.t.x(p.lane.end), left, right);
      c.fillStyle = this.t.theme.well;
      c.fillRect(from, p.y - 2, Math.max(to - from, 1), p.height - LANE_PAD + 2);
      c.fillStyle = this.t.theme.line;
      c.fillRect(0, p.y + p.height - LANE_PAD / 2 - 1, right, 1);
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {{lane: Lane, rows: Row[], y: number}[]} seen */
  paintRows(c, seen) {
    const { trace, from, to } = this.t;
    const rows = seen.flatMap((p) => p.rows.map((row, i) => ({ row, lane: p.lane, y: p.y + i * (ROW_HEIGHT + ROW_GAP), count: trace.countIn(row, from, to) })));
    const all = rows.reduce((sum, r) => sum + Math.min(r.count, RECTS), 0), most = Math.min(RECTS, RECTS * ALL_RECTS / Math.max(all, 1));
    const dense = rows.filter((r) => r.count > most || trace.isLeftOut(r.row, from, to));
    for (const r of rows) if (!dense.includes(r)) this.paintSpans(c, r.lane, r.row, r.y);
    if (dense.length) this.paintDense(c, dense);
  }

  /** Far away: a line of pixels a row, stretched. @param {CanvasRenderingContext2D} c @param {{row: Row, y: number}[]} dense */
  paintDense(c, dense) {
    const width = Math.round(this.t.width()), states = new Uint8Array(width);
    const strips = this.strips;
    if (strips.width !== width || strips.height < dense.length) {
      strips.width = width;
      strips.height = dense.length;
    }
    const s = /** @type {CanvasRenderingContext2D} */ (strips.getContext('2d', { willReadFrequently: true }));
    const image = new ImageData(width, dense.length), words = new Uint32Array(image.data.buffer);
    /** @type {{state: number, x: number, y: number, w: number}[]} */
    const stripes = [];
    dense.forEach((d, line) => {
      this.t.trace.raster(d.row, this.t.from, this.t.to, states);
      this.findStripes(states, d.y, stripes);
      for (let x = 0; x < width; x++) words[line * width + x] = this.t.theme.pixels[states[x]];
    });
    s.putImageData(image, 0, 0);
    c.imageSmoothingEnabled = false;
    dense.forEach((d, line) => c.drawImage(strips, 0, line, width, 1, this.t.labelWidth(), d.y, width, ROW_HEIGHT));
    for (const s of stripes) {
      c.fillStyle = this.hatch(s.state);
      c.fillRect(this.t.labelWidth() + s.x, s.y, s.w, ROW_HEIGHT);
    }
  }

  /** Where a line of pixels is striped. @param {Uint8Array} states @param {number} y @param {{state: number, x: number, y: number, w: number}[]} found */
  findStripes(states, y, found) {
    for (let x = 0, end = 0; x < states.length; x = end) {
      const state = states[x];
      for (end = x + 1; end < states.length && states[end] === state;) end++;
      if (end - x > 4 && HATCHED.has(state)) found.push({ state, x, y, w: end - x });
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {Lane} lane @param {Row} row @param {number} y */
  paintSpans(c, lane, row, y) {
    const { trace, from, to } = this.t, left = this.t.labelWidth(), right = left + this.t.width(), scale = this.t.width() / (to - from);
    let drawn = left - 1;
    for (let index = trace.findBlock(row, from); index < row.blocks.length && row.blocks[index].base <= to; index++) {
      const spans = trace.spans(row, index);
      if (!spans) continue; // it comes
      for (let at = spans.find(from); at < spans.count && spans.start[at] <= to; at++) {
        const x = Math.max(left, left + (spans.start[at] - from) * scale), end = Math.min(right, left + (spans.end[at] - from) * scale);
        const w = Math.max(end - x, 1.5);
        if (x + w < drawn + 0.5) continue;
        drawn = x + w;
        this.paintSpan(c, spans.flags[at], x, y, w, spans.end[at] <= to);
        if (w > TEXT_ROOM) this.paintText(c, lane, trace.get({ row, block: index, at }), x, y, w);
      }
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {number} flags @param {number} x @param {number} y @param {number} w @param {boolean} ends in view */
  paintSpan(c, flags, x, y, w, ends) {
    const state = flags & 15, hatched = w > 4 && HATCHED.has(state);
    c.fillStyle = hatched ? this.hatch(state) : this.t.theme.states[state];
    c.fillRect(x, y, w, ROW_HEIGHT);
    if (flags & 16 && ends && w > 4) {
      c.fillStyle = this.t.theme.ink;
      c.fillRect(x + w - 2, y, 2, ROW_HEIGHT);
    }
  }

  /** Stripes: a wait is told by more than its colour. @param {number} state */
  hatch(state) {
    const made = this.hatches.get(state);
    if (made) return made;
    const tile = document.createElement('canvas'), c = /** @type {CanvasRenderingContext2D} */ (tile.getContext('2d'));
    tile.width = tile.height = 8;
    c.fillStyle = this.t.theme.states[state];
    c.fillRect(0, 0, 8, 8);
    c.strokeStyle = this.t.theme.card;
    c.globalAlpha = 0.35;
    c.lineWidth = 2;
    c.beginPath();
    for (let at = -8; at <= 8; at += 8) {
      c.moveTo(at - 2, state === STATE.CALL ? -2 : 10);
      c.lineTo(at + 10, state === STATE.CALL ? 10 : -2);
    }
    c.stroke();
    const pattern = /** @type {CanvasPattern} */ (c.createPattern(tile, 'repeat'));
    this.hatches.set(state, pattern);
    return pattern;
  }

  /** @param {CanvasRenderingContext2D} c @param {Lane} lane @param {Span} span @param {number} x @param {number} y @param {number} w */
  paintText(c, lane, span, x, y, w) {
    const most = Math.floor((w - 8) / 6.2);
    let text = this.t.trace.spanName(lane, span);
    if (text.length > most) text = text.slice(0, Math.max(most - 1, 1)) + '\u2026';
    if (HATCHED.has(span.state)) {
      c.fillStyle = this.t.theme.states[span.state];
      c.fillRect(x + 2, y + 1, Math.min(w - 4, c.measureText(text).width + 5), ROW_HEIGHT - 2);
    }
    c.fillStyle = this.t.theme.onDark;
    c.textAlign = 'left';
    c.fillText(text, x + 4, y + ROW_HEIGHT / 2 + 0.5, w - 6);
  }

  /** @param {CanvasRenderingContext2D} c @param {{lane: Lane, y: number, height: number}[]} seen */
  paintLabels(c, seen) {
    const left = this.t.labelWidth();
    c.fillStyle = this.t.theme.card;
    if (seen.length) c.fillRect(0, seen[0].y - 4, left - 4, seen[seen.length - 1].y + seen[seen.length - 1].height);
    for (const p of seen) {
      c.fillStyle = this.t.theme.ink;
      c.textAlign = 'right';
      let name = this.t.trace.laneName(p.lane);
      const most = Math.floor((left - 20) / 6.4);
      if (name.length > most) name = name.slice(0, most - 1) + '\u2026';
      c.fillText(name, left - 10, p.y + ROW_HEIGHT / 2);
    }
  }

  /** @param {CanvasRenderingContext2D} c */
  paintArrow(c) {
    if (!this.t.selected) return;
    const span = this.t.trace.get(this.t.selected), to = this.t.rowY(this.t.selected.row);
    if (!span.arrow || to === null) return;
    const from = this.t.places.find((p) => p.lane.index === span.fromLane);
    if (!from) return;
    const x0 = this.t.x(span.fromNs), x1 = this.t.x(ARROW_AT_END[span.arrow] ? span.end : span.start);
    const y0 = from.y + ROW_HEIGHT, y1 = to + (y0 > to ? ROW_HEIGHT : 0), bend = (y1 - y0) / 3;
    c.strokeStyle = c.fillStyle = this.t.theme.ink;
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
    const left = this.t.labelWidth(), right = left + this.t.width();
    for (const finding of this.t.trace.findings)
      for (const mark of finding.marks) {
        const p = seen.find((place) => place.lane.index === mark.lane), x = this.t.x(mark.ns);
        if (!p || x < left || x > right) continue;
        c.fillStyle = this.t.theme.levels[mark.level] || this.t.theme.ink;
        c.beginPath();
        c.moveTo(x, p.y + 3);
        c.lineTo(x - 5, p.y - 6);
        c.lineTo(x + 5, p.y - 6);
        c.fill();
      }
    c.fillStyle = this.t.theme.focus;
    for (const ns of this.t.pins) c.fillRect(this.t.x(ns), this.t.scroller.scrollTop, 1.5, this.t.scroller.clientHeight);
  }

  /** @param {CanvasRenderingContext2D} c */
  paintSelection(c) {
    const y = this.t.selected ? this.t.rowY(this.t.selected.row) : null;
    if (!this.t.selected || y === null) return;
    const span = this.t.trace.get(this.t.selected), x = Math.max(this.t.x(span.start), this.t.labelWidth());
    c.strokeStyle = this.t.theme.ink;
    c.lineWidth = 2;
    c.strokeRect(x - 1, y - 1, Math.max(Math.min(this.t.x(span.end), this.t.labelWidth() + this.t.width()) - x, 2) + 2, ROW_HEIGHT + 2);
  }

  /** @param {CanvasRenderingContext2D} c @param {number} width @param {number} height */
  paintAxis(c, width, height) {
    const left = this.t.labelWidth(), length = this.t.to - this.t.from;
    c.fillStyle = this.t.theme.card;
    c.fillRect(0, 0, width, AXIS);
    const raw = length / Math.max(2, this.t.width() / 120), power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) || raw;
    c.textAlign = 'left';
    for (let ns = Math.ceil(this.t.from / step) * step; ns <= this.t.to; ns += step) {
      const x = this.t.x(ns);
      if (x < left || ns < 0) continue;
      c.fillStyle = this.t.theme.line;
      c.fillRect(x, AXIS - 8, 1, height);
      c.fillStyle = this.t.theme.faint;
      c.fillText(moment(ns, step), x + 4, AXIS / 2 - 2);
    }
    c.fillStyle = this.t.theme.faint;
    c.textAlign = 'right';
    c.fillText(time(length) + (left < 130 ? '' : ' shown'), left - 10, AXIS / 2 - 2);
  }
}
