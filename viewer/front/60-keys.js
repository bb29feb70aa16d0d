// SPDX-License-Identifier: MIT
// Keys, the search, and the overlay that tells of both.

const KEYS = [
  ['W S', 'zoom in, out (with Shift: faster)'], ['A D', 'earlier, later (arrows too)'], ['0', 'the whole run'],
  ['\u2191 \u2193', 'row above, below'], ['. ,', 'next, previous span of the row'], ['F', 'fit the selection; again: the whole run'],
  ['] [', 'to the cause; to what it led to'], ['c', 'who blocks the selected wait'], ['M', 'set a mark; Delete removes them'],
  ['R', 'only the time of the selection, or of what is shown: findings, locks and threads of it on their screens too'], ['Q', 'the panel beside the timeline'], ['drag', 'move; with Shift: zoom into an area'], ['Ctrl+wheel', 'zoom'],
  ['/', 'search, and show only the rows of this screen that have these words; Esc leaves the box'], ['n N', 'next, previous hit in the timeline'],
  ['g then f t l h k o r m c', 'Findings, Timeline, Locks, tHreads, tasKs, lOops, gRaph, coMpare, traCe'],
  ['j k', 'next, previous row of a list'], ['Enter', 'open it'], ['x', 'expand it'], ['y', 'copy a link to this view'],
  ['s', 'copy the suppression of this finding'], ['Esc', 'close; clear the selection, and what filters the rows'], ['?', 'this help'],
];

class Help {
  /** @param {HTMLElement | null} legend */
  constructor(legend) {
    this.dialog = /** @type {HTMLDialogElement} */ (el('dialog', { class: 'help', 'aria-label': 'Keys' }));
    const keys = el('dl');
    for (const [key, what] of KEYS) keys.append(el('dt', {}, el('kbd', {}, key)), el('dd', {}, what));
    const close = button('Close', () => this.dialog.close());
    this.dialog.append(el('h2', {}, 'Keys'), keys);
    if (legend) this.dialog.append(el('h2', {}, 'Colours'), legend.cloneNode(true));
    this.dialog.append(close);
    document.body.append(this.dialog);
  }
  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}

class Search {
  /** @param {Trace | null} trace @param {Screens} screens @param {Filter} filter */
  constructor(trace, screens, filter) {
    this.trace = trace;
    this.screens = screens;
    this.filter = filter;
    this.input = /** @type {HTMLInputElement} */ (el('input', { type: 'text', placeholder: 'Search ( / )', 'aria-label': 'Search findings, threads, locks, functions',
      'aria-controls': 'hits', autocomplete: 'off', spellcheck: 'false' }));
    this.list = el('ul', { class: 'hits', id: 'hits', 'aria-label': 'Hits' });
    this.list.hidden = true;
    const box = el('div', { class: 'search', role: 'search' }, this.input, this.list);
    screens.top.append(box);
    this.input.addEventListener('input', () => { this.look(); filter.setWords(this.input.value); });
    this.input.addEventListener('keydown', (e) => {
      if (e.key === 'Enter') {
        const first = /** @type {HTMLElement | null} */ (this.list.querySelector('a'));
        if (first) first.click();
      } else if (e.key === 'ArrowDown') {
        const first = /** @type {HTMLElement | null} */ (this.list.querySelector('a'));
        if (first) first.focus();
        e.preventDefault();
      } else if (e.key === 'Escape') {
        this.close();
        this.input.blur();
      }
    });
    filter.onClear = () => { this.input.value = ''; };
    this.list.addEventListener('click', () => { this.close(); filter.setWords(''); }); // it goes where all are to be seen
  }

  close() { this.list.hidden = true; }

  clear() {
    this.close();
    this.filter.clear();
  }

  look() {
    const wanted = this.input.value.trim().toLowerCase();
    this.list.replaceChildren();
    this.list.hidden = !wanted;
    if (!wanted) return;
    const add = (/** @type {string} */ kind, /** @type {string} */ text, /** @type {string} */ href) => {
      if (this.list.children.length < 14 && text.toLowerCase().includes(wanted))
        this.list.append(el('li', {}, el('a', { href }, el('span', { class: 'kind' }, kind), ' ' + text)));
    };
    for (const article of this.screens.articles) add('finding', (article.querySelector('h2') || article).textContent || '', '#' + article.id);
    for (const row of all('tr[id]')) add(row.id.split('-')[0], (row.querySelector('.subject') || row).textContent || '', '#' + row.id);
    for (const link of all('.function')) {
      const article = link.closest('article');
      if (article && (link.textContent || '').toLowerCase().includes(wanted)) {
        add('function', link.textContent || '', '#' + article.id);
        break;
      }
    }
    if (!this.list.children.length) this.list.append(el('li', { class: 'facts' }, 'nothing'));
  }

