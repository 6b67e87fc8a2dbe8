/**
 * The registry of elements: the number by which each session knows an element, and what the element was when the session
 * last read it. A number stands for one element for good. Elements are held weakly: a page may drop them.
 *
 * A number is an element's once the answer that tells it was sent. Until then the document may be left, and the answer be
 * about the next one: the daemon would give the number to something else there, and the browser may bring this one back.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  const NAME_MAX = 200;

  page.isHere = (element) => page.own.getRootNode(element, { composed: true }) === document;

  /** @param {string} session @returns {BproxyKnown} */
  const knownTo = (session) => {
    let known = page.sessions.get(session);
    if (known === undefined) {
      /** @type {BproxyKnown['elements']} */
      const elements = new Map();
      known = {
        numbers: { el: new WeakMap(), ln: new WeakMap() },
        elements,
        facts: new WeakMap(),
        dropped: new FinalizationRegistry((handle) => void elements.delete(handle)),
        reading: undefined,
        untold: new Set(),
      };
      page.sessions.set(session, known);
    }
    return known;
  };

  // ---- What an element is ----

  /** @param {Element} element @param {string} [name] */
  const factsOf = (element, name = page.accessibleName(element)) => {
    const typed = element instanceof HTMLInputElement || element instanceof HTMLButtonElement;
    const origin = leadsTo(element);
    return {
      role: page.role(element),
      name,
      ...(typed ? { type: element.type } : {}),
      ...(origin === null ? {} : { origin }),
    };
  };

  /** The origin that the element's link or form leads to, or null. @param {Element} element */
  const leadsTo = (element) => {
    const isLink = /^(a|area)$/.test(page.own.localName(element));
    const link = isLink ? element : page.own.closest(element, 'a, area');
    const href = link && (page.own.getAttribute(link, 'href') ?? page.own.getAttribute(link, 'xlink:href'));
    if (href !== null && href !== undefined) return originOf(href);
    const form = /** @type {HTMLInputElement} */ (element).form;
    if (!(form instanceof HTMLFormElement)) return null;
    return originOf(page.own.getAttribute(element, 'formaction') ?? page.own.getAttribute(form, 'action') ?? '');
  };

  /** Of the document's address. */
  const base = { uri: '', origin: '' };
  const ownOrigin = () => {
    const uri = page.own.baseURI(document);
    if (base.uri !== uri) Object.assign(base, { uri, origin: originOf(uri) });
    return base.origin;
  };

  const originOf = (/** @type {string} */ address) => {
    // To parse each address takes long.
    if (/^($|[#?]|\/(?![\\/]))/.test(address) && !/[\t\n\r]/.test(address)) return ownOrigin();
    try {
      const { origin, protocol } = new URL(address, page.own.baseURI(document));
      // What has no origin, such as `mailto:` and `javascript:`, is told apart by its scheme.
      return origin === 'null' ? protocol : origin;
    } catch {
      return 'invalid';
    }
  };

  /** A counter in a name changes all the time, and so does an arrow that an icon font draws. */
  const bare = (/** @type {string} */ name) => name.replace(/[\p{Nd}\p{Co}\s]+/gu, '');

  const sameThing = (/** @type {BproxyFacts} */ was, /** @type {BproxyFacts} */ is) =>
    was.role === is.role && bare(was.name) === bare(is.name) && was.type === is.type && was.origin === is.origin;

  const told = (/** @type {BproxyFacts} */ facts) => ({ ...facts, name: page.shorten(facts.name, NAME_MAX) });

  // ---- Reading ----

  page.numbers = (kind) => {
    const { session, [kind]: first, room = 0 } = page.order;
    if (session === undefined || first === undefined) {
      return { of: () => undefined, capped: () => false, mark: () => '' };
    }
    // What is told of several documents is numbered when it is known which of it is handed out.
    if (page.isFramed()) {
      const { listed, token } = page.framed();
      page.listed = { token, entries: listed };
      return {
        of: (element, name) => listed.push({ kind, element, facts: factsOf(element, name) }) - 1,
        capped: () => false,
        mark: (place) => `⟦${token}#${place}⟧`,
      };
    }
    const known = knownTo(session);
    let next = first;
    let capped = false;
    return {
      of: (element, name) => {
        const number = known.numbers[kind].get(element) ?? next;
        if (number >= first + room) {
          capped = true;
          return undefined;
        }
        if (number === next) next += 1;
        register(known, kind, element, number);
        known.facts.set(element, factsOf(element, name));
        return number;
      },
      capped: () => capped,
      mark: (number) => `[${kind}${number}]`,
    };
  };

  /** @param {BproxyKnown} known @param {'el' | 'ln'} kind @param {Element} element @param {number} number */
  const register = (known, kind, element, number) => {
    const { numbers, elements, dropped } = known;
    if (numbers[kind].has(element)) return;
    const handle = `${kind}${number}`;
    numbers[kind].set(element, number);
    elements.set(handle, new WeakRef(element));
    dropped.register(element, handle);
    known.reading = page.order.reading;
    known.untold.add(handle);
  };

  page.beginNumbers = (command) => {
    const { session = '', reading } = page.order;
    const known = page.sessions.get(session);
    // Each look after an act tells anew what has the focus.
    if (known === undefined || (known.reading === reading && command !== 'settle')) return;
    for (const handle of known.untold) {
      const element = known.elements.get(handle)?.deref();
      if (element) known.numbers[handle.startsWith('el') ? 'el' : 'ln'].delete(element);
      known.elements.delete(handle);
    }
    known.untold.clear();
  };

  page.hasUntold = () => (page.sessions.get(page.order.session ?? '')?.untold.size ?? 0) > 0;

  page.told = (reading) => {
    for (const known of page.sessions.values()) if (known.reading === reading) known.untold.clear();
  };

  page.knownNumbers = () => {
    const { numbers } = knownTo(page.order.session ?? '');
    return page.framed().listed.map(({ kind, element }) => ({ kind, n: numbers[kind].get(element) ?? 0 }));
  };

  page.commands.number = ({ token, picks }) => {
    if (page.listed?.token !== token) return { numbers: picks.map(() => 0) };
    const known = knownTo(page.order.session ?? '');
    const { entries } = page.listed;
    return {
      numbers: picks.map(({ place, n }) => {
        const { kind, element, facts } = entries[place];
        const number = known.numbers[kind].get(element) ?? n;
        if (number === 0) return 0;
        register(known, kind, element, number);
        known.facts.set(element, facts);
        return number;
      }),
    };
  };

  // ---- Acting ----

  /** The read that lists what a handle of this kind stands for. */
  const readAgainFor = (/** @type {string} */ handle) => (handle.startsWith('ln') ? 'bproxy links' : 'bproxy elements');

  page.handled = (handle) => {
    const known = page.sessions.get(page.order.session ?? '');
    const element = known?.elements.get(handle)?.deref();
    if (known === undefined || element === undefined || !page.isHere(element)) {
      const message = `${handle} is no longer on the page: read the page again`;
      return page.fail('ELEMENT_HANDLE_STALE', message, undefined, readAgainFor(handle));
    }
    const was = /** @type {BproxyFacts} */ (known.facts.get(element));
    const is = factsOf(element);
    known.facts.set(element, is);
    if (!sameThing(was, is)) {
      page.fail(
        'ELEMENT_HANDLE_STALE',
        `${handle} is not what it was when it was read: see details, then decide anew`,
        { was: told(was), is: told(is) },
        readAgainFor(handle),
      );
    }
    page.touched.add(element);
    return element;
  };

  page.readAgain = () => {
    const facts = page.sessions.get(page.order.session ?? '')?.facts;
    for (const element of page.touched) {
      if (facts?.has(element) && page.isHere(element)) facts.set(element, factsOf(element));
    }
  };
})();
