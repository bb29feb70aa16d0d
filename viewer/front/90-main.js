// SPDX-License-Identifier: MIT
// Starts: screens at once, the timeline when its data is unpacked.

const screens = new Screens();
/** @type {TimelineScreen | null} */
let timelineScreen = null;
const legendNode = all('#timeline .legend')[0] || null;
const help = new Help(legendNode);
for (const table of all('table.list')) makeSortable(table);

const filter = new Filter(screens);

const ready = openTrace().catch(() => null).then((trace) => {
  const search = new Search(trace, screens, filter);
  screens.top.append(button('Help ( ? )', () => help.toggle()));
  listenKeys({ screens, help, search, filter, timeline: () => timelineScreen });
  if (trace) {
    screens.onShow.set('timeline', () => { timelineScreen = new TimelineScreen(trace, screens); });
    const single = screens.articles.length === 1;
    for (const article of screens.articles) screens.onShow.set(single ? 'findings' : article.id, () => addStrip(trace, article, screens));
  }
  screens.show();
  performance.mark('thrum-ready');
  document.documentElement.dataset.ready = !trace ? 'no-data' : trace.isOutline ? 'outline' : 'yes';
});
screens.show();
void ready;
if (document.querySelector('#thrum-data[data-outline]')) new Reading(screens, () => timelineScreen);
// A server ends some time after the last page of it was closed.
if (document.querySelector('#thrum-data[data-served]')) setInterval(() => { fetch('alive').catch(() => {}); }, 60000);
