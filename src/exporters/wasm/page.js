// What every page has: the module, the answer, the known inputs, the facts. What an input is made from stands in
// page_picture.js, page_sound.js and page_values.js.

const data = JSON.parse(document.getElementById('network').textContent);
const element = id => document.getElementById(id);
const make = (tag, className, ...content) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
};
const button = (text, act, className) => {
  const made = make('button', className, text);
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
};
const filePicker = (text, accept, take) => {
  const field = make('input');
  field.type = 'file';
  field.accept = accept;
  field.setAttribute('aria-label', text);
  field.addEventListener('change', () => { if (field.files[0]) take(field.files[0]); field.value = ''; });
  return make('label', 'file', text, field);
};
const count = n => n.toLocaleString('en-US');
const say = (text, wrong = false) => {
  element('said').textContent = text;
  element('said').classList.toggle('wrong', wrong);
};
const stop = (title, text) => {
  element('trouble').replaceChildren(make('h2', '', title), text);
  element('trouble').hidden = false;
  document.documentElement.dataset.state = 'failed';
};

// ---- integers as pictures

// The pixel that an input byte stands for: the middle of those that give it.
const pixelOfByte = (data.pixels || []).map(text => {
  const table = integersOf(text), sums = new Map();
  table.forEach((byte, pixel) => { const [sum, n] = sums.get(byte) || [0, 0]; sums.set(byte, [sum + pixel, n + 1]); });
  return byte => { const [sum, n] = sums.get(byte) || [128, 1]; return Math.round(sum / n); };
});
const kRamp = [[16, 32, 52], [33, 108, 159], [125, 184, 224], [248, 243, 226]];  // of values that are no pixels
const ramp = share => {
  const at = Math.max(0, Math.min(1, share)) * (kRamp.length - 1), low = Math.min(kRamp.length - 2, Math.floor(at));
  return kRamp[low].map((c, i) => Math.round(c + (at - low) * (kRamp[low + 1][i] - c)));
};
// Features of sound differ much in size: each is shown within its range over the known inputs.
let ranges = null;
const featureOf = i => data.sound.time_in_rows ? i % data.shape[1] : Math.floor(i / data.shape[1]);
const findRanges = known => {
  ranges = Array.from({length: data.sound.values}, () => [127, -128]);
  for (const {input} of known)
    input.forEach((byte, i) => {
      const range = ranges[featureOf(i)];
      range[0] = Math.min(range[0], byte);
      range[1] = Math.max(range[1], byte);
    });
};
const shareOf = (byte, i) => {
  const [low, high] = ranges ? ranges[featureOf(i)] : [-128, 127];
  return (byte - low) / Math.max(1, high - low);
};
// Time runs to the right, low bands lie below.
const upright = data.sound ? (h, w, y, x) => (data.sound.time_in_rows ? [w - 1 - x, y] : [h - 1 - y, x]) : (h, w, y, x) => [y, x];
const paint = (canvas, values, most) => {
  const [h, w, c] = data.shape, turned = data.sound && data.sound.time_in_rows;
  canvas.height = turned ? w : h;
  canvas.width = turned ? h : w;
  const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height);
  for (let y = 0; y < h; ++y)
    for (let x = 0; x < w; ++x) {
      const [row, column] = upright(h, w, y, x), to = 4 * (row * canvas.width + column), from = (y * w + x) * c;
      const rgb = pixelOfByte.length ? [0, 1, 2].map(k => pixelOfByte[k % c](values[from + k % c])) : ramp(shareOf(values[from], from));
      image.data.set([...rgb, 255], to);
    }
  context.putImageData(image, 0, 0);
  const zoom = Math.min(most / canvas.width, most / canvas.height);
  canvas.style.width = Math.round(canvas.width * zoom) + 'px';
  canvas.style.height = 'auto';
};
const isPlane = data.shape[0] > 1 && data.shape[1] > 1;

// ---- the answer

