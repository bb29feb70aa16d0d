// SPDX-License-Identifier: MIT
// The timeline's screen: tools above it, the selection beside it; and the strip of time on each finding's page.

class TimelineScreen {
  /** @param {Trace} trace @param {Screens} screens */
  constructor(trace, screens) {
    this.trace = trace;
    this.screens = screens;
    const section = /** @type {HTMLElement} */ (document.getElementById('timeline'));
    const picture = document.getElementById('timeline-picture');
    this.legend = picture && all('.legend', picture)[0];
    if (picture) picture.hidden = true;
    this.tools = el('div', { class: 'tl-tools', role: 'toolbar', 'aria-label': 'Timeline' });
    this.drawer = el('aside', { class: 'tl-drawer', 'aria-label': 'Selected span', tabindex: '0' });
    const box = el('div', { class: 'tl-box' }), left = el('div', { class: 'tl-left' });
    box.append(left, this.drawer);
    section.append(this.tools, box);
    const { values } = readAddress();
    this.timeline = new Timeline(trace, left, {
      label: 'What each thread did over time; the selected span is told beside it',
      onSelect: (place) => this.tell(place),
      onView: () => { this.minimap.draw(); this.remember(); },
      onWhole: () => this.whole(),
    });
    this.minimap = new Minimap(trace, left, this.timeline);
    left.prepend(this.minimap.canvas);
    if (this.legend) section.append(this.legend);
    if (!trace.isOutline) section.append(this.makeTable());
    trace.listeners.push(() => { this.minimap.waits = undefined; this.minimap.draw(); });
    this.only = button('All threads', () => this.showOnly(null));
    this.only.hidden = true;
    this.range = el('span', { class: 'chip' });
    this.missing = el('p', { class: 'facts missing', role: 'status' }, 'Single spans of what is seen are not in this page, only their picture from afar: thrum view TRACE shows them.');
    this.missing.hidden = true;
    box.after(this.missing);
    this.makeTools();
    this.tell(null);
    this.restore(values);
    addEventListener('hashchange', () => {
      const address = readAddress();
      if (address.id === 'timeline' && location.hash !== this.written) this.restore(address.values);
    });
  }

  makeTools() {
    const contended = button('Only contended', () => {
      this.timeline.onlyContended = !this.timeline.onlyContended;
      contended.setAttribute('aria-pressed', String(this.timeline.onlyContended));
      this.relayout();
    }, 'Only threads that waited for a lock, or had one that others waited for');
    contended.setAttribute('aria-pressed', 'false');
    this.tools.append(button('Whole run', () => this.timeline.show(0, this.trace.end), '0'), button('Zoom in', () => this.timeline.zoom(0.5), 'W'),
      button('Zoom out', () => this.timeline.zoom(2), 'S'), ...(this.trace.isOutline ? [] : [contended]), this.only, this.range);
  }

  /** A picture is drawn in which all is that the page has. */
  whole() {
    const { from, to } = this.timeline, step = (to - from) / this.timeline.width();
    this.missing.hidden = step >= 2 ** this.trace.json.shift || !this.timeline.places.some((p) => p.rows.some((row) => this.trace.isLeftOut(row, from, to)));
    if (this.isDrawn || !this.trace.isSettled()) return;
    performance.mark('thrum-drawn');
    this.isDrawn = true;
  }

  relayout() {
    this.timeline.layout();
    this.timeline.draw();
  }

  /** @param {Finding | null} finding */
  showOnly(finding) {
    this.timeline.onlyLanes = finding && finding.lanes.length ? new Set(finding.lanes) : null;
    this.finding = finding;
    this.only.hidden = !this.timeline.onlyLanes;
    this.only.textContent = 'All threads (now: of one finding) \u2715';
    this.relayout();
    this.remember();
  }

