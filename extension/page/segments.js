/**
 * Fields for dates and times: the segments that the browser draws in them, which the page cannot see. Keys go to one
 * segment after the other, and the field has a value once all of them have one.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** @typedef {'year' | 'month' | 'day' | 'hour' | 'minute' | 'dayPeriod' | 'week'} Part */
  /** @typedef {{ parts: Partial<Record<Part, number>>, order: Part[], at: number, typed: string, value: string }} Segments */

  const TYPES = /^(date|time|datetime-local|month|week)$/;
  /** @type {Record<Part, [number, number]>} */
  const RANGES = {
    year: [1, 275_760],
    month: [1, 12],
    day: [1, 31],
    hour: [0, 23],
    minute: [0, 59],
    dayPeriod: [0, 1],
    week: [1, 53],
  };

  /** @type {WeakMap<HTMLInputElement, Segments>} */
  const known = new WeakMap();

  /** @param {Element} element @returns {element is HTMLInputElement} */
  const isSegmented = (element) => element instanceof HTMLInputElement && TYPES.test(element.type);

  /** Hours from 1 to 12, with a segment that tells which half of the day it is. */
  const hasHalves = () =>
    /h1[12]/.test(new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions().hourCycle ?? '');

  /** The segments in the order of the browser's language. @param {string} type @returns {Part[]} */
  const orderOf = (type) => {
    if (type === 'week') return ['week', 'year'];
    const date = /** @type {const} */ ({ year: 'numeric', month: '2-digit', day: '2-digit' });
    const shown = new Intl.DateTimeFormat(undefined, type === 'month' ? { year: 'numeric', month: 'long' } : date);
    const days = /** @type {Part[]} */ (
      shown.formatToParts(new Date()).flatMap(({ type: part }) => (Object.hasOwn(RANGES, part) ? [part] : []))
    );
    /** @type {Part[]} */
    const time = ['hour', 'minute', ...(hasHalves() ? /** @type {Part[]} */ (['dayPeriod']) : [])];
    if (type === 'time') return time;
    return type === 'datetime-local' ? [...days, ...time] : days;
  };

  /** @param {HTMLInputElement} field */
  const segmentsOf = (field) => {
    const order = orderOf(field.type);
    const was = known.get(field);
    const same = was?.value === field.value && was.order.length === order.length;
    const now = was && same ? was : { parts: read(field), order, at: was?.at ?? 0, typed: '', value: field.value };
    known.set(field, now);
    return now;
  };

  /** @param {HTMLInputElement} field @returns {Segments['parts']} */
  const read = ({ type, value }) => {
    const numbers = (value.match(/\d+/g) ?? []).map(Number);
    if (value === '') return {};
    if (type === 'week') return { year: numbers[0], week: numbers[1] };
    const [year, month, day] = numbers;
    const [hour, minute] = type === 'time' ? numbers : numbers.slice(3);
    const time = { hour, minute, dayPeriod: hour >= 12 ? 1 : 0 };
    if (type === 'time') return time;
    return { year, month, day, ...(type === 'datetime-local' ? time : {}) };
  };

  /** The value that the segments make, or an empty text. @param {HTMLInputElement} field @param {Segments} segments */
  const madeBy = ({ type }, { parts, order }) => {
    if (order.some((part) => parts[part] === undefined)) return '';
    const two = (/** @type {number | undefined} */ number) => String(number).padStart(2, '0');
    const { year, month, day, hour, minute, week } = parts;
    const long = String(year).padStart(4, '0');
    const time = `${two(hour)}:${two(minute)}`;
    if (type === 'time') return time;
    if (type === 'week') return `${long}-W${two(week)}`;
    if (type === 'month') return `${long}-${two(month)}`;
    return type === 'date' ? `${long}-${two(month)}-${two(day)}` : `${long}-${two(month)}-${two(day)}T${time}`;
  };

  /** Sets a segment, and the field's value with it. @param {HTMLInputElement} field @param {Segments} segments @param {number | undefined} number */
  const set = (field, segments, number) => {
    const { parts, order, at } = segments;
    const part = order[at];
    parts[part] = number;
    if (part === 'dayPeriod' && parts.hour !== undefined && number !== undefined)
      parts.hour = (parts.hour % 12) + 12 * number;
    if (part === 'hour' && number !== undefined && !hasHalves()) parts.dayPeriod = number >= 12 ? 1 : 0;
    const before = field.value;
    const wanted = madeBy(field, segments);
    if (wanted !== before) field.value = wanted;
    segments.value = field.value;
    if (field.value !== before) page.changedByKey(field);
  };

  /** @param {Part} part @returns {[number, number]} */
  const rangeOf = (part) => (part === 'hour' && hasHalves() ? [1, 12] : RANGES[part]);

  /** What a segment shows: of the hour only what is in its half. @param {Segments} segments @param {Part} part */
  const shown = ({ parts }, part) => {
    const number = parts[part];
    return part === 'hour' && number !== undefined && hasHalves() ? number % 12 || 12 : number;
  };

  /** @param {Segments} segments @param {Part} part @param {number} number */
  const stored = ({ parts }, part, number) =>
    part === 'hour' && hasHalves() ? (number % 12) + 12 * (parts.dayPeriod ?? 0) : number;

  page.segmentByKey = (on, key, down) => {
    if (!isSegmented(on) || down.ctrlKey || down.metaKey || down.altKey) return false;
    const segments = segmentsOf(on);
    const part = segments.order[segments.at];
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      const last = segments.order.length - 1;
      segments.at = Math.min(Math.max(segments.at + (key === 'ArrowRight' ? 1 : -1), 0), last);
      segments.typed = '';
      return true;
    }
    if (part === undefined || on.readOnly) return false;
    const [min, max] = rangeOf(part);
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      const up = key === 'ArrowUp';
      const now = shown(segments, part);
      const first = part === 'year' ? new Date().getFullYear() : up ? min : max;
      const next = now === undefined ? first : now + (up ? 1 : -1);
      segments.typed = '';
      set(on, segments, stored(segments, part, next > max ? min : next < min ? max : next));
      return true;
    }
    if (key === 'Backspace' || key === 'Delete') {
      segments.typed = '';
      set(on, segments, undefined);
      return true;
    }
    return false;
  };

  page.typeIntoSegment = (on, text) => {
    if (!isSegmented(on)) return false;
    const segments = segmentsOf(on);
    const part = segments.order[segments.at];
    if (part === undefined || on.readOnly || page.disabled(on)) return true;
    if (part === 'dayPeriod') {
      if (/^[ap]$/i.test(text)) set(on, segments, /^p$/i.test(text) ? 1 : 0);
      return true;
    }
    if (on.type === 'month' && part === 'month') {
      named(on, segments, text);
      return true;
    }
    if (!/^\d$/.test(text)) return true;
    const [min, max] = rangeOf(part);
    const digits = String(max).length;
    segments.typed = (segments.typed + text).slice(-digits);
    const number = Number(segments.typed);
    set(on, segments, stored(segments, part, Math.min(Math.max(number, part === 'hour' ? 0 : min), max)));
    if (segments.typed.length >= digits || number * 10 > max) move(segments, 1);
    return true;
  };

  /** Months that are shown by name are typed by name. @param {HTMLInputElement} field @param {Segments} segments @param {string} text */
  const named = (field, segments, text) => {
    const month = new Intl.DateTimeFormat(undefined, { month: 'long' });
    const names = Array.from({ length: 12 }, (_, index) => month.format(new Date(2000, index, 1)).toLowerCase());
    segments.typed += text.toLowerCase();
    const at = names.findIndex((name) => name.startsWith(segments.typed));
    if (at >= 0) set(field, segments, at + 1);
  };

  const move = (/** @type {Segments} */ segments, /** @type {number} */ by) => {
    segments.at = Math.min(segments.at + by, segments.order.length - 1);
    segments.typed = '';
  };

  // After the segments comes the button that opens the calendar.
  page.tabInSegments = (on, backward) => {
    if (!isSegmented(on)) return false;
    const segments = segmentsOf(on);
    const next = segments.at + (backward ? -1 : 1);
    if (next < 0 || next > segments.order.length) return false;
    segments.at = next;
    segments.typed = '';
    return true;
  };

  page.enterSegments = (field, backward) => {
    if (isSegmented(field)) segmentsOf(field).at = backward ? orderOf(field.type).length : 0;
  };

  // The next time it begins with its first segment.
  own.addEventListener(
    window,
    'focusout',
    (/** @type {Event} */ event) => {
      const segments = known.get(/** @type {HTMLInputElement} */ (event.composedPath()[0]));
      if (segments) Object.assign(segments, { at: 0, typed: '' });
    },
    true,
  );
})();