  /** The next span whose object or function the search names. @param {Timeline} timeline @param {number} by */
  next(timeline, by) {
    const wanted = this.input.value.trim().toLowerCase(), trace = this.trace;
    if (!wanted || !trace) return;
    const fits = (/** @type {Lane} */ lane, /** @type {Span} */ span) =>
      (trace.objectName(lane.process, span.object) + ' ' + trace.place(lane.process, span.stack) + ' ' + trace.spanName(lane, span)).toLowerCase().includes(wanted);
    const now = timeline.selected ? trace.get(timeline.selected).start : by > 0 ? -1 : Infinity;
    timeline.goTo(async () => {
      const best = await timeline.walk.nextThat(timeline.places, fits, by, now);
      if (!best) toast('no further hit');
      return best;
    });
  }
}

/** @param {{screens: Screens, help: Help, search: Search, filter: Filter, timeline: () => TimelineScreen | null}} app */
function listenKeys(app) {
  let prefix = false;
  addEventListener('keydown', (e) => {
    const target = /** @type {HTMLElement} */ (e.target);
    if (e.altKey || e.metaKey || e.ctrlKey || target.tagName === 'INPUT' || target.tagName === 'TEXTAREA') return;
    if (app.help.dialog.open && e.key !== '?') return;
    if (prefix) {
      prefix = false;
      const screen = SCREENS.find((s) => s[2] === e.key);
      if (screen && document.getElementById(screen[0])) app.screens.go(screen[0]);
      e.preventDefault();
      return;
    }
    const act = common(e) || (app.screens.current && app.screens.current.id === 'timeline' ? onTimeline(e) : null);
    if (!act) return;
    e.preventDefault();
    act();
  });

  /** @param {KeyboardEvent} e @returns {(() => void) | null} */
  function common(e) {
    const on = document.activeElement;
    switch (e.key) {
      case '?': return () => app.help.toggle();
      case '/': return () => { app.search.input.focus(); app.search.input.select(); };
      case 'g': return () => { prefix = true; setTimeout(() => { prefix = false; }, 1500); };
      case 'j': return () => app.screens.moveRow(1);
      case 'k': return () => app.screens.moveRow(-1);
      case 'x': return () => app.screens.expandRow();
      case 'Enter': return on && /^(A|BUTTON|SUMMARY)$/.test(on.tagName) ? null : app.screens.currentRow() ? () => app.screens.openRow() : null;
      case 'y': return () => copyText(location.href, 'Link');
      case 's': return suppression();
      case 'Escape': return () => { app.search.clear(); const t = app.timeline(); if (t) t.timeline.select(null); };
      default: return null;
    }
  }

  function suppression() {
    const shown = app.screens.current, article = shown && (shown.tagName === 'ARTICLE' ? shown : shown.querySelector('article'));
    const text = article && article.querySelector('.paste');
    return text && shown && shown.id !== 'timeline' ? () => copyText(text.textContent || '', 'Suppression') : null;
  }

  /** @param {KeyboardEvent} e @returns {(() => void) | null} */
  function onTimeline(e) {
    const screen = app.timeline();
    if (!screen) return null;
    const t = screen.timeline, fast = e.shiftKey ? 2 : 1;
    switch (e.code) {
      case 'KeyW': return () => t.zoom(0.7 ** fast);
      case 'KeyS': return () => t.zoom((1 / 0.7) ** fast);
      case 'KeyA': case 'ArrowLeft': return () => t.pan(-0.15 * fast * fast);
      case 'KeyD': case 'ArrowRight': return () => t.pan(0.15 * fast * fast);
      case 'ArrowUp': return () => t.selectRow(-1);
      case 'ArrowDown': return () => t.selectRow(1);
      case 'KeyF': return () => t.focus();
      case 'KeyC': return () => t.follow();
      case 'KeyM': return () => { t.pins.push(t.selectedTime() ?? (t.from + t.to) / 2); t.draw(); screen.remember(); };
      case 'Delete': return () => { t.pins = []; t.draw(); screen.remember(); };
      case 'KeyR': return () => {
        if (t.selected) { const s = t.trace.get(t.selected); t.show(s.start, s.end); }
        app.filter.setTime(t.trace, t.from, t.to);
        toast('Only ' + moment(t.from, (t.to - t.from) / 100) + ' \u2013 ' + moment(t.to, (t.to - t.from) / 100) + '; Esc ends it');
      };
      case 'KeyQ': return () => { screen.drawer.hidden = !screen.drawer.hidden; t.draw(); };
      case 'KeyN': return () => app.search.next(t, e.shiftKey ? -1 : 1);
      default: break;
    }
    switch (e.key) {
      case '0': return () => t.show(0, t.trace.end);
      case '.': return () => t.selectNext(1);
      case ',': return () => t.selectNext(-1);
      case ']': return () => t.follow();
      case '[': return () => t.followBack();
      default: return null;
    }
  }
}
