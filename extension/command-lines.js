/**
 * Parts of the command lines that errors suggest. Those are run as they stand, so nothing in them is left to be filled in,
 * and nothing that came with a command can be more than one word to a shell.
 */

/** @typedef {import('./contract.js').Target} Target */
/** @typedef {Extract<Target, { find: object }>['find']} Criteria */

/** A text as one word of a shell's command line. @param {string} text */
export const word = (text) => (/^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The flags of the criteria of a `find`. @type {[keyof Criteria, string][]} */
const CRITERIA = [
  ['role', '--role'],
  ['name', '--name'],
  ['text', '--has-text'],
  ['label', '--label'],
  ['placeholder', '--placeholder'],
  ['testId', '--test-id'],
];

/** A flag with a value, which may begin with a dash. @param {string} flag @param {string} value */
const given = (flag, value) => (value.startsWith('-') ? `${flag}=${word(value)}` : `${flag} ${word(value)}`);

/** The flags that name an element. @param {Target} target */
export function targetFlags(target) {
  const flags = [];
  if ('handle' in target) return given('--element', target.handle);
  if ('selector' in target) flags.push(given('--selector', target.selector));
  if ('route' in target) flags.push(given('--route-json', JSON.stringify(target.route)));
  if ('find' in target) {
    const { find } = target;
    for (const [name, itsFlag] of CRITERIA) {
      const wanted = find[name];
      if (typeof wanted === 'string') flags.push(given(itsFlag, wanted));
    }
    if (find.exact) flags.push('--exact');
    if (find.nth !== undefined) flags.push(`--index ${find.nth}`);
  }
  if (target.frame !== undefined) flags.push(given('--frame', target.frame));
  return flags.join(' ');
}

/** How long a value may be that is repeated in a command line. */
const LONGEST_VALUE = 200;

/**
 * The command line that enters a field's value in another way; where the value is private, or long, what shows the page.
 * @param {string} verb @param {string} valueFlag @param {{ target: Target, value: string, private?: boolean }} field
 * @param {string} [more]
 */
export function enterBy(verb, valueFlag, { target, value, private: isPrivate }, more = '') {
  if (isPrivate || value.length > LONGEST_VALUE) return 'bproxy snapshot';
  return `bproxy ${verb} ${targetFlags(target)} ${given(valueFlag, value)}${more}`;
}
