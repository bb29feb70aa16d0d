// SPDX-License-Identifier: MIT
// The document that C wrote, as screens: one at a time, chosen by the address.

const SCREENS = [['findings', 'Findings', 'f'], ['timeline', 'Timeline', 't'], ['locks', 'Locks', 'l'], ['threads', 'Threads', 'h'],
  ['tasks', 'Tasks', 'k'], ['loops', 'Loops', 'o'], ['graph', 'Lock graph', 'r'], ['compare', 'Compare', 'm'], ['trace', 'Trace', 'c']];

/** @param {string} text */
function announce(text) {
  const status = document.getElementById('status');
  if (status) status.textContent = text;
}

/** @param {string} text @param {string} what */
function copyText(text, what) {
  const done = () => toast(what + ' copied');
  const fall = () => {
    const area = /** @type {HTMLTextAreaElement} */ (el('textarea', { class: 'sr' }));
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
    done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, fall);
  else fall();
}

/** @param {string} text */
function toast(text) {
  const node = el('div', { class: 'toast' }, text);
  document.body.append(node);
  announce(text);
  setTimeout(() => node.remove(), 1800);
}

/** "#timeline?from=1&to=2" as its parts; while the trace is read there is only the timeline. @returns {{id: string, values: URLSearchParams}} */
function readAddress() {
  const [id, query] = decodeURIComponent(location.hash.slice(1)).split('?');
  return { id: id || (document.querySelector('[data-outline]') ? 'timeline' : 'findings'), values: new URLSearchParams(query || '') };
}

class Screens {
  constructor() {
    /** @type {Map<string, () => void>} what a screen needs when it is first shown */
    this.onShow = new Map();
    this.rail = el('nav', { class: 'rail', 'aria-label': 'Screens' });
    this.top = el('div', { class: 'top' });
    this.articles = all('body > main > article');
    this.build();
    addEventListener('hashchange', () => this.show());
  }

  /** Moves what is there into the frame of the program. */
  build() {
    const header = all('body > header')[0], list = all('body > nav')[0], main = all('body > main')[0], footer = all('body > footer')[0];
    const home = el('section', { class: 'screen', id: 'findings' });
    const articles = this.articles;
    header.after(home);
    home.append(...[header, ...all(':scope > p', document.body), list].filter(Boolean));
    for (const article of articles) article.classList.add('screen');
    if (articles.length === 1) home.append(articles[0]);
    const frame = el('div', { class: 'frame' }), content = el('main', { id: 'content' });
    for (const screen of [home, ...articles.slice(articles.length === 1 ? 1 : 0), ...all('section.screen:not(#findings)')]) content.append(screen);
    if (footer) home.append(footer);
    main.remove();
    const counts = /** @type {Record<string, number>} */ ({ findings: articles.length });
    for (const [id, name, key] of SCREENS) {
      if (!content.querySelector(':scope > #' + id)) continue;
      const link = el('a', { href: '#' + id, title: 'g then ' + key }, name);
      if (counts[id]) link.append(el('span', { class: 'count' }, String(counts[id])));
      this.rail.append(link);
    }
    const brand = all('.brand', header)[0];
    this.top.append(el('a', { href: '#findings', class: 'brand' }, brand ? brand.textContent || '' : 'thrum'));
    if (brand) brand.remove();
    frame.append(this.rail, content);
    document.body.prepend(this.top, frame);
    document.body.append(el('div', { class: 'sr', id: 'status', role: 'status' }));
    document.body.classList.add('app');
  }

  /** The screen that the address names. */
  show() {
    const { id } = readAddress();
    const target = document.getElementById(id) || document.getElementById('findings');
    const screen = target && /** @type {HTMLElement} */ (target.closest('.screen'));
    if (!target || !screen) return;
    const outer = screen.parentElement && /** @type {HTMLElement | null} */ (screen.parentElement.closest('.screen'));
    const shown = outer || screen;
    for (const other of all('#content > .screen')) other.hidden = other !== shown;
    for (const link of all('a', this.rail))
      if (link.getAttribute('href') === '#' + shown.id || (shown.tagName === 'ARTICLE' && link.getAttribute('href') === '#findings'))
        link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    for (let box = target.closest('details'); box; box = box.parentElement && box.parentElement.closest('details')) box.open = true;
    const inner = target.querySelector(':scope > td > details, :scope > th > details');
    if (inner) /** @type {HTMLDetailsElement} */ (inner).open = true;
    for (const [name, start] of [...this.onShow])
      if (name === screen.id || name === shown.id) {
        this.onShow.delete(name);
        start();
      }
    if (target === shown) scrollTo(0, 0);
    else target.scrollIntoView({ block: target.offsetHeight > innerHeight / 2 ? 'start' : 'center' });
    this.current = shown;
    if (shown.id !== 'findings') // each other screen is a page of its own: its heading is the first
      for (const heading of all('h2, h3, h4', shown)) heading.setAttribute('aria-level', String(Number(heading.tagName[1]) - 1));
    if (this.onChange) this.onChange();
  }

  /** @type {(() => void) | undefined} */
  onChange;

  /** @param {string} id */
  go(id) {
    if (location.hash === '#' + id) this.show();
    else location.hash = id;
  }

  // ---- rows of the screen that is shown ----

  rows() {
    if (!this.current) return [];
    return all('nav li, table.list > tbody > tr', this.current).filter((row) => !row.hidden && row.offsetParent);
  }

  /** @param {number} by */
  moveRow(by) {
    const rows = this.rows();
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.classList.contains('current'));
    const row = rows[clamp(at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by, 0, rows.length - 1)];
    for (const other of rows) other.classList.toggle('current', other === row);
    row.scrollIntoView({ block: 'nearest' });
    const focusable = /** @type {HTMLElement | null} */ (row.querySelector('a, summary, button'));
    if (focusable) focusable.focus({ preventScroll: true });
    announce((row.textContent || '').trim().slice(0, 200));
  }

  currentRow() {
    return this.rows().find((row) => row.classList.contains('current'));
  }

  openRow() {
    const row = this.currentRow(), link = row && /** @type {HTMLElement | null} */ (row.querySelector('a'));
    if (link) link.click();
    else this.expandRow();
  }

  expandRow() {
    const row = this.currentRow(), details = row && row.querySelector('details');
    if (details) details.open = !details.open;
  }
}

/** Columns that can be put in order. @param {HTMLElement} table */
function makeSortable(table) {
  const heads = all('thead th', table), body = all('tbody', table)[0];
  heads.forEach((head, column) => {
    const label = head.textContent || '';
    head.textContent = '';
    head.append(button(label, () => {
      const down = head.getAttribute('aria-sort') !== 'descending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = (/** @type {Element} */ row) => {
        const cell = row.children[column], value = cell.getAttribute('data-v');
        return value !== null ? Number(value) : (cell.textContent || '').toLowerCase();
      };
      const rows = Array.from(body.children).map((row) => /** @type {[any, Element]} */ ([key(row), row]));
      rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) * (down ? -1 : 1));
      body.append(...rows.map((row) => row[1]));
    }));
  });
}
