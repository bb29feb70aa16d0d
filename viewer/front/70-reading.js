// SPDX-License-Identifier: MIT
// While the server reads the trace: how far it is; then the page that has all of it, with what is seen now.

const POLL_MS = 400;

class Reading {
  /** @param {Screens} screens @param {() => TimelineScreen | null} timeline */
  constructor(screens, timeline) {
    this.timeline = timeline;
    this.missed = 0;
    this.bar = /** @type {HTMLProgressElement} */ (el('progress', { max: '100', 'aria-label': 'How much of the trace has been read' }));
    this.said = el('span', {});
    screens.top.append(el('section', { class: 'reading', 'aria-label': 'Progress' }, this.bar, this.said));
    this.ask();
  }

  ask() {
    fetch('progress').then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status))))).then((told) => this.tell(told), () => this.miss());
  }

  /** @param {{state: string, percent: number, doing: string}} told */
  tell(told) {
    this.missed = 0;
    this.bar.value = told.percent;
    this.said.textContent = told.percent + ' % read';
    this.said.title = told.doing;
    const node = document.getElementById('reading');
    if (node) node.textContent = told.doing;
    if (told.state === 'ready') this.leave();
    else setTimeout(() => this.ask(), POLL_MS);
  }

  miss() {
    if (++this.missed < 3) setTimeout(() => this.ask(), POLL_MS);
    else this.said.textContent = 'thrum has ended; its terminal says why';
  }

  /** To the page of the whole trace, at the same place. */
  leave() {
    const screen = this.timeline(), t = screen && screen.timeline;
    const moved = t && (t.from > 0 || t.to < t.trace.end);
    location.replace('../' + (moved ? '#timeline?from=' + Math.round(t.from) + '&to=' + Math.round(t.to) : location.hash));
  }
}
