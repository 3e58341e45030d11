// Numbers: fields for a few, a text for many.

const kMostFields = 48, kMostNumbers = 16384;

const valueInput = known => {
  const [h, w, c] = data.shape, n = h * w * c, {scale, zero_point} = data.input;
  const floats = input => Array.from(input, q => +((q - zero_point) * scale).toPrecision(6));
  const read = values => {
    const wrong = values.findIndex(value => !Number.isFinite(value));
    if (wrong >= 0 || values.length !== n)
      return say(wrong >= 0 ? 'Value ' + wrong + ' is no number.' : count(values.length) + ' numbers; expected ' + count(n) + '.', true);
    network.read(values);
    show(count(n) + ' numbers, quantized to 8 bits.');
  };
  let fill = () => {};
  if (n <= kMostFields) {
    const fields = Array.from({length: n}, (_, i) => {
      const field = make('input');
      field.type = 'number';
      field.step = 'any';
      field.addEventListener('input', () => read(fields.map(f => f.value === '' ? NaN : +f.value)));
      return field;
    });
    fill = values => values.forEach((value, i) => { fields[i].value = value; });
    element('controls').append(make('div', 'fields', ...fields.map((field, i) => make('label', '', 'Value ' + i, field))));
  } else if (n <= kMostNumbers) {
    const text = make('textarea');
    text.setAttribute('aria-label', count(n) + ' numbers, separated by commas or spaces');
    text.spellcheck = false;
    text.addEventListener('input', () => read(text.value.split(/[\s,;]+/).filter(Boolean).map(Number)));
    fill = values => { text.value = values.join(', '); };
    element('controls').append(text);
  } else {
    element('controls').append(make('p', '', count(n) + ' numbers are too many to type; try the known inputs below.'));
  }
  element('seen_caption').textContent = 'What the network sees: ' + h + ' × ' + w;
  const take = item => {
    fill(floats(item.input));
    network.fill(item.input);
    show('A known input; change a number to see what it does.');
  };
  showKnown(known, take);
  take(known[0]);
  howTo(['Numbers stand in the order row, column, channel of ' + h + ' × ' + w + ' × ' + c + '.',
         'They become integers of 8 bits: ' + data.input_note + '.']);
};
