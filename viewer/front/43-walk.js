// SPDX-License-Identifier: MIT
// From span to span: to who did what made one go on, to who is in the way, to what it led to, to the next one that fits. Each waits for spans that
// are not there yet.

const LOOK_AHEAD = 5000, SEARCHED = 20000; // spans of a row

class Walk {
  /** @param {Trace} trace */
  constructor(trace) {
    this.trace = trace;
  }

  /** The first span of a row that ends at or after a time. @param {Row} row @param {number} ns */
  async find(row, ns) {
    await this.trace.need(row, ns);
    return this.trace.find(row, ns);
  }

  /** The span that a thread was in, or just out of, at a moment. @param {Lane} lane @param {number} ns @param {number} object */
  async spanAt(lane, ns, object) {
    let nearest = null, distance = Infinity;
    for (const row of lane.rows) {
      const place = await this.find(row, ns), before = place && await this.trace.stepTo(place, -1);
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

  /** Who has the lock in the middle of a wait for it? @param {Place} place @returns {Promise<Place | null>} */
  async holderOf(place) {
    const span = this.trace.get(place), lane = this.trace.lanes[place.row.lane];
    if (span.state !== STATE.LOCK || !span.object) return null;
    const ns = span.open ? span.end : span.end - (span.end - span.start) / 2;
    for (const other of this.trace.lanes) {
      if (other.process !== lane.process || other === lane) continue;
      for (const row of other.rows) {
        if (row.kind !== ROW.HOLD) continue;
        const held = await this.find(row, ns);
        if (!held) continue;
        const hold = this.trace.get(held);
        if (hold.object === span.object && hold.start <= ns) return held;
      }
    }
    return null;
  }

  /** Along the arrow: to its cause, or where there is none, to who holds what is waited for. @param {Place} place @returns {Promise<Place | null>} */
  async causeOf(place) {
    const span = this.trace.get(place);
    if (!span.arrow) return this.holderOf(place);
    const cause = await this.spanAt(this.trace.lanes[span.fromLane], span.fromNs, span.object);
    if (!cause) toast('nothing was recorded of ' + this.trace.laneName(this.trace.lanes[span.fromLane]) + ' then');
    return cause;
  }

  /** Against the arrow: the next thing that a span made possible. @param {Place} from @returns {Promise<Place | null>} */
  async effectOf(from) {
    const here = from.row.lane, span = this.trace.get(from);
    let best = null, earliest = Infinity;
    for (const row of this.trace.rows) {
      let place = await this.find(row, span.start);
      for (let i = 0; place && i < LOOK_AHEAD; i++) {
        const other = this.trace.get(place);
        if (other.start > span.end + this.trace.end / 100 || other.start > earliest) break;
        if (other.arrow && other.fromLane === here && other.fromNs >= span.start && other.fromNs <= span.end + 1000 && other.end < earliest) {
          best = place;
          earliest = other.end;
        }
        place = await this.trace.stepTo(place, 1);
      }
    }
    return best;
  }

  /**
   * The next span of any of the rows, by its beginning.
   * @param {{lane: Lane, rows: Row[]}[]} places @param {(lane: Lane, span: Span) => boolean} fits @param {number} by 1 or -1
   * @param {number} now beginning of the one before; -1 or Infinity = none
   */
  async nextThat(places, fits, by, now) {
    let best = null, nearest = Infinity;
    for (const { lane, rows } of places)
      for (const row of rows) {
        const first = by > 0 ? now : Math.min(now, this.trace.end), last = row.blocks.length - 1;
        let place = await this.find(row, first);
        if (!place && by < 0 && last >= 0) {
          await this.trace.need(row, row.blocks[last].end);
          place = this.trace.spans(row, last) && { row, block: last, at: row.blocks[last].count - 1 };
        }
        for (let i = 0; place && i < SEARCHED; i++, place = this.trace.step(place, by) || await this.trace.stepTo(place, by)) {
          const span = this.trace.get(place), away = (span.start - now) * by;
          if (away <= 0) continue;
          if (away >= nearest) break;
          if (fits(lane, span)) {
            best = place;
            nearest = now === Infinity ? -span.start : away;
            break;
          }
        }
      }
    return best;
  }
}
