/**
 * Interstitials, pages that only a person can get past: a proof of being human, a consent page put in the way, a
 * sign-in. Detected conservatively: a page that only mentions such things, or has such a widget in a form, is an
 * ordinary page. A title or an address alone is never enough.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** An interstitial has little other text. Characters. */
  const CHALLENGE_TEXT_MAX = 2_000;
  const FRAME_ONLY_TEXT_MAX = 300;
  const CONSENT_TEXT_MAX = 6_000;

  /** Whole titles of challenge pages, not parts of titles. */
  const CHALLENGE_TITLES = [
    /^just a moment\s*(\.{3}|…)?$/i,
    /^attention required! \| cloudflare$/i,
    /^please wait\s*(\.{3}|…)? \| cloudflare$/i,
    /^one more step( \| .*)?$/i,
    /^(are you (a )?(human|robot)|robot check|bot verification|human verification|security (check|verification)|captcha)\??$/i,
    /^(please )?(verify|confirm) (that )?you( are|'re|’re) (a )?human\.?$/i,
    /^(verifying|checking) (that )?you are human\.?$/i,
    /^(access to this page has been denied|pardon our interruption)\.?\s*(\.{2,}|…)?$/i,
    /^ddos-guard$/i,
    /^unusual traffic( from your computer network)?$/i,
  ];
  /** What a challenge is loaded by. */
  const LOADERS = [
    'iframe[src*="challenges.cloudflare.com"]',
    'script[src*="challenges.cloudflare.com"]',
    'script[src*="/cdn-cgi/challenge-platform/"]',
    'iframe[src*="captcha-delivery.com"]',
    'iframe[src*="hcaptcha.com"]',
    'iframe[src*="google.com/recaptcha"]',
    'iframe[src*="recaptcha.net/recaptcha"]',
    'iframe[src*="arkoselabs.com"]',
    'iframe[src*="perfdrive.com"]',
    'form[action*="validateCaptcha"]',
  ].join(', ');
  const IDS = ['px-captcha', 'captcha-form', 'challenge-form', 'challenge-stage', 'challenge-running'];
  const CLASSES = '.cf-turnstile, .g-recaptcha, .h-captcha';
  const CONSENT_HOSTS =
    /^(consent\.(google|youtube)(\.[a-z]{2,3}){1,2}|(guce|consent)\.(yahoo|aol|techcrunch|advertising)\.com)$/i;
  const SORRY = /^(www\.)?google(\.[a-z]{2,3}){1,2}\/sorry\//i;

  /**
   * @param {{ host: string, path: string, title: string, text: number, mark: boolean, content: boolean }} seen
   *   `text`: how much the page says; `mark`: a challenge is loaded; `content`: it has an article or fields of its own
   * @returns {string | null} what a person has to do
   */
  page.judge = ({ host, path, title, text, mark, content }) => {
    const human = 'the page asks for proof that a human is here: solve it in the browser, then resume the session';
    if (SORRY.test(host + path)) return human;
    const titled = CHALLENGE_TITLES.some((pattern) => pattern.test(title.trim()));
    if (titled && mark && text <= CHALLENGE_TEXT_MAX && !content) return human;
    if (mark && text <= FRAME_ONLY_TEXT_MAX && !content) return human;
    if (CONSENT_HOSTS.test(host) && text <= CONSENT_TEXT_MAX) {
      return 'the site asks for consent before it goes on: decide in the browser, then resume the session';
    }
    return null;
  };

  page.interstitial = () => {
    // What few elements are is looked for first: this is asked of every page.
    const mark =
      [...own.querySelectorAll(document, 'iframe, script, form')].some((element) => own.matches(element, LOADERS)) ||
      IDS.some((id) => own.getElementById(document, id) !== null) ||
      own.querySelector(document, CLASSES) !== null;
    const { host, pathname, hostname } = location;
    if (!mark && !CONSENT_HOSTS.test(hostname) && !SORRY.test(host + pathname)) return null;
    const content =
      own.querySelector(
        document,
        'article, main p + p, input[type="password"], textarea:not([name*="captcha" i]):not([name*="response" i]), select',
      ) !== null;
    return page.judge({ host: hostname, path: pathname, title: own.title(document), text: said(), mark, content });
  };

  /** How much the page says. Characters. */
  const said = () => {
    const body = own.body(document);
    return (body && (own.innerText(body) ?? own.textContent(body)))?.trim().length ?? 0;
  };

  // ---- Sign-in: a page that came in place of the one that was asked for ----

  /** A step of the path by itself: an article *about* signing in has it within a longer one. */
  const SIGN_IN_PATH = /(^|\/)(log[-_]?in|sign[-_]?in|signon|sso|authenticate|oauth2?\/authorize)(\.\w+)?(\/|$)/i;
  const SIGN_IN_HOST =
    /^(accounts\.google\.com|login\.(microsoftonline|live|yahoo|salesforce)\.com|appleid\.apple\.com|signin\.aws\.amazon\.com|login\.[a-z0-9.-]+|auth\.[a-z0-9.-]+|sso\.[a-z0-9.-]+)$/i;
  const IDENTITY_FIELD =
    'input[type="password"], input[autocomplete~="username"], input[type="email"][name*="identifier" i]';
  const SIGN_IN_TEXT_MAX = 3_000;

  const signInAddress = (/** @type {string} */ address) => {
    const { hostname, pathname } = new URL(address);
    return SIGN_IN_HOST.test(hostname) || SIGN_IN_PATH.test(pathname);
  };

  /** Only if the requested address is not a sign-in page, the resulting one is, and it has a field to sign in with. */
  page.commands['sign-in-interstitial'] = ({ asked, defer }) => {
    const here = location.href;
    if (signInAddress(asked) || !signInAddress(here) || new URL(asked).href.split('#')[0] === here.split('#')[0]) {
      return { reason: null };
    }
    const field = page.query(IDENTITY_FIELD).some(page.visible);
    if (!field || said() > SIGN_IN_TEXT_MAX) return { reason: null };
    const reason = `the site asks to sign in at ${location.host} first: sign in in the browser, then resume the session`;
    if (defer) page.deferredInterstitial = reason;
    return { reason };
  };
})();