const valuesOf = output => {
  let at = 0;
  return data.outputs.map(({bytes, scale, zero_point}) =>
      Array.from(output.subarray(at, at += bytes), q => (q - zero_point) * scale));
};
const kShown = 12;
const showClasses = values => {
  const shares = data.independent ? sigmoid(values) : softmax(values), order = shares.map((_, i) => i);
  const best = order.reduce((a, b) => values[b] > values[a] ? b : a);
  const shown = data.classes.length <= kShown ? order : order.sort((a, b) => values[b] - values[a] || a - b).slice(0, kShown);
  const percent = i => (100 * shares[i]).toFixed(1) + ' %';
  element('best').textContent = data.classes[best] + ' · ' + percent(best);
  element('answer').replaceChildren(make('ul', 'bars', ...shown.map(i => {
    const fill = make('div', 'fill'), item = make('li', i === best ? 'first' : '');
    fill.style.width = 100 * shares[i] + '%';
    item.append(make('span', '', data.classes[i]), make('div', 'rail', fill), make('span', 'percent', percent(i)));
    return item;
  })));
};
// Of a network that gives its input again: in the order of the outputs.
const errorOf = (input, values) => {
  const [h, w, c] = data.shape, {scale, zero_point} = data.input;
  const place = data.outputs[0].by_channel ? i => (i % (h * w)) * c + Math.floor(i / (h * w)) : i => i;
  return values.reduce((sum, value, i) => sum + (value - (input[place(i)] - zero_point) * scale) ** 2, 0) / values.length;
};
const showValues = all => {
  const rows = all.flatMap((values, k) => values.slice(0, 16).map((value, i) =>
      make('tr', '', make('th', '', (all.length > 1 ? data.outputs[k].name + ' ' : '') + i), make('td', '', value.toPrecision(5)))));
  element('answer').replaceChildren(make('table', 'table', ...rows));
  element('best').textContent = count(all.reduce((n, values) => n + values.length, 0)) + ' values' +
      (rows.length < all.flat().length ? ', the first of them' : '');
};
const showAgain = (input, output, values) => {
  element('best').textContent = 'Error ' + errorOf(input, values).toPrecision(4);
  element('answer').replaceChildren(make('p', '', 'The mean of the squared differences between the input and what the network gives back: ' +
      'the higher, the less normal.'));
  if (!isPlane) return;
  const [h, w, c] = data.shape, {scale, zero_point} = data.input, given = new Int8Array(values.length);
  values.forEach((value, i) => {
    const to = data.outputs[0].by_channel ? (i % (h * w)) * c + Math.floor(i / (h * w)) : i;
    given[to] = Math.max(-128, Math.min(127, Math.round(value / scale) + zero_point));
  });
  element('again').hidden = false;
  paint(element('again_picture'), given, 132);
};
const forget = () => {
  element('best').textContent = 'Give it something.';
  element('answer').replaceChildren();
  for (const id of ['seen', 'again']) element(id).hidden = true;
};
let network = null, pressed = null;
// `caption`: what was done to make the input, which the module holds by now.
const show = (said, wrong = false) => {
  const input = network.input(), output = network.answer(), values = valuesOf(output);
  if (data.classes) showClasses(values[0]);
  else if (data.again) showAgain(input, output, values[0]);
  else showValues(values);
  if (isPlane) {
    element('seen').hidden = false;
    paint(element('seen_picture'), input, data.sound ? 300 : 132);
  }
  say(said, wrong);
  if (pressed) pressed.setAttribute('aria-pressed', 'false');
  pressed = null;
};

// ---- known inputs and facts

