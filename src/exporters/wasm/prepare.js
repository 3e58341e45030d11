// From a person's pictures and sounds to what the network was trained on: the steps of training, with its integers.
// No document is needed here; what only a browser can do (decoding) is handed in.

// ---- pictures

// Grey as training makes it: ITU-R BT.601 in 16 bits.
const luma = (r, g, b) => (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;

// Pictures of more pixels are kept as means of cells of them.
const kManyPixels = 16e6;
const cellOf = (height, width, toHeight, toWidth) => {
  let most = 1, cell = 1;
  while (height * width / (most * most) > kManyPixels) most *= 2;
  while (2 * cell <= most && height / (8 * cell) >= toHeight && width / (8 * cell) >= toWidth) cell *= 2;
  return cell;
};

// Rows of [w, rgba] one after the other become a picture of `channels`, each of its pixels the mean of a cell.
const makeRows = (channels, height, width, cell) => {
  const across = Math.ceil(width / cell), down = Math.ceil(height / cell);
  const pixels = new Uint8Array(down * across * channels), sums = new Float64Array(across * channels);
  let row = 0;
  const close = () => {
    const tall = (row - 1) % cell + 1;
    let to = Math.floor((row - 1) / cell) * across * channels;
    for (let x = 0; x < across; ++x) {
      const count = tall * Math.min(cell, width - x * cell);
      for (let c = 0; c < channels; ++c, ++to)
        pixels[to] = Math.floor((sums[x * channels + c] + Math.floor(count / 2)) / count);
    }
    sums.fill(0);
  };
  return {
    add(rgba) {
      for (let from = 0; from < rgba.length; from += 4 * width) {
        for (let x = 0, at = from; x < width; ++x, at += 4) {
          const to = Math.floor(x / cell) * channels;
          if (channels === 1) sums[to] += luma(rgba[at], rgba[at + 1], rgba[at + 2]);
          else for (let c = 0; c < 3; ++c) sums[to + c] += rgba[at + c];
        }
        if (++row % cell === 0 || row === height) close();
      }
    },
    take: () => ({pixels, channels, height: down, width: across, cell, fileHeight: height, fileWidth: width}),
  };
};

// The source pixels of every target pixel and their weights, which sum to 65536: a triangle filter, widened where it
// shrinks. The formula stands in src/data/formats/resize.cpp of condenser.
const axisOf = (n, extent, cell, m) => {
  const half = 2 * Math.max(extent, cell * m);
  return Array.from({length: m}, (_, o) => {
    const center = (2 * o + 1) * extent, shares = [];
    let first = 0, sum = 0;
    for (let x = Math.max(0, Math.trunc(Math.trunc((center - half) / m) / (2 * cell)) - 2); x < n; ++x) {
      const l = x * cell, r = Math.min(l + cell, extent), distance = (l + r) * m - center;
      if (r <= l || distance <= -half) continue;
      if (distance >= half) break;
      if (shares.length === 0) first = x;
      shares.push((r - l) * (half - Math.abs(distance)));
      sum += shares[shares.length - 1];
    }
    let running = 0, before = 0;
    const weights = shares.map(share => {
      running += share;
      const now = Math.floor((running * 131072 + sum) / (2 * sum)), weight = now - before;
      before = now;
      return weight;
    });
    return {first, weights};
  });
};

// [height, width, channels], interleaved.
const resized = (picture, height, width) => {
  const {pixels, channels} = picture, line = picture.width * channels;
  const down = axisOf(picture.height, picture.fileHeight, picture.cell, height);
  const across = axisOf(picture.width, picture.fileWidth, picture.cell, width);
  const out = new Uint8Array(height * width * channels), row = new Float64Array(line);
  down.forEach(({first, weights}, y) => {
    row.fill(128);
    weights.forEach((weight, t) => {
      const from = (first + t) * line;
      for (let e = 0; e < line; ++e) row[e] += weight * pixels[from + e];
    });
    for (let e = 0; e < line; ++e) row[e] = Math.floor(row[e] / 256);
    across.forEach((axis, x) => {
      for (let c = 0; c < channels; ++c) {
        let total = 2 ** 23;
        axis.weights.forEach((weight, t) => { total += weight * row[(axis.first + t) * channels + c]; });
        out[(y * width + x) * channels + c] = Math.floor(total / 2 ** 24);
      }
    });
  });
  return out;
};

// Where the ink of a grey picture lies: mean place, box and extent, in shares of its sides; null: there is none.
const inkOf = (pixels, height, width, dark) => {
  let mass = 0, x = 0, y = 0, left = width, right = -1, top = height, bottom = -1;
  for (let row = 0; row < height; ++row)
    for (let column = 0; column < width; ++column) {
      const value = pixels[row * width + column], ink = dark ? 255 - value : value;
      mass += ink;
      x += ink * (column + 0.5);
      y += ink * (row + 0.5);
      if (ink < 64) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row);
    }
  if (right < 0) return null;
  const box = {left: left / width, right: (right + 1) / width, top: top / height, bottom: (bottom + 1) / height};
  return {x: x / mass / width, y: y / mass / height, extent: Math.max(box.right - box.left, box.bottom - box.top), ...box};
};
// Where a drawing's left (top) edge goes so that its ink has its mean at `wanted`, but stays inside.
const edgeOf = (mean, low, high, zoom, wanted) => Math.max(-low * zoom, Math.min(1 - high * zoom, wanted - mean * zoom));

// ---- sounds

const clamped = x => Math.max(-32768, Math.min(32767, Math.sign(x) * Math.round(Math.abs(x))));

// The samples of a WAV file of 16 bits at `rate`, several channels as their mean; null: it is something else.
const samplesOfWav = (buffer, rate) => {
  const view = new DataView(buffer), word = at => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (view.byteLength < 12 || word(0) !== 'RIFF' || word(8) !== 'WAVE') return null;
  let channels = 0;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const name = word(at), begin = at + 8, bytes = Math.min(view.getUint32(at + 4, true), view.byteLength - begin);
    if (name === 'fmt ' && bytes >= 16) {
      channels = view.getUint16(begin + 2, true);
      const plain = view.getUint16(begin, true) === 1 && view.getUint16(begin + 14, true) === 16;
      if (!plain || channels < 1 || channels > 2 || view.getUint32(begin + 4, true) !== rate) return null;
    } else if (name === 'data' && channels > 0) {
      return Float32Array.from({length: Math.floor(bytes / (2 * channels))}, (_, i) => {
        let sum = 0;
        for (let c = 0; c < channels; ++c) sum += view.getInt16(begin + 2 * (i * channels + c), true);
        return sum / channels;
      });
    }
    at = begin + bytes + bytes % 2;
  }
  return null;
};

// As training cuts: from `begin` on, silence behind the end.
const clipOf = (samples, length, begin = 0) =>
    Int16Array.from({length}, (_, i) => begin + i < samples.length ? clamped(samples[begin + i]) : 0);

// Where the loudest part of so many samples begins.
const loudest = (samples, length) => {
  let energy = 0, most = -1, begin = 0;
  for (let i = 0; i < samples.length; ++i) {
    energy += samples[i] ** 2 - (i >= length ? samples[i - length] ** 2 : 0);
    if (i + 1 < length || energy <= most) continue;
    most = energy;
    begin = i + 1 - length;
  }
  return begin;
};

// ---- answers

const softmax = values => {
  const most = Math.max(...values), powers = values.map(v => Math.exp(v - most)), sum = powers.reduce((a, b) => a + b);
  return powers.map(p => p / sum);
};
const sigmoid = values => values.map(v => 1 / (1 + Math.exp(-v)));
