// Pictures: drawn, dropped, pasted, chosen, or from a camera.

const kLongestExact = 16384, kMostBytes = 256 * 2 ** 20, kStripPixels = 2 ** 22;

// Rows of a drawable source, some at a time, so that no picture is there twice.
const rowsOf = (source, height, width, channels, toHeight, toWidth) => {
  const cell = cellOf(height, width, toHeight, toWidth), rows = makeRows(channels, height, width, cell);
  const tall = Math.max(1, Math.min(height, Math.floor(kStripPixels / width))), strip = make('canvas');
  strip.width = width;
  for (let y = 0; y < height; y += tall) {
    strip.height = Math.min(tall, height - y);  // clears it, too
    const context = strip.getContext('2d', {willReadFrequently: true});
    context.drawImage(source, 0, -y);
    rows.add(context.getImageData(0, 0, width, strip.height).data);
  }
  return rows.take();
};

const pictureInput = known => {
  const [h, w, c] = data.shape;
  const prepared = (source, height, width) => resized(rowsOf(source, height, width, c, h, w), h, w);
  const see = (pixels, said) => { network.see(pixels); show(said); };
  const sees = 'The network sees ' + w + ' × ' + h + (c === 1 ? ' grey pixels' : ' pixels in colour') + '.';
  element('seen_caption').textContent = 'What the network sees: ' + w + ' × ' + h;

  // The known pictures say whether people may draw: one colour around the ink of all of them.
  const pictures = known.map(({input}) => Uint8Array.from(input, (byte, i) => pixelOfByte[i % c](byte)));
  const atBorder = (_, i) => i < w || i >= w * (h - 1) || i % w === 0 || i % w === w - 1;
  const border = pictures.flatMap(p => [...p].filter(atBorder)).sort((a, b) => a - b);
  const paper = border[border.length >> 1], dark = paper > 127;
  const inks = pictures.map(p => inkOf(p, h, w, dark)).filter(Boolean);
  const even = border.filter(v => Math.abs(v - paper) <= 24).length >= 0.95 * border.length;
  const draws = c === 1 && h <= 64 && w <= 64 && even && inks.length > 0;
  const middle = key => inks.map(ink => ink[key]).sort((a, b) => a - b)[inks.length >> 1];

  const side = 280, board = make('canvas'), holder = make('div', draws ? 'drop draw' : 'drop');
  holder.style.aspectRatio = w / h;
  board.width = draws ? Math.round(side * w / h) : side;
  board.height = side;
  const pen = board.getContext('2d', {willReadFrequently: true}), grey = v => 'rgb(' + [v, v, v] + ')';
  const clear = () => {
    pen.clearRect(0, 0, board.width, board.height);
    pen.fillStyle = draws ? grey(dark ? 255 : 0) : 'transparent';
    pen.fillRect(0, 0, board.width, board.height);
  };
  let current = 0, camera = null;
  const hint = make('p', '', 'Drop a picture here, paste one, or choose one below.');
  holder.append(draws ? board : hint);

  // A drawing; where it is asked for, its ink is brought to where that of the known pictures lies.
  const place = make('input'), moved = make('canvas');
  place.type = 'checkbox';
  place.checked = true;
  const readDrawing = () => {
    const bytes = pen.getImageData(0, 0, board.width, board.height).data.filter((_, i) => i % 4 === 0);
    const ink = inkOf(bytes, board.height, board.width, dark);
    if (!ink) return;
    moved.width = board.width;
    moved.height = board.height;
    const context = moved.getContext('2d', {willReadFrequently: true}), zoom = middle('extent') / ink.extent;
    context.fillStyle = grey(dark ? 255 : 0);
    context.fillRect(0, 0, moved.width, moved.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(board, moved.width * edgeOf(ink.x, ink.left, ink.right, zoom, middle('x')),
                      moved.height * edgeOf(ink.y, ink.top, ink.bottom, zoom, middle('y')), moved.width * zoom, moved.height * zoom);
    const from = place.checked ? moved : board;
    see(prepared(from, from.height, from.width),
        'Your drawing' + (place.checked ? ', its ink moved and scaled as in the known pictures,' : '') + ' resized. ' + sees);
  };
  place.addEventListener('change', readDrawing);

  const drawing = () => {
    let last = null, foreign = false, waiting = false;
    const at = event => {
      const box = board.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * board.width, (event.clientY - box.top) / box.height * board.height];
    };
    const line = (from, to) => {
      pen.strokeStyle = grey(dark ? 0 : 255);
      pen.lineWidth = side * 0.085;
      pen.lineCap = pen.lineJoin = 'round';
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; readDrawing(); });
    };
    board.addEventListener('pointerdown', event => {
      if (board.foreign) { clear(); board.foreign = false; }
      ++current;
      last = at(event);
      board.setPointerCapture(event.pointerId);
      line(last, last);
      event.preventDefault();
    });
    board.addEventListener('pointermove', event => {
      if (!last) return;
      for (const e of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) {
        const to = at(e);
        line(last, to);
        last = to;
      }
    });
    for (const end of ['pointerup', 'pointercancel']) board.addEventListener(end, () => { last = null; });
    board.setAttribute('role', 'img');
    board.setAttribute('aria-label', 'Draw here with a finger, a pen or a mouse. Without one of them, choose a picture below.');
  };
  // What was given, whole, on the board.
  const preview = (source, height, width) => {
    if (!draws) {
      board.width = Math.max(1, Math.round(side * Math.min(1, width / height)));
      board.height = Math.max(1, Math.round(side * Math.min(1, height / width)));
      holder.replaceChildren(board);
    }
    clear();
    const zoom = Math.min(board.width / width, board.height / height);
    pen.imageSmoothingEnabled = width > board.width;  // single pixels stay what they are
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(source, (board.width - width * zoom) / 2, (board.height - height * zoom) / 2, width * zoom, height * zoom);
    board.foreign = true;
  };
  const take = async file => {
    stopCamera();
    const turn = ++current, wrong = text => { if (turn === current) say(text, true); };
    if (file.size > kMostBytes)
      return wrong(file.name + ': ' + count(file.size) + ' bytes; expected a picture of at most ' + count(kMostBytes));
    const image = new Image(), address = URL.createObjectURL(file);
    say('Reading ' + file.name + ' …');
    try {
      image.src = address;
      await image.decode().catch(() => { throw new Error('no picture that this browser reads; expected JPEG, PNG or the like'); });
      const height = image.naturalHeight, width = image.naturalWidth;
      let shrunk = '';
      if (!height || !width) throw new Error('a picture without a size of its own; save it as PNG');
      const options = {colorSpaceConversion: 'none', premultiplyAlpha: 'none'}, longest = Math.max(height, width);
      if (longest > kLongestExact) {
        shrunk = ' The browser shrank it first, as a side is longer than ' + count(kLongestExact) + '.';
        const part = side => Math.max(1, Math.round(side * kLongestExact / longest));
        Object.assign(options, {resizeWidth: part(width), resizeHeight: part(height), resizeQuality: 'high'});
      }
      const bitmap = await createImageBitmap(image, options);
      if (turn !== current) return;
      const said = file.name + ', ' + count(width) + ' × ' + count(height) + ' pixels, resized whole' +
          (Math.abs(width / height - w / h) > 0.02 * w / h ? ', its sides no longer in proportion' : '') + '.' + shrunk + ' ' + sees;
      preview(bitmap, bitmap.height, bitmap.width);
      see(prepared(bitmap, bitmap.height, bitmap.width), said);
      bitmap.close();
    } catch (error) {
      wrong(file.name + ': ' + (error.message || 'cannot be read'));
    } finally {
      URL.revokeObjectURL(address);
    }
  };

  // ---- the camera: the middle of each frame
  const stopCamera = () => {
    if (!camera) return;
    camera.stream.getTracks().forEach(track => track.stop());
    camera.video.remove();
    camera.button.textContent = 'Camera';
    camera = null;
    holder.replaceChildren(draws || board.foreign ? board : hint);
  };
  const startCamera = async own => {
    if (camera) return stopCamera();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}}), video = make('video');
      const turn = ++current, frame = make('canvas');
      camera = {stream, video, button: own};
      Object.assign(video, {srcObject: stream, muted: true, playsInline: true});
      holder.replaceChildren(video);
      own.textContent = 'Stop the camera';
      await video.play();
      const look = () => {
        if (!camera) return;
        if (turn !== current) return stopCamera();
        const width = Math.min(video.videoWidth, video.videoHeight * w / h), height = width * h / w;
        frame.width = Math.round(width);
        frame.height = Math.round(height);
        const context = frame.getContext('2d', {willReadFrequently: true});
        context.drawImage(video, (frame.width - video.videoWidth) / 2, (frame.height - video.videoHeight) / 2);
        see(prepared(frame, frame.height, frame.width),
            'The middle of the camera\'s picture, ' + frame.width + ' × ' + frame.height + ' pixels, resized. ' + sees);
        setTimeout(look, 120);
      };
      look();
    } catch (error) {
      stopCamera();
      say('No camera: ' + (error.message || error.name), true);
    }
  };

  const row = make('div', 'buttons');
  const begin = () => {
    ++current;
    stopCamera();
    clear();
    board.foreign = false;
    forget();
    say('Draw in the field, or drop a picture anywhere.');
  };
  if (draws) row.append(button('Clear', begin));
  row.append(filePicker('Choose a picture', 'image/*', take));
  if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia)
    row.append(button('Camera', event => startCamera(event.target)));
  const controls = element('controls');
  controls.append(holder, row);
  if (draws) {
    controls.append(make('label', 'check', place, 'Place the drawing as in the known pictures'));
    drawing();
    begin();
  } else {
    say(sees);
  }
  takeFiles('image/', take);
  showKnown(known, item => {
    stopCamera();
    ++current;
    const small = make('canvas');
    paint(small, item.input, 1);
    preview(small, h, w);
    network.fill(item.input);
    show('A picture of the test part, as it was prepared for training. ' + sees);
  });
  howTo(['A picture is read upright, as the browser decodes it; colour profiles change nothing.' +
             (c === 1 ? ' Colours become grey by their brightness (ITU-R BT.601).' : ''),
         'It is resized whole to ' + w + ' × ' + h + ' with the integer triangle filter of the training; nothing is cut off. ' +
             'Training decodes large JPEGs smaller at once: pixels may differ from it by 1 or 2 of 255.',
         'A table takes each pixel to the input\'s integers: ' + data.input_note + '.',
         'Of a camera the middle part is taken.' +
             (draws ? ' A drawing is moved and scaled so that the middle and the extent of its ink are those of the known pictures.' : '')]);
};