const showKnown = (known, take) => {
  const what = data.sound ? 'Sounds' : data.pixels ? 'Pictures' : 'Inputs';
  element('known_note').textContent = what + ' of the test part that came with the network. Below each: the network\'s answer.';
  element('known').replaceChildren(...known.map((item, i) => {
    const values = valuesOf(item.output)[0], canvas = make('canvas');
    const best = values.reduce((a, value, k) => value > values[a] ? k : a, 0);
    const name = data.classes ? data.classes[best]
        : data.again ? 'error ' + errorOf(item.input, values).toPrecision(3) : 'input ' + (i + 1);
    if (isPlane) paint(canvas, item.input, data.sound ? 104 : 60);
    const tile = button('', () => {
      take(item, i);
      pressed = tile;
      tile.setAttribute('aria-pressed', 'true');
    });
    tile.append(...(isPlane ? [canvas] : []), name);
    tile.setAttribute('aria-pressed', 'false');
    tile.setAttribute('aria-label', 'Known input ' + (i + 1) + ', answer ' + name);
    return tile;
  }));
};
const fact = (label, value, detail) => {
  const box = make('div', 'fact', make('dt', '', label), make('dd', 'value', value), make('dd', 'detail', detail));
  for (const dd of box.querySelectorAll('dd')) dd.style.marginLeft = '0';
  return box;
};
const milliseconds = ms => (ms < 0.1 ? (1000 * ms).toPrecision(3) + ' µs' : ms.toPrecision(3) + ' ms');

const start = async () => {
  element('name').textContent = document.title = data.name;
  element('about').textContent = (data.classes ? count(data.classes.length) + ' classes, ' : '') + count(data.params) +
      ' parameters, int8. The network runs in this page; nothing that you give it leaves your device.';
  if (typeof WebAssembly !== 'object')
    return stop('This browser has no WebAssembly',
                'The network is a WebAssembly module. Try a browser of 2018 or later, or one whose settings allow it.');
  const vectors = hasVectors(), text = vectors ? data.modules.vectors : data.modules.plain, module = bytesOf(text);
  network = await makeNetwork(module);
  const known = data.known.map(item => ({input: integersOf(item.input), output: integersOf(item.output),
                                         clip: item.clip && samplesOf(item.clip)}));
  const right = countEqual(network, known), root = document.documentElement;
  Object.assign(root.dataset, {known: known.length, equal: right});
  if (right < known.length)
    stop('Not every known answer comes out', count(known.length - right) + ' of ' + count(known.length) +
         ' known inputs give other integers here than where the network was made.');
  if (data.sound) findRanges(known);
  element('main').hidden = false;
  const kind = data.sound ? soundInput : data.pixels ? pictureInput : valueInput;
  kind(known);
  const time = timeOf(network, known[0].input);
  element('facts').replaceChildren(
      fact('Known answers', right + ' of ' + known.length,
           'equal in every integer' + (data.sound ? ', from the samples on' : '') + '; computed when this page opened'),
      fact('Time of an inference', milliseconds(time.ms),
           'median of ' + kRounds + ' rounds, ' + count(time.runs) + ' runs, here and now; ' + milliseconds(time.least) + ' to ' +
               milliseconds(time.most) + (data.sound ? '; features not counted' : '')),
      fact('Work', count(data.macs), 'products of an inference'),
      fact('Module', (module.length / 1024).toFixed(1) + ' KiB', 'WebAssembly ' + (vectors ? 'with vectors of 128 bits' : 'without vectors')));
  root.dataset.state = right === known.length ? 'ready' : 'failed';
};

// ---- files that are dropped anywhere or pasted

const takeFiles = (kind, take) => {
  const first = files => [...files].find(file => file.type.startsWith(kind)) || files[0];
  for (const name of ['dragenter', 'dragover'])
    addEventListener(name, event => { event.preventDefault(); document.body.classList.add('over'); });
  addEventListener('dragleave', event => { if (!event.relatedTarget) document.body.classList.remove('over'); });
  addEventListener('drop', event => {
    event.preventDefault();
    document.body.classList.remove('over');
    const file = first(event.dataTransfer.files);
    file ? take(file) : say('No file was dropped.', true);
  });
  addEventListener('paste', event => { const file = first(event.clipboardData.files); if (file) take(file); });
};
const howTo = lines => element('how').replaceChildren(...lines.map(line => make('li', '', line)));
