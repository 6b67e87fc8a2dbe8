/** The keys of a keyboard with the US layout: which key makes a text, and what its events say. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Key codes of the keys that print nothing, by name. @type {Record<string, number>} */
  const NAMED = {
    Backspace: 8,
    Tab: 9,
    Clear: 12,
    Enter: 13,
    Shift: 16,
    Control: 17,
    Alt: 18,
    Pause: 19,
    CapsLock: 20,
    Escape: 27,
    PageUp: 33,
    PageDown: 34,
    End: 35,
    Home: 36,
    ArrowLeft: 37,
    ArrowUp: 38,
    ArrowRight: 39,
    ArrowDown: 40,
    PrintScreen: 44,
    Insert: 45,
    Delete: 46,
    Meta: 91,
    ContextMenu: 93,
    NumLock: 144,
    ScrollLock: 145,
    BrowserBack: 166,
    BrowserForward: 167,
    BrowserRefresh: 168,
    AudioVolumeMute: 173,
    AudioVolumeDown: 174,
    AudioVolumeUp: 175,
    MediaTrackNext: 176,
    MediaTrackPrevious: 177,
    MediaStop: 178,
    MediaPlayPause: 179,
    AltGraph: 225,
    Help: 47,
    Fn: 0,
    FnLock: 0,
  };
  /** The keys beside the letters: what each prints, alone and with Shift. @type {[string, number, string][]} */
  const PRINTED = [
    ['Space', 32, '  '],
    ['Digit0', 48, '0)'],
    ['Digit1', 49, '1!'],
    ['Digit2', 50, '2@'],
    ['Digit3', 51, '3#'],
    ['Digit4', 52, '4$'],
    ['Digit5', 53, '5%'],
    ['Digit6', 54, '6^'],
    ['Digit7', 55, '7&'],
    ['Digit8', 56, '8*'],
    ['Digit9', 57, '9('],
    ['Semicolon', 186, ';:'],
    ['Equal', 187, '=+'],
    ['Comma', 188, ',<'],
    ['Minus', 189, '-_'],
    ['Period', 190, '.>'],
    ['Slash', 191, '/?'],
    ['Backquote', 192, '`~'],
    ['BracketLeft', 219, '[{'],
    ['Backslash', 220, '\\|'],
    ['BracketRight', 221, ']}'],
    ['Quote', 222, '\'"'],
  ];

  /** Keys that are on a keyboard twice: the left one is meant. */
  const LEFT = new Set(['Shift', 'Control', 'Alt', 'Meta']);
  const LEFT_LOCATION = 1;
  const FUNCTION_KEY = /^F([1-9]|1\d|2[0-4])$/;
  const F1 = 112;

  /** @param {string} name @param {boolean} shifted @returns {PageKey | null} */
  const keyNamed = (name, shifted) => {
    if ([...name].length === 1) return printedKey(name, shifted);
    const number = FUNCTION_KEY.exec(name)?.[1];
    if (number !== undefined) return { key: name, code: name, keyCode: F1 - 1 + Number(number), location: 0, text: '' };
    if (!Object.hasOwn(NAMED, name)) return null;
    const left = LEFT.has(name);
    const code = left ? `${name}Left` : name === 'AltGraph' ? 'AltRight' : name;
    // The Enter key makes a carriage return.
    const text = name === 'Enter' ? '\r' : '';
    return { key: name, code, keyCode: NAMED[name], location: left ? LEFT_LOCATION : 0, text };
  };

  /** @param {string} text @param {boolean} shifted @returns {PageKey} */
  const printedKey = (text, shifted) => {
    if (/^[a-z]$/i.test(text)) {
      const upper = text.toUpperCase();
      const key = shifted ? upper : text;
      return { key, code: `Key${upper}`, keyCode: upper.charCodeAt(0), location: 0, text: key };
    }
    const known = PRINTED.find(([, , texts]) => texts.includes(text));
    // Another layout has it, or an input method makes it.
    if (known === undefined) return { key: text, code: '', keyCode: 0, location: 0, text };
    const [code, keyCode, texts] = known;
    const key = shifted ? texts[1] : text;
    return { key, code, keyCode, location: 0, text: key };
  };

  page.stroke = (keys) => {
    /** @type {PageKey[]} */
    const held = [];
    let rest = keys;
    for (;;) {
      const name = /^(Alt|Control|Meta|Shift)\+(?=.)/s.exec(rest)?.[1];
      if (name === undefined) break;
      held.push(/** @type {PageKey} */ (keyNamed(name, false)));
      rest = rest.slice(name.length + 1);
    }
    const key = keyNamed(
      rest,
      held.some(({ key: name }) => name === 'Shift'),
    );
    if (key === null) {
      const message = `no key is named ${rest}: names are those of KeyboardEvent.key, such as Enter, ArrowDown, Control+a`;
      return page.fail('SCRIPT_ERROR', message, undefined, 'bproxy press --help');
    }
    return { ...key, held };
  };
})();
