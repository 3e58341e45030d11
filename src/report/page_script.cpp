// The script of pages with rows: plots that tell which row is under the pointer, and a table that sorts, filters and
// opens rows, of which only one page is in the document at a time. Texts enter the document as text, never as markup.

#include "report/page_rows.hpp"

namespace condenser::report {

std::string row_script() {
  return R"js(
(() => {
'use strict';
const source = document.getElementById('rows');
if (!source) return;
const data = JSON.parse(source.textContent), count = data.n;
const key = {};
const columns = data.c.map(c => {
  const cells = c.v.split(';'), column = {key: c.k, title: c.t, unit: c.u, digits: c.d, shown: c.s, hover: c.h};
  key[c.k] = column;
  if (c.p) {
    column.text = row => {
      const [pattern, ...numbers] = cells[row].split(' ');
      return pattern === '' ? '' : c.p[pattern].replace(/\u0001/g, () => numbers.shift());
    };
  } else if (c.f) {
    column.text = row => cells[row] ? c.f.map(([name, labels], k) =>
        name + '=' + labels[parseInt(cells[row].substr(k * c.w, c.w), 36)]).join(' ') : '';
  } else {
    column.numbers = Float64Array.from(cells, cell => cell === '' ? NaN : +cell);
    const format = new Intl.NumberFormat('en-US', c.d < 0 ? {maximumSignificantDigits: 5} : {minimumFractionDigits: c.d, maximumFractionDigits: c.d, roundingMode: 'halfEven'});
    column.text = row => Number.isNaN(column.numbers[row]) ? '' : format.format(column.numbers[row]);
  }
  return column;
});
const first = columns[0];
const place = row => document.getElementById(data.one + '_' + first.numbers[row]);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const heading = column => column.title + (column.unit && column.digits > 0 && !column.title.includes(column.unit) ? ', ' + column.unit : '');
const withUnit = (column, row) => column.text(row) + (column.unit && column.numbers ? ' ' + column.unit : '');

// ---- links into folded parts
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let e = target; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
  if (target) target.scrollIntoView();
};
addEventListener('hashchange', unfold);
unfold();

// ---- plots
const tip = make('div', 'tip');
tip.setAttribute('role', 'status');
tip.hidden = true;
document.body.append(tip);
const hide = () => { tip.hidden = true; for (const ring of document.querySelectorAll('.ring')) ring.setAttribute('visibility', 'hidden'); };
for (const svg of document.querySelectorAll('svg[data-x]')) {
  const scale = text => {
    const [low, high, from, to, log] = text.split(' ').map(Number);
    const share = log ? v => Math.log(v / low) / Math.log(high / low) : v => (v - low) / (high - low);
    return v => from + Math.max(0, Math.min(1, share(v))) * (to - from);
  };
  const xs = key[svg.dataset.x].numbers, ys = key[svg.dataset.y].numbers, rows = [], px = [], py = [];
  const atX = scale(svg.dataset.xs), atY = scale(svg.dataset.ys);
  for (let row = 0; row < count; ++row) {
    if (Number.isNaN(xs[row]) || Number.isNaN(ys[row])) continue;
    rows.push(row); px.push(atX(xs[row])); py.push(atY(ys[row]));
  }
  const ring = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
  for (const [name, value] of Object.entries({class: 'ring', r: 7, fill: 'none', stroke: '#c2571a', 'stroke-width': 2, visibility: 'hidden'}))
    ring.setAttribute(name, value);
  svg.append(ring);
  const show = at => {
    hide();
    const row = rows[at], box = svg.getBoundingClientRect(), zoom = box.width / svg.viewBox.baseVal.width;
    ring.setAttribute('cx', px[at]);
    ring.setAttribute('cy', py[at]);
    ring.setAttribute('visibility', 'visible');
    tip.replaceChildren(make('b', '', data.one + ' ' + first.text(row)));
    for (const column of columns) {
      const text = column.hover && column !== first ? withUnit(column, row) : '';
      if (!text) continue;
      const line = make('div');
      line.append(make('span', '', column.title + ' '), text);
      tip.append(line);
    }
    tip.hidden = false;
    const left = box.left + px[at] * zoom + 14, room = document.documentElement.clientWidth - tip.offsetWidth - 6;
    tip.style.left = Math.max(6, Math.min(left, room)) + scrollX + 'px';
    const below = box.top + py[at] * zoom + 14, fits = below + tip.offsetHeight < innerHeight;
    tip.style.top = (fits ? below : Math.max(6, box.top + py[at] * zoom - tip.offsetHeight - 14)) + scrollY + 'px';
  };
  const nearest = event => {
    const box = svg.getBoundingClientRect(), zoom = box.width / svg.viewBox.baseVal.width;
    const x = (event.clientX - box.left) / zoom, y = (event.clientY - box.top) / zoom;
    let best = -1, least = 24 * 24;
    for (let k = 0; k < rows.length; ++k) {
      const distance = (px[k] - x) ** 2 + (py[k] - y) ** 2;
      if (distance < least) { least = distance; best = k; }
    }
    return best;
  };
  const point = event => { const at = nearest(event); at < 0 ? hide() : show(at); };
  svg.addEventListener('pointermove', point);
  svg.addEventListener('pointerdown', point);
  svg.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse') hide(); });
  svg.addEventListener('dblclick', event => { const at = nearest(event); if (at >= 0) open(rows[at]); });
  const path = svg.dataset.path.split(' ').filter(Boolean).map(row => rows.indexOf(+row)).filter(at => at >= 0);
  if (path.length === 0) continue;
  let step = -1;
  svg.setAttribute('tabindex', '0');
  svg.setAttribute('role', 'application');
  svg.setAttribute('aria-label', svg.querySelector('title').textContent + '. Arrow keys walk along the front, Enter opens.');
  svg.addEventListener('keydown', event => {
    const move = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key];
    if (event.key === 'Escape') return hide();
    if (event.key === 'Enter' && step >= 0) return open(rows[path[step]]);
    if (!move) return;
    event.preventDefault();
    step = step < 0 ? (move > 0 ? 0 : path.length - 1) : Math.max(0, Math.min(path.length - 1, step + move));
    show(path[step]);
  });
  svg.addEventListener('blur', hide);
}

// ---- the table
const kPage = 50;
const opened = new Set();
let order = [], page = 0, sortBy = null, down = false, words = '', draw = () => {}, browser = null;
const allText = [];
const textOf = row => allText[row] ??= columns.map(c => c.text(row)).join(' ').toLowerCase();
const test = word => {
  const parts = /^([\w.]+)(<=|>=|<|>|=)(-?[\d.,]+(?:e-?\d+)?)$/.exec(word);
  const column = parts && columns.find(c => c.numbers && c.key.startsWith(parts[1]));
  if (!column) return row => textOf(row).includes(word);
  const limit = +parts[3].replaceAll(',', ''), v = column.numbers;
  return {'<': row => v[row] < limit, '>': row => v[row] > limit, '<=': row => v[row] <= limit, '>=': row => v[row] >= limit,
          '=': row => v[row] === limit}[parts[2]];
};
const arrange = () => {
  const tests = words.toLowerCase().split(/\s+/).filter(Boolean).map(test);
  order = [];
  for (let row = 0; row < count; ++row) if (tests.every(passes => passes(row))) order.push(row);
  if (sortBy) {
    const sign = down ? -1 : 1;
    if (sortBy.numbers) {
      const v = sortBy.numbers;
      order.sort((a, b) => Number.isNaN(v[a]) ? (Number.isNaN(v[b]) ? a - b : 1) : Number.isNaN(v[b]) ? -1 : sign * (v[a] - v[b]) || a - b);
    } else {
      const v = Array.from({length: count}, (_, row) => sortBy.text(row));
      order.sort((a, b) => v[a] === '' ? (v[b] === '' ? a - b : 1) : v[b] === '' ? -1 : sign * (v[a] < v[b] ? -1 : v[a] > v[b] ? 1 : 0) || a - b);
    }
  }
  page = 0;
  draw();
};
const open = row => {
  const details = place(row);
  hide();
  if (details) { location.hash = details.id; unfold(); details.querySelector('summary').focus(); return; }
  if (!browser) return;
  words = browser.field.value = '';
  opened.add(row);
  arrange();
  page = Math.floor(order.indexOf(row) / kPage);
  draw();
  browser.holder.scrollIntoView();
};
for (const holder of document.querySelectorAll('[data-rows]')) {
  const title = make('h3', '', count.toLocaleString('en-US') + ' ' + data.one + 's'), bar = make('div', 'bar'), said = make('span');
  const field = make('input'), back = make('button', '', '‹ Before'), on = make('button', '', 'Next ›');
  field.type = 'search';
  field.placeholder = 'words, or ' + (key.params ? 'params<20000' : first.key + '<100');
  field.setAttribute('aria-label', 'Show only rows with these words; a comparison such as ' + first.key + '<100 is one word');
  said.setAttribute('aria-live', 'polite');
  bar.append(field, said, back, on);
  const table = make('table'), head = make('thead'), body = make('tbody'), scroll = make('div', 'scroll');
  const shown = columns.filter(c => c.shown);
  const row = make('tr');
  for (const column of shown) {
    const th = make('th', column.numbers ? 'n' : ''), button = make('button', '', heading(column));
    th.scope = 'col';
    button.title = 'Sort by ' + column.key;
    button.addEventListener('click', () => {
      down = sortBy === column ? !down : false;
      sortBy = column;
      for (const other of row.children) other.removeAttribute('aria-sort');
      th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      for (const other of row.children) other.firstChild.textContent = other.firstChild.textContent.replace(/ [▲▼]$/, '');
      button.textContent += down ? ' ▼' : ' ▲';
      arrange();
    });
    th.append(button);
    row.append(th);
  }
  head.append(row);
  table.append(head, body);
  scroll.append(table);
  scroll.tabIndex = 0;
  holder.replaceChildren(title, bar, scroll);
  browser = {field, holder};
  const openedRow = at => {
    const tr = make('tr'), td = make('td', 'open'), list = make('dl');
    td.colSpan = shown.length;
    for (const column of columns) {
      const text = column === first ? '' : withUnit(column, at);
      if (!text) continue;
      const pair = make('div', text.length > 40 ? 'wide' : '');
      pair.append(make('dt', '', column.title), make('dd', '', text));
      list.append(pair);
    }
    td.append(list);
    const details = place(at);
    if (details) {
      const link = make('a', '', 'Drawing, costs and fate of ' + data.one + ' ' + first.text(at));
      link.href = '#' + details.id;
      link.addEventListener('click', unfold);
      td.append(link);
    }
    tr.append(td);
    return tr;
  };
  draw = () => {
    const pages = Math.max(1, Math.ceil(order.length / kPage)), part = order.slice(page * kPage, (page + 1) * kPage), rows = [];
    for (const at of part) {
      const tr = make('tr');
      for (const column of shown) {
        const td = make('td', column.numbers ? 'n' : 'cut');
        if (column === first) {
          const button = make('button', '', first.text(at));
          button.setAttribute('aria-expanded', opened.has(at));
          button.addEventListener('click', () => {
            if (!opened.delete(at)) opened.add(at);
            draw();
            body.querySelector('[data-row="' + at + '"] button').focus();
          });
          td.append(button);
        } else {
          td.textContent = column.text(at);
          if (!column.numbers) td.title = td.textContent;
        }
        tr.append(td);
      }
      tr.dataset.row = at;
      rows.push(tr);
      if (opened.has(at)) rows.push(openedRow(at));
    }
    body.replaceChildren(...rows);
    said.textContent = (order.length < count ? order.length.toLocaleString('en-US') + ' of ' + count.toLocaleString('en-US') + ' match, ' : '') +
        'page ' + (page + 1) + ' of ' + pages;
    back.disabled = page === 0;
    on.disabled = page + 1 >= pages;
  };
  back.addEventListener('click', () => { --page; draw(); });
  on.addEventListener('click', () => { ++page; draw(); });
  let waiting = 0;
  field.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { words = field.value; arrange(); }, 120);
  });
  arrange();
}
})();
)js";
}

}  // namespace condenser::report
