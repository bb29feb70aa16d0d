// SPDX-License-Identifier: MIT
// The filter of all lists and tables: words of the search box, levels and rules of findings, a stretch of the run's time.

const FILTER_SPANS = 200000; // that are looked at to tell which locks and threads a stretch of time has

class Filter {
  /** @param {Screens} screens */
  constructor(screens) {
    this.screens = screens;
    /** @type {string[]} all of which a row must have */
    this.words = [];
    this.levels = /** @type {Set<string>} */ (new Set());
    this.rules = /** @type {Set<string>} */ (new Set());
    /** @type {{from: number, to: number, rows: Set<string> | null} | null} rows: ids that have something then; null = not all is known */
    this.time = null;
    this.note = el('p', { class: 'filtered', role: 'status' });
    this.facets = this.makeFacets();
    screens.onChange = () => this.apply();
  }

  /** @type {() => void} what else then is over */
  onClear = () => {};

  isOn() {
    return this.words.length > 0 || this.levels.size > 0 || this.rules.size > 0 || this.time !== null;
  }

  /** @param {string} text */
  setWords(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.apply();
  }

  /** @param {Trace} trace @param {number} from @param {number} to */
  async setTime(trace, from, to) {
    const time = this.time = { from, to, rows: null };
    this.apply();
    const rows = await rowsIn(trace, from, to);
    if (this.time !== time) return; // another one meanwhile
    this.time.rows = rows;
    this.apply();
  }

  clear() {
    this.words = [];
    this.levels.clear();
    this.rules.clear();
    this.time = null;
    this.onClear();
    for (const facet of all('button', this.facets)) facet.setAttribute('aria-pressed', 'false');
    this.apply();
  }

  // ---- levels and rules ----

  makeFacets() {
    const box = el('div', { class: 'facets', role: 'group', 'aria-label': 'Show only' });
    const items = all('#findings > nav li');
    const add = (/** @type {string} */ name, /** @type {Set<string>} */ wanted) => {
      const counts = /** @type {Map<string, number>} */ (new Map());
      for (const item of items) counts.set(item.dataset[name] || '', (counts.get(item.dataset[name] || '') || 0) + 1);
      if (counts.size < 2) return;
      for (const [value, count] of counts) {
        const facet = button(value + ' ' + count, () => {
          if (!wanted.delete(value)) wanted.add(value);
          facet.setAttribute('aria-pressed', String(wanted.has(value)));
          this.apply();
        });
        facet.setAttribute('aria-pressed', 'false');
        box.append(facet);
      }
    };
    add('level', this.levels);
    add('rule', this.rules);
    if (box.children.length) items[0].closest('nav')?.before(box);
    return box;
  }

  // ---- what is shown ----

  /** @param {HTMLElement} row */
  fits(row) {
    const finding = row.dataset.rule !== undefined;
    if (finding && this.levels.size && !this.levels.has(row.dataset.level || '')) return false;
    if (finding && this.rules.size && !this.rules.has(row.dataset.rule || '')) return false;
    if (this.time && this.time.rows && (finding || /^(lock|thread)-/.test(row.id)) && !this.time.rows.has(finding ? row.dataset.finding || '' : row.id)) return false;
    const text = (row.textContent + ' ' + (row.dataset.rule || '') + ' ' + (row.dataset.finding || '')).toLowerCase();
    return this.words.every((word) => text.includes(word));
  }

  apply() {
    const shown = this.screens.current;
    this.note.remove();
    if (!shown || shown.tagName === 'ARTICLE') return;
    const rows = all(':scope > nav li, :scope > .scroll > table.list > tbody > tr, :scope > .tree > li', shown);
    let fitting = 0;
    for (const row of rows) {
      row.hidden = this.isOn() && !this.fits(row);
      if (!row.hidden) fitting++;
    }
    if (!this.isOn() || !rows.length) return;
    const told = [...this.words.map((word) => '\u201c' + word + '\u201d')];
    if (shown.id === 'findings') told.push(...this.levels, ...this.rules);
    if (this.time) told.push(moment(this.time.from, (this.time.to - this.time.from) / 100) + ' \u2013 ' + moment(this.time.to, (this.time.to - this.time.from) / 100) +
      (this.time.rows && /^(findings|locks|threads)$/.test(shown.id) ? '' : ' (not told apart here)'));
    if (!told.length) return;
    this.note.replaceChildren(fitting + ' of ' + rows.length + ' rows: ' + told.join(', ') + ' ', button('All \u2715', () => this.clear(), 'Esc'));
    const first = rows[0].closest('nav, .scroll, .tree');
    if (first) first.before(this.note);
  }
}

/**
 * Findings, locks and threads that a stretch of time has something of. Null where that is more than can be looked at, or not all is in the page.
 * @param {Trace} trace @param {number} from @param {number} to @returns {Promise<Set<string> | null>}
 */
async function rowsIn(trace, from, to) {
  const ids = /** @type {Set<string>} */ (new Set());
  let left = FILTER_SPANS;
  for (const lane of trace.lanes)
    for (const row of lane.rows)
      for (let index = trace.findBlock(row, from); index < row.blocks.length && row.blocks[index].base <= to; index++) {
        if ((left -= row.blocks[index].count) < 0) return null;
        await trace.needBlock(row, index);
        const spans = trace.spans(row, index);
        if (!spans) return null;
        const { object } = spans.more;
        for (let i = 0; i < spans.count; i++) {
          if (spans.end[i] < from || spans.start[i] > to) continue;
          ids.add('thread-' + lane.process + '-' + lane.thread);
          if (object[i]) ids.add('lock-' + lane.process + '-' + object[i]);
        }
      }
  for (const finding of trace.findings)
    if (finding.marks.some((mark) => mark.ns >= from && mark.ns <= to)) ids.add('finding-' + finding.fingerprint);
  return ids;
}
