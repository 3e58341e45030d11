// The module at work. No document is needed here: `condenser verify` and the page run the same text.

const bytesOf = base64 => Uint8Array.from(atob(base64), c => c.charCodeAt(0));
const integersOf = base64 => new Int8Array(bytesOf(base64).buffer);
const samplesOf = base64 => {  // little-endian, as WAV files have them
  const view = new DataView(bytesOf(base64).buffer);
  return Int16Array.from({length: view.byteLength / 2}, (_, i) => view.getInt16(2 * i, true));
};

// A function () { v128.const 0; drop }: whether the browser has vectors of 128 bits.
const kVectors = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12,
                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 11];
const hasVectors = () => WebAssembly.validate(Uint8Array.from(kVectors));

// At once where the browser lets it: a page whose time is simulated does not wait for a compiler in the background.
const instantiate = async bytes => {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  } catch {
    return (await WebAssembly.instantiate(bytes, {})).instance;  // browsers that compile only small modules at once
  }
};

const makeNetwork = async bytes => {
  const instance = await instantiate(bytes);
  const call = instance.exports, memory = call.memory.buffer;
  const answer = () => {
    const at = call.answer();
    if (at === 0) throw new Error('the network did not run');
    return new Int8Array(memory, at, call.output_bytes()).slice();
  };
  const input = () => new Int8Array(memory, call.input(), call.input_bytes());
  const fill = values => input().set(values);
  return {
    input: () => input().slice(),
    see(pixels) { new Uint8Array(memory, call.pixels(), call.input_bytes()).set(pixels); call.picture_input(); },
    hear(samples) { new Int16Array(memory, call.clip(), call.clip_samples()).set(samples); call.sound_input(); },
    read: values => fill(values.map(call.quantize)),
    fill,
    answer,
    run(values) { fill(values); return answer(); },
  };
};

const equal = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

// How many known answers come out with every integer equal; of sounds, from the samples on, the input included.
const countEqual = (network, known) => known.filter(({input, output, clip}) => {
  if (clip) {
    network.hear(clip);
    if (!equal(network.input(), input) || !equal(network.answer(), output)) return false;
  }
  return equal(network.run(input), output);
}).length;

// Milliseconds of one inference: the median of rounds that are long enough for the browser's coarse clock.
const kRounds = 15, kRoundMs = 4, kMostRuns = 4096, kWarmRuns = 64, kWarmMs = 40;
const timeOf = (network, input) => {
  const round = runs => {
    const begin = performance.now();
    for (let i = 0; i < runs; ++i) network.run(input);
    return performance.now() - begin;
  };
  const warm = performance.now() + kWarmMs;  // browsers compile what runs often a second time
  for (let i = 0; i < kWarmRuns && performance.now() < warm; ++i) network.run(input);
  let runs = 1;
  while (round(runs) < kRoundMs && runs < kMostRuns) runs *= 2;
  const times = Array.from({length: kRounds}, () => round(runs) / runs).sort((a, b) => a - b);
  return {ms: times[(kRounds - 1) / 2], least: times[0], most: times[kRounds - 1], runs: runs * kRounds};
};
