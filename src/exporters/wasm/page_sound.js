// Sounds: spoken, dropped or chosen.

const kMostSoundBytes = 64 * 2 ** 20;

const soundInput = known => {
  const {rate, samples, frames, values} = data.sound, seconds = samples / rate, length = seconds.toFixed(seconds < 1 ? 2 : 1) + ' s';
  const wave = make('canvas'), holder = make('div', 'drop wide', wave);
  let current = 0, clip = new Int16Array(samples), context = null;
  element('seen_caption').textContent = 'What the network hears: ' + frames + ' frames of ' + values + ' features, time to the right, each ' +
      'feature within its range over the known sounds';

  const drawWave = () => {
    const [width, height] = [Math.max(200, holder.clientWidth * 2), 336], pen = wave.getContext('2d');
    Object.assign(wave, {width, height});
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent');
    let most = 1;
    for (const sample of clip) most = Math.max(most, Math.abs(sample));
    for (let x = 0; x < width; ++x) {
      const from = Math.floor(x * samples / width), part = clip.subarray(from, Math.max(Math.floor((x + 1) * samples / width), from + 1));
      let low = 0, high = 0;
      for (const sample of part) { low = Math.min(low, sample); high = Math.max(high, sample); }
      pen.fillRect(x, height / 2 * (1 - high / most * 0.92), 1, Math.max(2, height * 0.46 * (high - low) / most));
    }
  };
  const hear = (made, said) => {
    clip = made;
    network.hear(clip);
    drawWave();
    play.disabled = false;
    show(said);
  };
  const sound = () => {
    context = context || new AudioContext();
    context.resume();
    const buffer = context.createBuffer(1, samples, rate), source = context.createBufferSource();
    buffer.copyToChannel(Float32Array.from(clip, s => s / 32768), 0);
    source.buffer = buffer;
    source.connect(context.destination);
    source.start();
  };
  // Samples of 16 bits at the network's rate, and what was done for that.
  const decode = async bytes => {
    const plain = samplesOfWav(bytes, rate);
    if (plain) return {samples: plain, how: count(rate) + ' samples a second, taken as they are'};
    const decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes), n = decoded.numberOfChannels;
    const channels = Array.from({length: n}, (_, k) => decoded.getChannelData(k));
    const mean = channels[0].map((_, i) => 32768 * channels.reduce((sum, channel) => sum + channel[i], 0) / n);
    return {samples: mean, how: (n > 1 ? 'the mean of ' + n + ' channels, ' : '') + 'brought to ' + count(rate) +
                                ' samples a second by the browser'};
  };
  const take = async file => {
    const turn = ++current, wrong = text => { if (turn === current) say(file.name + ': ' + text, true); };
    if (file.size > kMostSoundBytes) return wrong(count(file.size) + ' bytes; expected at most ' + count(kMostSoundBytes));
    say('Reading ' + file.name + ' …');
    try {
      const {samples: all, how} = await decode(await file.arrayBuffer());
      if (turn !== current) return;
      if (all.length === 0) return wrong('holds no sound');
      const long = all.length / rate;
      const cut = all.length > samples ? '; of ' + long.toFixed(1) + ' s the first ' + length
          : all.length < samples ? '; silence behind its ' + long.toFixed(2) + ' s' : '';
      hear(clipOf(all, samples), file.name + ': ' + how + cut + '.');
    } catch {
      wrong('no sound that this browser reads; expected WAV, best of 16 bits at ' + count(rate) + ' samples a second');
    }
  };

  // ---- the microphone: twice as long as a clip, of which the loudest part counts
  const record = async own => {
    const turn = ++current;
    let stream = null;
    own.disabled = true;
    try {
      const audio = {channelCount: 1, echoCancellation: false, autoGainControl: false, noiseSuppression: false};
      stream = await navigator.mediaDevices.getUserMedia({audio});
      const recorder = new MediaRecorder(stream), parts = [], ended = new Promise(done => { recorder.onstop = done; });
      recorder.ondataavailable = event => parts.push(event.data);
      recorder.start();
      say('Listening for ' + (2 * seconds).toFixed(1) + ' s: speak now.');
      own.textContent = 'Listening …';
      setTimeout(() => recorder.stop(), 2000 * seconds + 200);
      await ended;
      const {samples: all} = await decode(await new Blob(parts, {type: recorder.mimeType}).arrayBuffer());
      if (turn !== current) return;
      hear(clipOf(all, samples, loudest(all, samples)),
           'The loudest ' + length + ' of what the microphone heard, at ' + count(rate) + ' samples a second.');
    } catch (error) {
      if (turn === current) say('No recording: ' + (error.message || error.name), true);
    } finally {
      if (stream) stream.getTracks().forEach(track => track.stop());
      own.disabled = false;
      own.textContent = 'Speak';
    }
  };

  const row = make('div', 'buttons'), play = button('Play', sound);
  play.disabled = true;
  if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia && window.MediaRecorder)
    row.append(button('Speak', event => record(event.target), 'main'));
  row.append(filePicker('Choose a sound', 'audio/*,.wav', take), play);
  element('controls').append(holder, row);
  wave.setAttribute('role', 'img');
  wave.setAttribute('aria-label', 'The waveform of the clip');
  say('Speak, or drop a WAV file anywhere. The network hears ' + length + ' at ' + count(rate) + ' samples a second.');
  drawWave();
  addEventListener('resize', drawWave);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawWave);
  takeFiles('audio/', take);
  showKnown(known, item => {
    ++current;
    hear(item.clip, 'A sound of the test part, from its samples on.');
  });
  howTo(['A WAV file of 16 bits at ' + count(rate) + ' samples a second is taken as it is; of several channels the mean. ' +
             'Anything else is decoded and resampled by the browser.',
         'Shorter sounds are followed by silence, of longer files the first ' + length + ' count, of the microphone\'s the loudest ' +
             length + '.',
         'Features are computed in the module by the C sources of the training: ' + frames + ' frames of ' + values +
             (data.sound.mfcc ? ' MFCC' : ' logarithms of mel bands') + '. ' +
             (data.sound.peak ? 'The volume does not count.' : 'The volume counts.'),
         'They become integers of 8 bits: ' + data.input_note + '.']);
};