  /** The view goes into the address, so that a copied link shows the same. */
  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      if (this.trace.isOutline || readAddress().id !== 'timeline') return;
      const t = this.timeline, parts = ['from=' + Math.round(t.from), 'to=' + Math.round(t.to)];
      if (t.selected) parts.push('sel=' + t.selected.row.index + ':' + Math.round(this.trace.get(t.selected).start));
      if (this.finding) parts.push('finding=' + this.finding.fingerprint);
      if (t.pins.length) parts.push('marks=' + t.pins.map(Math.round).join(','));
      this.written = '#timeline?' + parts.join('&');
      history.replaceState(null, '', this.written);
    }, 250);
    this.range.textContent = moment(Math.max(0, this.timeline.from), (this.timeline.to - this.timeline.from) / 100) + ' \u2013 ' +
      moment(this.timeline.to, (this.timeline.to - this.timeline.from) / 100);
  }

  /** @param {URLSearchParams} values */
  async restore(values) {
    const finding = this.trace.findings.find((f) => f.fingerprint === values.get('finding')) || null;
    if (finding !== (this.finding || null)) this.showOnly(finding);
    this.timeline.pins = (values.get('marks') || '').split(',').filter(Boolean).map(Number);
    if (values.has('from')) this.timeline.show(Number(values.get('from')), Number(values.get('to')));
    else this.timeline.show(0, this.trace.end);
    const [row, start] = (values.get('sel') || '').split(':').map(Number);
    if (start >= 0 && this.trace.rows[row]) {
      let place = await this.timeline.walk.find(this.trace.rows[row], start);
      while (place && this.trace.get(place).start < start - 0.5) place = await this.trace.stepTo(place, 1);
      if (place) this.timeline.select(place);
    }
  }

  // ---- the drawer ----

  /** @param {Place | null} place */
  tell(place) {
    this.drawer.replaceChildren();
    if (!place) {
      this.drawer.append(el('p', { class: 'facts' },
        this.trace.isOutline ? 'The trace is being read: what each thread did, and where, comes then.' : 'Click a bar, or press . and , to go through them. ? lists all keys.'));
      return;
    }
    const trace = this.trace, span = trace.get(place), lane = trace.lanes[place.row.lane];
    const sentence = trace.spanSentence(lane, span);
    const step = (span.end - span.start) / 1000 || 1;
    this.drawer.append(el('h3', {}, trace.laneName(lane) + ' ' + sentence));
    this.drawer.append(el('p', { class: 'facts' }, time(span.end - span.start) + (span.open ? ', not over when the records ended' : '') +
      '; from ' + moment(span.start, step) + ' to ' + moment(span.end, step)));
    this.tellArrow(place, span, lane);
    this.tellFrames(lane.process, span.stack, span.state);
    announce(trace.laneName(lane) + ' ' + sentence + ', ' + time(span.end - span.start));
    this.remember();
  }

  /** @param {Place} place @param {Span} span @param {Lane} lane */
  tellArrow(place, span, lane) {
    const links = el('p', { class: 'tl-links' });
    if (span.arrow) {
      const from = this.trace.lanes[span.fromLane];
      const later = (ARROW_AT_END[span.arrow] ? span.end : span.start) - span.fromNs;
      links.append(button(this.trace.json.arrows[span.arrow] + ' ' + this.trace.laneName(from) + ', ' + time(later) + ' before', () => this.timeline.follow(), ']'));
    } else if (span.state === STATE.LOCK) {
      this.timeline.walk.holderOf(place).then((holder) => {
        if (holder) links.prepend(button('held by ' + this.trace.laneName(this.trace.lanes[holder.row.lane]), () => this.timeline.select(holder, true), 'c'));
      });
    }
    const lock = span.object && document.getElementById('lock-' + lane.process + '-' + span.object);
    if (lock) links.append(button('The lock', () => this.screens.go(lock.id)));
    const thread = document.getElementById('thread-' + lane.process + '-' + lane.thread);
    if (thread) links.append(button('The thread', () => this.screens.go(thread.id)));
    this.drawer.append(links);
  }

  /** @param {number} process @param {number} stack @param {number} state */
  tellFrames(process, stack, state) {
    const frames = this.trace.frames(process, stack);
    if (!frames.length) {
      this.drawer.append(el('p', { class: 'facts' }, stack ? 'The stack is not in this page.' : 'No stack was recorded.'));
      return;
    }
    const word = state >= STATE.SHARED && state <= STATE.WANTED ? 'Taken at' : state === STATE.CALLBACK || state === STATE.TASK ? 'The function' : 'Waits at';
    const list = el('ol', { class: 'frames' });
    frames.forEach((f, i) => list.append(el('li', { class: f[4] === 0 ? 'program' : 'library' }, el('span', { class: 'number' }, String(i)),
      el('span', { class: 'what' }, el('span', { class: 'function' }, f[0]), el('span', { class: 'place' }, f[1] ? f[1].replace(/.*\//, '') + ':' + f[2] : f[3])))));
    this.drawer.append(el('h4', {}, word), list);
  }

  // ---- the same as a table, for who does not see the picture ----

  makeTable() {
    const details = el('details', { class: 'tl-table' }, el('summary', {}, 'What is shown above, as a table'));
    details.addEventListener('toggle', async () => {
      if (!/** @type {HTMLDetailsElement} */ (details).open) return;
      for (const old of all('table', details)) old.remove();
      const body = el('tbody');
      let left = 200;
      for (const p of this.timeline.places)
        for (const row of p.rows)
          for (let place = await this.timeline.walk.find(row, this.timeline.from); place && left > 0; place = await this.trace.stepTo(place, 1)) {
            const span = this.trace.get(place);
            if (span.start > this.timeline.to) break;
            const here = place;
            left--;
            body.append(el('tr', {}, el('td', {}, this.trace.laneName(p.lane)), el('td', {}, button(this.trace.spanSentence(p.lane, span), () => this.timeline.select(here, true))),
              el('td', {}, moment(span.start, 1000)), el('td', {}, time(span.end - span.start)), el('td', {}, this.trace.place(p.lane.process, span.stack))));
          }
      details.append(el('table', { class: 'list' }, el('thead', {}, el('tr', {}, ...['Thread', 'What', 'From', 'Length', 'Where'].map((h) => el('th', { scope: 'col' }, h)))), body));
    });
    return details;
  }
}

/** When what a mark points at was over, if it was. @param {Trace} trace @param {Mark} mark */
async function endOf(trace, mark) {
  let end = mark.ns;
  for (const row of trace.lanes[mark.lane].rows) {
    if (row.kind === ROW.HOLD) continue;
    await trace.need(row, mark.ns + 1);
    const place = trace.find(row, mark.ns + 1), span = place && trace.get(place);
    if (span && !span.open && span.start <= mark.ns + 1000) end = Math.max(end, span.end);
  }
  return end;
}

/** The strip of time on a finding's page. @param {Trace} trace @param {HTMLElement} article @param {Screens} screens */
async function addStrip(trace, article, screens) {
  const finding = trace.findings.find((f) => 'finding-' + f.fingerprint === article.id);
  if (!finding || !finding.lanes.length) return;
  const times = finding.marks.map((mark) => mark.ns);
  if (finding.rule === 'leaked-thread') // its place is one moment: what came of it is the threads' lives
    for (const lane of finding.lanes) times.push(trace.lanes[lane].begin, trace.lanes[lane].end);
  const first = Math.min(...times);
  const box = el('section', { class: 'strip' }, el('h3', {}, 'In time')), before = article.querySelector('.sides');
  if (before) before.before(box);
  else article.append(box);
  const last = Math.max(...times, ...await Promise.all(finding.marks.map((mark) => endOf(trace, mark))));
  const length = times.length ? Math.max(last - first, trace.end / 1e5, 2000) : trace.end;
  const from = times.length ? Math.max(0, first - length * 0.4) : 0, to = times.length ? Math.min(trace.end, last + length * 0.6) : trace.end;
  const link = button('Open in the timeline', () => screens.go('timeline?from=' + Math.round(from) + '&to=' + Math.round(to) + '&finding=' + finding.fingerprint));
  const states = finding.lanes.flatMap((lane) => trace.lanes[lane].rows).filter((row) => row.kind === ROW.STATE && row.count);
  await Promise.all(states.map((row) => trace.need(row, trace.end)));
  const stuck = states.map((row) => trace.find(row, trace.end)).filter((place) => place && trace.get(place).open && trace.get(place).state === STATE.LOCK);
  const said = el('p', { class: 'facts', role: 'status' }, 'Pins: the places of the stacks below.' +
    (stuck.length > 1 ? ' It stays like this up to the end of the run, ' + time(trace.end - last) + ' later.' : ''));
  const strip = new Timeline(trace, box, { lanes: finding.lanes, from, to, small: true, label: 'The threads of this finding around it',
    onSelect: (place) => {
      const span = place && trace.get(place), lane = place && trace.lanes[place.row.lane];
      if (span && lane) said.textContent = trace.laneName(lane) + ' ' + trace.spanSentence(lane, span) + ', ' + time(span.end - span.start) + ', at ' + trace.place(lane.process, span.stack);
    } });
  strip.draw();
  const colours = all('.legend')[0];
  if (colours) box.append(colours.cloneNode(true));
  box.append(said, link);
}
